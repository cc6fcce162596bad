// A value of the statistics with what is known about it: type, and the four letters that tell
// aggregators what to do with it (management manual, section 9.2).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace admin {

enum class FieldType : std::uint8_t { none, s32, u32, u64, str, flt };
std::string_view name_of(FieldType type);

struct Field {
  FieldType type = FieldType::none;
  std::int64_t number = 0;
  double real = 0;
  std::string text;

  bool present() const { return type != FieldType::none; }
};

// As plain text.
void append(std::string& out, const Field& field);
// As one CSV cell: quoted only where it holds a comma, a quote or a line end.
void append_csv(std::string& out, const Field& field);
void append_csv(std::string& out, std::string_view text);
// As a JSON value: {"type":"u32","value":5}
void append_json(std::string& out, const Field& field);
void append_json_string(std::string& out, std::string_view text);
// {"origin":"Metric","nature":"Gauge","scope":"Process"}
void append_json_tags(std::string& out, std::string_view tag);
// "MGPV:u32:5"
void append_typed(std::string& out, std::string_view tag, const Field& field);

}  // namespace admin

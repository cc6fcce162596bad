#include "admin/field.h"

#include <fmt/format.h>

#include <iterator>

namespace admin {
namespace {

struct Letter {
  char letter;
  std::string_view word;
};

std::string_view word_of(char letter, std::initializer_list<Letter> words) {
  for (const Letter& row : words)
    if (row.letter == letter) return row.word;
  return "Unknown";
}

}  // namespace

std::string_view name_of(FieldType type) {
  switch (type) {
    case FieldType::s32:
      return "s32";
    case FieldType::u32:
      return "u32";
    case FieldType::u64:
      return "u64";
    case FieldType::str:
      return "str";
    case FieldType::flt:
      return "flt";
    case FieldType::none:
      break;
  }
  return "";
}

void append(std::string& out, const Field& field) {
  switch (field.type) {
    case FieldType::none:
      break;
    case FieldType::str:
      out.append(field.text);
      break;
    case FieldType::flt:
      fmt::format_to(std::back_inserter(out), "{:f}", field.real);
      break;
    case FieldType::s32:
      fmt::format_to(std::back_inserter(out), "{}", static_cast<std::int32_t>(field.number));
      break;
    case FieldType::u32:
    case FieldType::u64:
      fmt::format_to(std::back_inserter(out), "{}", static_cast<std::uint64_t>(field.number));
      break;
  }
}

void append_csv(std::string& out, std::string_view text) {
  if (text.find_first_of(",\"\n\r") == text.npos) {
    out.append(text);
    return;
  }
  out.push_back('"');
  for (char c : text) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  out.push_back('"');
}

void append_csv(std::string& out, const Field& field) {
  if (field.type == FieldType::str)
    append_csv(out, field.text);
  else
    append(out, field);
}

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  for (char c : text) {
    switch (c) {
      case '"':
        out.append("\\\"");
        break;
      case '\\':
        out.append("\\\\");
        break;
      case '\n':
        out.append("\\n");
        break;
      case '\r':
        out.append("\\r");
        break;
      case '\t':
        out.append("\\t");
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20)
          fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
        else
          out.push_back(c);
    }
  }
  out.push_back('"');
}

void append_json(std::string& out, const Field& field) {
  fmt::format_to(std::back_inserter(out), "{{\"type\":\"{}\",\"value\":", name_of(field.type));
  if (field.type == FieldType::str)
    append_json_string(out, field.text);
  else
    append(out, field);
  out.push_back('}');
}

void append_json_tags(std::string& out, std::string_view tag) {
  fmt::format_to(
      std::back_inserter(out), "{{\"origin\":\"{}\",\"nature\":\"{}\",\"scope\":\"{}\"}}",
      word_of(tag[0],
              {{'M', "Metric"}, {'S', "Status"}, {'K', "Key"}, {'C', "Config"}, {'P', "Product"}}),
      word_of(tag[1], {{'A', "Age"},
                       {'a', "Avg"},
                       {'C', "Counter"},
                       {'D', "Duration"},
                       {'G', "Gauge"},
                       {'L', "Limit"},
                       {'M', "Max"},
                       {'m', "Min"},
                       {'N', "Name"},
                       {'O', "Output"},
                       {'R', "Rate"},
                       {'T', "Time"}}),
      word_of(tag[2], {{'C', "Cluster"}, {'P', "Process"}, {'S', "Service"}, {'s', "System"}}));
}

void append_typed(std::string& out, std::string_view tag, const Field& field) {
  out.append(tag);
  out.push_back(':');
  out.append(name_of(field.type));
  out.push_back(':');
  append(out, field);
}

}  // namespace admin

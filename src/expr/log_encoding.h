// JSON (RFC 8259) and CBOR (RFC 8949) for items of log formats, alone or as one object.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "state/value.h"

namespace expr {

// Flags of an item (manual section 8.2.6).
enum FormatFlag : std::uint8_t {
  kFlagQuote = 1,
  kFlagHex = 2,
  kFlagEscape = 4,
  kFlagBinary = 8,
  kFlagJson = 16,
  kFlagCbor = 32,
};
inline constexpr std::uint8_t kEncodings = kFlagJson | kFlagCbor;

// What an item gives, before it is written. `digits`: a number that is written as a text.
struct Sample {
  enum class Kind : std::uint8_t { none, boolean, number, text, binary } kind = Kind::none;
  std::int64_t number = 0;
  std::string_view text;
  bool digits = false;
};

// The type written after the item's name; any leaves it.
void force_type(Sample& sample, state::Type type);

// As one value. CBOR is written as hexadecimal digits unless `raw`.
void append_json(std::string& out, const Sample& sample);
void append_cbor(std::string& out, const Sample& sample, bool raw);

class ObjectWriter {
 public:
  ObjectWriter(std::string& out, bool json, bool raw);
  void add(std::string_view name, const Sample& sample);
  void end();

 private:
  std::string& out_;
  bool json_, raw_;
  bool first_ = true;
};

}  // namespace expr

#include "expr/log_encoding.h"

#include <charconv>

#include "base/text.h"

namespace expr {
namespace {

constexpr char kDigits[] = "0123456789ABCDEF";

void append_number(std::string& out, std::int64_t number) {
  char digits[24];
  auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
  out.append(digits, static_cast<std::size_t>(end - digits));
}

void append_json_text(std::string& out, std::string_view text) {
  out += '"';
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 32) {
      out += "\\u00";
      out += kDigits[c >> 4];
      out += kDigits[c & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

// Bytes of CBOR, as they are or as digits.
class Cbor {
 public:
  Cbor(std::string& out, bool raw) : out_(out), raw_(raw) {}
  void byte(unsigned char b) {
    if (raw_) {
      out_ += static_cast<char>(b);
      return;
    }
    out_ += kDigits[b >> 4];
    out_ += kDigits[b & 15];
  }
  // RFC 8949 section 3: the major type and its argument.
  void head(unsigned major, std::uint64_t argument) {
    unsigned width = argument < 24            ? 0
                     : argument <= 0xff       ? 1
                     : argument <= 0xffff     ? 2
                     : argument <= 0xffffffff ? 4
                                              : 8;
    unsigned low = width == 0   ? static_cast<unsigned>(argument)
                   : width == 1 ? 24
                   : width == 2 ? 25
                   : width == 4 ? 26
                                : 27;
    byte(static_cast<unsigned char>(major << 5 | low));
    for (unsigned i = width; i-- > 0;) byte(static_cast<unsigned char>(argument >> (8 * i)));
  }
  void text(std::string_view text, unsigned major = 3) {
    head(major, text.size());
    for (char c : text) byte(static_cast<unsigned char>(c));
  }
  void number(std::int64_t n) {
    if (n >= 0)
      head(0, static_cast<std::uint64_t>(n));
    else
      head(1, static_cast<std::uint64_t>(-(n + 1)));
  }

 private:
  std::string& out_;
  bool raw_;
};

std::int64_t number_of(const Sample& sample) {
  if (sample.kind == Sample::Kind::text)
    return base::parse_int<std::int64_t>(sample.text).value_or(0);
  return sample.number;
}

}  // namespace

void force_type(Sample& sample, state::Type type) {
  switch (type) {
    case state::Type::integer:
      sample = {Sample::Kind::number, number_of(sample), {}};
      return;
    case state::Type::boolean:
      sample = {Sample::Kind::boolean, number_of(sample) != 0, {}};
      return;
    case state::Type::string:
      if (sample.kind == Sample::Kind::number) sample.digits = true;
      return;
    default:
      return;
  }
}

void append_json(std::string& out, const Sample& sample) {
  switch (sample.kind) {
    case Sample::Kind::none:
      out += "\"\"";
      return;
    case Sample::Kind::boolean:
      out += sample.number != 0 ? "true" : "false";
      return;
    case Sample::Kind::number:
      if (sample.digits) out += '"';
      append_number(out, sample.number);
      if (sample.digits) out += '"';
      return;
    case Sample::Kind::text:
    case Sample::Kind::binary:
      append_json_text(out, sample.text);
      return;
  }
}

void append_cbor(std::string& out, const Sample& sample, bool raw) {
  Cbor cbor(out, raw);
  switch (sample.kind) {
    case Sample::Kind::none:
      return cbor.byte(0xf6);
    case Sample::Kind::boolean:
      return cbor.byte(sample.number != 0 ? 0xf5 : 0xf4);
    case Sample::Kind::number: {
      if (!sample.digits) return cbor.number(sample.number);
      std::string digits;
      append_number(digits, sample.number);
      return cbor.text(digits);
    }
    case Sample::Kind::binary:
      return cbor.text(sample.text, 2);
    case Sample::Kind::text:
      cbor.text(sample.text);
      return;
  }
}

ObjectWriter::ObjectWriter(std::string& out, bool json, bool raw)
    : out_(out), json_(json), raw_(raw) {
  if (json_)
    out_ += '{';
  else
    Cbor(out_, raw_).byte(0xbf);
}

void ObjectWriter::add(std::string_view name, const Sample& sample) {
  if (json_) {
    if (!first_) out_ += ", ";
    first_ = false;
    append_json_text(out_, name);
    out_ += ": ";
    append_json(out_, sample);
    return;
  }
  Cbor(out_, raw_).text(name);
  append_cbor(out_, sample, raw_);
}

void ObjectWriter::end() {
  if (json_)
    out_ += '}';
  else
    Cbor(out_, raw_).byte(0xff);
}

}  // namespace expr

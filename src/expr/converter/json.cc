// json: escapes a text for use in a JSON string (manual section 7.3.1).
#include <fmt/format.h>

#include <array>

#include "expr/converter/support.h"
#include "expr/converter/tables.h"

namespace expr::converter {
namespace {

enum class Code : std::int64_t {
  ascii,
  utf8,
  utf8_silent,
  utf8_permissive,
  utf8_permissive_silent
};
struct CodeName {
  std::string_view name;
  Code code;
};
constexpr std::array<CodeName, 5> kCodes{{{"ascii", Code::ascii},
                                          {"utf8", Code::utf8},
                                          {"utf8s", Code::utf8_silent},
                                          {"utf8p", Code::utf8_permissive},
                                          {"utf8ps", Code::utf8_permissive_silent}}};

// One character of UTF-8 (RFC 3629) at the front of `text`.
struct Character {
  std::uint32_t code = 0;
  std::size_t size = 1;
  bool broken = false, overlong = false;
};

Character read_utf8(std::string_view text) {
  Character c;
  auto lead = static_cast<unsigned char>(text[0]);
  std::size_t more = lead < 0x80   ? 0
                     : lead < 0xc0 ? 9
                     : lead < 0xe0 ? 1
                     : lead < 0xf0 ? 2
                     : lead < 0xf8 ? 3
                                   : 9;
  c.code = lead;
  if (more == 0) return c;
  if (more == 9) {
    c.broken = true;
    return c;
  }
  c.code = lead & (0x3fu >> more);
  for (std::size_t i = 1; i <= more; ++i) {
    if (i >= text.size() || (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) {
      c.broken = true;
      return c;
    }
    c.code = c.code << 6 | (static_cast<unsigned char>(text[i]) & 0x3fu);
    c.size = i + 1;
  }
  static constexpr std::uint32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
  c.overlong = c.code < kLeast[more];
  c.broken = (c.code >= 0xd800 && c.code <= 0xdfff) || c.code == 0xfffe || c.code == 0xffff;
  return c;
}

void add_escaped(std::uint32_t code, Text& out) {
  static constexpr char kHex[] = "0123456789abcdef";
  switch (code) {
    case '"':
      out.add("\\\"");
      return;
    case '\\':
      out.add("\\\\");
      return;
    case '/':
      out.add("\\/");
      return;
    case '\b':
      out.add("\\b");
      return;
    case '\f':
      out.add("\\f");
      return;
    case '\r':
      out.add("\\r");
      return;
    case '\n':
      out.add("\\n");
      return;
    case '\t':
      out.add("\\t");
      return;
    default:
      break;
  }
  if (code >= 0x20 && code < 0x7f) {
    out.add(static_cast<char>(code));
    return;
  }
  out.add("\\u");
  for (int shift = 12; shift >= 0; shift -= 4) out.add(kHex[code >> shift & 15]);
}

bool json(Args args, Context& context, Value& value, const ConverterRow&) {
  auto how = static_cast<Code>(args[0].integer());
  bool silent = how == Code::utf8_silent || how == Code::utf8_permissive_silent;
  bool permissive = how == Code::utf8_permissive || how == Code::utf8_permissive_silent;
  Text out(context.arena, value.text.size() * 6);
  std::string_view rest = value.text;
  while (!rest.empty()) {
    Character c;
    c.code = static_cast<unsigned char>(rest[0]);
    if (how != Code::ascii) c = read_utf8(rest);
    rest.remove_prefix(c.size);
    // The escape has room for four digits.
    if (c.broken || c.code > 0xffff || (c.overlong && !permissive)) {
      if (!silent) return false;
      continue;
    }
    add_escaped(c.code, out);
  }
  return give_text(value, out.view());
}

bool check_json(std::vector<Argument>& args, ParseContext&, const config::Keyword&,
                std::string& error) {
  for (const CodeName& code : kCodes) {
    if (!args[0].text().empty() && code.name != args[0].text()) continue;
    args[0].value = static_cast<std::int64_t>(code.code);
    return true;
  }
  error =
      "Unexpected input code type. Allowed value are 'ascii', 'utf8', 'utf8s', 'utf8p' and "
      "'utf8ps'";
  return false;
}

constexpr ConverterRow kRows[] = {
    {{"json", "s", "Escapes for a JSON string; the argument names the input's coding."},
     Type::string,
     Type::string,
     json,
     check_json},
};

}  // namespace

std::span<const ConverterRow> json_converters() { return kRows; }

}  // namespace expr::converter

// The Forwarded header (RFC 7239; manual section 7.3.1, rfc7239_*).
#include <fmt/format.h>

#include "expr/converter/support.h"
#include "expr/converter/tables.h"

namespace expr::converter {
namespace {

bool is_obfuscated(std::string_view s) {  // "_" and letters, digits, ". _ -" (section 6.3)
  if (s.size() < 2 || s[0] != '_') return false;
  for (char c : s.substr(1))
    if (!base::is_alpha(c) && !base::is_digit(c) && c != '.' && c != '_' && c != '-') return false;
  return true;
}

// A node: name and optional port (section 6).
struct Node {
  net::Ip ip;  // family 0: `name` is "unknown" or obfuscated
  std::string_view name;
  std::string_view port;  // empty: none; else a number or obfuscated
};

bool is_port(std::string_view s) {
  auto n = base::parse_int<std::uint16_t>(s);
  return (n && *n != 0) || is_obfuscated(s);
}

bool parse_node(std::string_view text, Node& out) {
  if (text.starts_with('[')) {
    std::size_t end = text.find(']');
    if (end == std::string_view::npos) return false;
    out.ip = net::Ip::parse(text.substr(1, end - 1));
    if (out.ip.family != AF_INET6) return false;
    out.name = text.substr(0, end + 1);
    text.remove_prefix(end + 1);
  } else {
    out.name = text.substr(0, text.find(':'));
    out.ip = net::Ip::parse(out.name);
    if (out.ip.family == AF_INET6) return false;
    if (out.ip.family == 0 && out.name != "unknown" && !is_obfuscated(out.name)) return false;
    text.remove_prefix(out.name.size());
  }
  if (text.empty()) return true;
  out.port = text.substr(1);
  return text[0] == ':' && is_port(out.port);
}

bool is_host(std::string_view s) {
  if (s.empty()) return false;
  for (char c : s)
    if (!base::is_alpha(c) && !base::is_digit(c) &&
        std::string_view("-._~:[]%!$&'()*+,;=").find(c) == std::string_view::npos)
      return false;
  return true;
}

enum Field : std::size_t { proto, host, by, for_, count };
constexpr std::string_view kFields[count] = {"proto", "host", "by", "for"};

// One element: parameters in any order, each once, no blanks.
struct Forwarded {
  std::string_view values[count];
  bool present[count] = {};
};

// Quoted texts are needed for what is no token: ports, brackets.
bool fits(std::size_t field, std::string_view value, bool quoted) {
  if (field == proto) return !quoted && (value == "http" || value == "https");
  if (field == host)
    return is_host(value) && (quoted || value.find_first_of(":[]") == std::string_view::npos);
  Node node;
  return parse_node(value, node) && (quoted || value.find_first_of(":[") == std::string_view::npos);
}

bool parse_forwarded(std::string_view text, Forwarded& out) {
  for (;;) {
    std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) return false;
    std::size_t field = 0;
    while (field < count && kFields[field] != text.substr(0, equals)) ++field;
    if (field == count || out.present[field]) return false;
    text.remove_prefix(equals + 1);
    bool quoted = text.starts_with('"');
    std::size_t end = quoted ? text.find('"', 1) : text.find(';');
    if (quoted && end == std::string_view::npos) return false;
    end = std::min(end, text.size());
    std::string_view value = quoted ? text.substr(1, end - 1) : text.substr(0, end);
    if (!fits(field, value, quoted)) return false;
    out.present[field] = true;
    out.values[field] = value;
    text.remove_prefix(std::min(end + (quoted ? 1 : 0), text.size()));
    if (text.empty()) return true;
    if (text[0] != ';') return false;
    text.remove_prefix(1);
  }
}

bool is_valid(Args, Context&, Value& value, const ConverterRow&) {
  Forwarded all;
  return give_bool(value, parse_forwarded(value.text, all));
}

bool field(Args args, Context&, Value& value, const ConverterRow&) {
  Forwarded all;
  auto which = static_cast<std::size_t>(args[0].integer());
  return which < count && parse_forwarded(value.text, all) && all.present[which] &&
         give_text(value, all.values[which]);
}
// A field that is none is accepted and never found.
bool check_field(std::vector<Argument>& args, ParseContext&, const config::Keyword&, std::string&) {
  std::size_t which = 0;
  while (which < count && kFields[which] != args[0].text()) ++which;
  args[0].value = static_cast<std::int64_t>(which);
  return true;
}

bool node_name(Args, Context&, Value& value, const ConverterRow&) {
  Node node;
  if (!parse_node(value.text, node)) return false;
  if (node.ip.family == 0) return give_text(value, node.name);
  value = Value::of(node.ip);
  return true;
}
bool node_port(Args, Context&, Value& value, const ConverterRow&) {
  Node node;
  if (!parse_node(value.text, node) || node.port.empty()) return false;
  auto number = base::parse_int<std::int64_t>(node.port);
  return number ? give(value, *number) : give_text(value, node.port);
}

bool obfuscated(std::string_view text, Context& context, Value& value) {
  Text out(context.arena, text.size() + 1);
  out.add('_');
  out.add(text);
  return is_obfuscated(out.view()) && give_text(value, out.view());
}

bool make_name(Args, Context& context, Value& value, const ConverterRow&) {
  if (value.type == Type::string) {
    if (value.text.empty()) return give_text(value, "unknown");
    return obfuscated(value.text, context, value);
  }
  const bool v6 = value.type == Type::ipv6, v4 = value.type == Type::ipv4;
  if (!cast(value, Type::string, context.arena)) return false;
  if (v4) return true;
  if (!v6) return obfuscated(value.text, context, value);
  Text out(context.arena, value.text.size() + 2);
  out.add('[');
  out.add(value.text);
  out.add(']');
  return give_text(value, out.view());
}
bool make_port(Args, Context& context, Value& value, const ConverterRow&) {
  const bool number = value.type == Type::integer;
  if (number) value.integer = static_cast<std::uint32_t>(value.integer);
  if (!cast(value, Type::string, context.arena)) return false;
  return number || obfuscated(value.text, context, value);
}

constexpr ConverterRow kRows[] = {
    {{"rfc7239_field", "s", "A parameter of a Forwarded header: proto, host, by or for."},
     Type::string,
     Type::string,
     field,
     check_field},
    {{"rfc7239_is_valid", "", "Whether it is a Forwarded header as RFC 7239 has it."},
     Type::string,
     Type::boolean,
     is_valid},
    {{"rfc7239_n2nn", "", "The name of a node: address, 'unknown' or obfuscated."},
     Type::string,
     Type::any,
     node_name},
    {{"rfc7239_n2np", "", "The port of a node: number or obfuscated."},
     Type::string,
     Type::any,
     node_port},
    {{"rfc7239_nn", "", "An address or text as the name of a node."},
     Type::any,
     Type::string,
     make_name},
    {{"rfc7239_np", "", "A number or text as the port of a node."},
     Type::any,
     Type::string,
     make_port},
};

}  // namespace

std::span<const ConverterRow> forwarded_converters() { return kRows; }

}  // namespace expr::converter

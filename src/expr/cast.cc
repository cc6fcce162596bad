#include <arpa/inet.h>

#include <charconv>
#include <cstring>
#include <limits>

#include "expr/expression.h"

namespace expr {
namespace {

using http::Method;

bool is_text(Type t) { return t == Type::string || t == Type::binary; }

// Reads digits from the front, saturating; what follows them is ignored (as "12a" gives 12).
std::int64_t leading_number(std::string_view s) {
  bool negative = false;
  std::size_t i = 0;
  if (!s.empty() && (s[0] == '-' || s[0] == '+')) negative = s[i++] == '-';
  std::uint64_t limit = std::uint64_t{1} << 63;
  if (!negative) --limit;
  std::uint64_t n = 0;
  for (; i < s.size() && base::is_digit(s[i]); ++i) {
    auto digit = static_cast<unsigned>(s[i] - '0');
    if (n > (limit - digit) / 10) {
      n = limit;
      break;
    }
    n = n * 10 + digit;
  }
  return negative ? static_cast<std::int64_t>(0 - n) : static_cast<std::int64_t>(n);
}

std::string_view number_text(std::int64_t n, base::Arena& arena) {
  char buffer[24];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, n).ptr;
  return arena.copy({buffer, static_cast<std::size_t>(end - buffer)});
}

std::string_view address_text(const Value& v, base::Arena& arena) {
  char buffer[INET6_ADDRSTRLEN];
  const void* address = v.type == Type::ipv4 ? static_cast<const void*>(&v.v4) : &v.v6;
  if (inet_ntop(v.type == Type::ipv4 ? AF_INET : AF_INET6, address, buffer, sizeof buffer) ==
      nullptr)
    return {};
  return arena.copy(buffer);
}

void map_to_v6(Value& v) {
  in_addr v4 = v.v4;
  in6_addr v6{};
  v6.s6_addr[10] = v6.s6_addr[11] = 0xff;
  std::memcpy(&v6.s6_addr[12], &v4, 4);
  v.v6 = v6;
  v.type = Type::ipv6;
}

// ::ffff:a.b.c.d, ::a.b.c.d and 2002:a.b.c.d:: (manual section 7.1.6).
bool map_to_v4(Value& v) {
  const unsigned char* b = v.v6.s6_addr;
  static constexpr unsigned char kZero[12] = {};
  in_addr v4;
  bool compatible = std::memcmp(b, kZero, 12) == 0;
  bool mapped = std::memcmp(b, kZero, 10) == 0 && b[10] == 0xff && b[11] == 0xff;
  if (compatible || mapped) {
    std::memcpy(&v4, b + 12, 4);
  } else if (b[0] == 0x20 && b[1] == 0x02) {
    std::memcpy(&v4, b + 2, 4);
  } else {
    return false;
  }
  v.v4 = v4;
  v.type = Type::ipv4;
  return true;
}

bool text_to_integer(Value& v) {
  if (v.text.empty()) return false;
  v = Value::of(leading_number(v.text));
  return true;
}

bool to_boolean(Value& v) {
  if (v.type == Type::string && !text_to_integer(v)) return false;
  if (v.type != Type::integer) return false;
  v = Value::of(v.integer != 0);
  return true;
}

bool to_integer(Value& v) {
  switch (v.type) {
    case Type::boolean:
      v = Value::of(std::int64_t{v.boolean});
      return true;
    case Type::ipv4:
      v = Value::of(std::int64_t{ntohl(v.v4.s_addr)});
      return true;
    case Type::string:
      return text_to_integer(v);
    default:
      return false;
  }
}

// Four numbers at the start of a text are an address whatever follows them, such as a port or the
// rest of a list, unless that continues the numbers.
net::Ip leading_v4(std::string_view text) {
  std::uint32_t address = 0, number = 0;
  std::size_t dots = 0, digits = 0, at = 0;
  for (; at < text.size() && (base::is_digit(text[at]) || text[at] == '.'); ++at) {
    if (text[at] == '.') {
      if (digits == 0 || ++dots > 3) return {};
      address = address << 8 | number;
      number = 0;
      digits = 0;
    } else {
      number = number * 10 + static_cast<std::uint32_t>(text[at] - '0');
      ++digits;
      if (number > 255) return {};
    }
  }
  if (dots != 3 || digits == 0) return {};
  return net::Ip::from(in_addr{htonl(address << 8 | number)});
}

bool to_address(Value& v, Type to) {
  if (v.type == Type::string) {
    net::Ip ip = leading_v4(v.text);
    if (ip.family == 0) ip = net::Ip::parse(v.text);
    v = Value::of(ip);
    // Texts are addresses of one family, and are not carried over into the other.
    if (to != Type::address && v.type != to) return false;
  } else if (v.type == Type::integer) {
    in_addr v4{htonl(static_cast<std::uint32_t>(v.integer))};
    v = Value::of(net::Ip::from(v4));
  }
  if (v.type != Type::ipv4 && v.type != Type::ipv6) return false;
  if (to == Type::ipv6 && v.type == Type::ipv4) map_to_v6(v);
  return to != Type::ipv4 || v.type == Type::ipv4 || map_to_v4(v);
}

std::string_view method_text(const Value& v) {
  return v.method == Method::other ? v.text : http::name_of(v.method);
}

bool to_string(Value& v, base::Arena& arena) {
  switch (v.type) {
    case Type::boolean:
      v = Value::str(v.boolean ? "1" : "0");
      return true;
    case Type::integer:
      v = Value::str(number_text(v.integer, arena));
      return true;
    case Type::ipv4:
    case Type::ipv6:
      v = Value::str(address_text(v, arena));
      return true;
    case Type::method:
      v = Value::str(method_text(v));
      return true;
    case Type::binary:
      // A text ends at the first zero byte (manual section 7.1.3).
      v = Value::str(v.text.substr(0, v.text.find('\0')));
      return true;
    default:
      return false;
  }
}

bool to_binary(Value& v, base::Arena& arena) {
  switch (v.type) {
    case Type::boolean:
      v = Value::of(std::int64_t{v.boolean});
      [[fallthrough]];
    case Type::integer: {
      std::uint64_t big = static_cast<std::uint64_t>(v.integer);
      char bytes[8];
      for (int i = 7; i >= 0; --i, big >>= 8) bytes[i] = static_cast<char>(big);
      v = Value::bin(arena.copy({bytes, 8}));
      return true;
    }
    case Type::ipv4:
      v = Value::bin(arena.copy({reinterpret_cast<const char*>(&v.v4), 4}));
      return true;
    case Type::ipv6:
      v = Value::bin(arena.copy({reinterpret_cast<const char*>(&v.v6), 16}));
      return true;
    case Type::method:
      v = Value::bin(method_text(v));
      return true;
    case Type::string:
      v.type = Type::binary;
      return true;
    default:
      return false;
  }
}

}  // namespace

bool cast(Value& value, Type to, base::Arena& arena) {
  if (value.type == to || to == Type::any) return value.type != Type::any;
  switch (to) {
    case Type::boolean:
      return to_boolean(value);
    case Type::integer:
      return to_integer(value);
    case Type::address:
    case Type::ipv4:
    case Type::ipv6:
      return to_address(value, to);
    case Type::string:
      return to_string(value, arena);
    case Type::binary:
      return to_binary(value, arena);
    case Type::method:
      if (!is_text(value.type)) return false;
      value = Value::of(http::method_of(value.text), value.text);
      return true;
    case Type::any:
      break;
  }
  return false;
}

bool castable(Type from, Type to) {
  if (from == to || from == Type::any || to == Type::any) return true;
  bool from_address = from == Type::address || from == Type::ipv4 || from == Type::ipv6;
  switch (to) {
    case Type::boolean:
      return from == Type::integer || from == Type::string;
    case Type::integer:
      return from == Type::boolean || from == Type::ipv4 || from == Type::string;
    case Type::address:
    case Type::ipv4:
    case Type::ipv6:
      return from_address || from == Type::integer || from == Type::string;
    case Type::string:
    case Type::binary:
      return true;
    case Type::method:
      return is_text(from);
    case Type::any:
      break;
  }
  return false;
}

}  // namespace expr

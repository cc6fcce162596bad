#include "state/value.h"

namespace state {

std::string_view name_of(Type type) {
  switch (type) {
    case Type::any:
      return "any";
    case Type::boolean:
      return "bool";
    case Type::integer:
      return "sint";
    case Type::address:
      return "addr";
    case Type::ipv4:
      return "ipv4";
    case Type::ipv6:
      return "ipv6";
    case Type::string:
      return "str";
    case Type::binary:
      return "bin";
    case Type::method:
      return "meth";
  }
  return "";
}

Value Value::of(const net::Ip& ip) {
  Value x;
  if (ip.family == AF_INET) {
    x.type = Type::ipv4;
    x.v4 = ip.v4;
  } else if (ip.family == AF_INET6) {
    x.type = Type::ipv6;
    x.v6 = ip.v6;
  }
  return x;
}

Value Value::of(http::Method m, std::string_view text) {
  Value x;
  x.type = Type::method;
  x.method = m;
  if (m == http::Method::other) x.text = text;
  return x;
}

void OwnedValue::assign(const Value& value) {
  // `value` may be a view of this very object.
  std::string text(value.text);
  value_ = value;
  text_ = std::move(text);
  value_.text = {};
}

Value OwnedValue::view() const {
  Value x = value_;
  x.text = text_;
  return x;
}

void OwnedValue::clear() {
  value_ = {};
  text_.clear();
}

}  // namespace state

// A sample: what fetches give, converters change, variables keep and scripts see. Texts are views
// whose owner is the exchange's arena, the message or a constant; OwnedValue keeps its own.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "http/message.h"
#include "net/address.h"

namespace state {

// Types of the manual's section 7.1. `any` and `addr` appear only in signatures.
enum class Type : std::uint8_t {
  any,
  boolean,
  integer,
  address,
  ipv4,
  ipv6,
  string,
  binary,
  method
};
std::string_view name_of(Type type);  // "bool" "sint" "addr" "ipv4" "ipv6" "str" "bin" "meth"

struct Value {
  Type type = Type::any;                      // any: no value
  http::Method method = http::Method::other;  // with Type::method; `text` holds an unknown one
  union {
    bool boolean;
    std::int64_t integer = 0;
    in_addr v4;
    in6_addr v6;
  };
  std::string_view text;  // string, binary, method other

  static Value of(bool v) {
    Value x;
    x.type = Type::boolean;
    x.boolean = v;
    return x;
  }
  static Value of(std::int64_t v) {
    Value x;
    x.type = Type::integer;
    x.integer = v;
    return x;
  }
  static Value str(std::string_view v) {
    Value x;
    x.type = Type::string;
    x.text = v;
    return x;
  }
  static Value bin(std::string_view v) {
    Value x;
    x.type = Type::binary;
    x.text = v;
    return x;
  }
  static Value of(const net::Ip& ip);  // any for family 0
  static Value of(http::Method m, std::string_view text);
  explicit operator bool() const { return type != Type::any; }
};

// A value with its own text.
class OwnedValue {
 public:
  OwnedValue() = default;
  explicit OwnedValue(const Value& value) { assign(value); }
  void assign(const Value& value);
  // A view of it, valid while this is unchanged.
  Value view() const;
  bool empty() const { return value_.type == Type::any; }
  void clear();
  std::size_t bytes() const { return text_.size(); }

 private:
  Value value_;
  std::string text_;
};

}  // namespace state

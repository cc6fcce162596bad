// What sample fetches and converters share: giving values, optional arguments, and texts built in
// the arena.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "expr/keyword.h"

namespace expr {

inline bool give(Value& out, std::int64_t number) {
  out = Value::of(number);
  return true;
}
inline bool give_bool(Value& out, bool truth) {
  out = Value::of(truth);
  return true;
}
inline bool give_text(Value& out, std::string_view text) {
  out = Value::str(text);
  return true;
}
inline bool give_binary(Value& out, std::string_view bytes) {
  out = Value::bin(bytes);
  return true;
}

inline bool has(Args args, std::size_t i) { return i < args.size() && args[i].present(); }
inline std::int64_t integer_or(Args args, std::size_t i, std::int64_t otherwise) {
  return has(args, i) ? args[i].integer() : otherwise;
}
inline std::string_view text_or(Args args, std::size_t i, std::string_view otherwise = {}) {
  return has(args, i) ? std::string_view(args[i].text()) : otherwise;
}

// A text in the arena whose greatest size is known.
class Text {
 public:
  Text(base::Arena& arena, std::size_t most) : begin_(arena.allocate_chars(most)), end_(begin_) {}
  Text& add(std::string_view s) {
    if (!s.empty()) std::memcpy(end_, s.data(), s.size());
    end_ += s.size();
    return *this;
  }
  Text& add(char c) {
    *end_++ = c;
    return *this;
  }
  std::string_view view() const { return {begin_, static_cast<std::size_t>(end_ - begin_)}; }

 private:
  char* begin_;
  char* end_;
};

// A text in the arena that grows as it must.
class GrowingText {
 public:
  explicit GrowingText(base::Arena& arena, std::size_t first = 256)
      : arena_(arena), begin_(arena.allocate_chars(first)), room_(first) {}
  GrowingText& add(std::string_view s) {
    if (s.size() > room_ - size_) grow(s.size());
    if (!s.empty()) std::memcpy(begin_ + size_, s.data(), s.size());
    size_ += s.size();
    return *this;
  }
  GrowingText& add(char c) { return add(std::string_view(&c, 1)); }
  std::size_t size() const { return size_; }
  std::string_view view() const { return {begin_, size_}; }

 private:
  void grow(std::size_t more) {
    std::size_t room = (size_ + more) * 2;
    char* larger = arena_.allocate_chars(room);
    std::memcpy(larger, begin_, size_);
    begin_ = larger;
    room_ = room;
  }

  base::Arena& arena_;
  char* begin_;
  std::size_t size_ = 0;
  std::size_t room_;
};

}  // namespace expr

// What the files of converters share: giving values, texts built in the arena, arguments that are a
// constant or a variable.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "expr/expression.h"
#include "expr/variables.h"

namespace expr::converter {

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
inline bool give_bytes(Value& out, std::string_view bytes) {
  out = Value::bin(bytes);
  return true;
}

inline bool has(Args args, std::size_t i) { return i < args.size() && args[i].present(); }
inline std::int64_t integer_or(Args args, std::size_t i, std::int64_t otherwise) {
  return has(args, i) ? args[i].integer() : otherwise;
}
inline std::string_view text_or(Args args, std::size_t i, std::string_view otherwise) {
  return has(args, i) ? std::string_view(args[i].text()) : otherwise;
}

// A text of known greatest size, written into the arena.
class Text {
 public:
  Text(base::Arena& arena, std::size_t most) : begin_(arena.allocate_chars(most)), end_(begin_) {}
  void add(char c) { *end_++ = c; }
  void add(std::string_view s) {
    if (!s.empty()) std::memcpy(end_, s.data(), s.size());
    end_ += s.size();
  }
  std::string_view view() const { return {begin_, static_cast<std::size_t>(end_ - begin_)}; }

 private:
  char* begin_;
  char* end_;
};

// The number behind an 'a' argument; false when the variable is missing or no number.
bool number_of(const Argument& argument, Context& context, std::int64_t& out);
// The text of a variable; false when it is missing or has none.
bool variable_text(state::VariableName name, Context& context, std::string_view& out);
// A constant text, or a variable's.
bool text_of(const Argument& argument, Context& context, std::string_view& out);
// Turns a text argument into a variable's name; empty ones become absent.
bool to_variable(Argument& argument, std::string& error);

// Check functions that several families use.
bool check_number(std::vector<Argument>& args, ParseContext& context, const config::Keyword& row,
                  std::string& error);

}  // namespace expr::converter

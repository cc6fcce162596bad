// A compiled sample expression: a fetch and its converters, "req.hdr(host),lower,map(file)".
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "expr/parse.h"

namespace expr {

class Expression {
 public:
  // Parses from the front of `text`; stops at the first character that cannot belong to it (a blank
  // or the end); `consumed` tells where. The error names what was expected.
  static base::Result<std::unique_ptr<Expression>> parse(std::string_view text,
                                                         ParseContext& context, config::Position at,
                                                         std::size_t* consumed = nullptr);

  // The sample, converted; false when there is none (then context.incomplete may say why).
  bool evaluate(Context& context, Value& out) const;
  // The converters alone, on a value that the caller has.
  bool convert(Context& context, Value& value) const;
  // As text, in the arena or constant; false when there is none.
  bool evaluate_text(Context& context, std::string_view& out) const;
  Type type() const { return type_; }  // after all converters
  std::uint32_t where() const { return fetch_->where; }
  const std::string& source() const { return source_; }
  const FetchRow& fetch_row() const { return *fetch_; }
  bool has_converters() const { return !steps_.empty(); }
  // Nothing when some source of the fetch is available at context.available, else "sample fetch <x>
  // may not be reliably used here because it needs 'y' which is not available here."
  std::string unavailable(const ParseContext& context) const;

 private:
  // Shared with the look-ups that are still to be done when all sections were read.
  using OwnedArgs = std::shared_ptr<std::vector<Argument>>;
  struct Step {
    const ConverterRow* row;
    OwnedArgs args;
  };
  const FetchRow* fetch_ = nullptr;
  OwnedArgs args_;
  std::vector<Step> steps_;
  Type type_ = Type::any;
  std::string source_;
  friend class ExpressionParser;
};

// Converts between types as the manual's cast table; false when impossible. Texts go to the arena.
bool cast(Value& value, Type to, base::Arena& arena);
// Whether a cast exists at all (checked when parsing).
bool castable(Type from, Type to);

}  // namespace expr

#include "expr/expression.h"

#include <fmt/format.h>

#include "expr/signature.h"

namespace expr {
namespace {

// Characters of a keyword's name: all up to what cannot belong to an expression.
bool is_name(char c) {
  return c != '(' && c != ',' && c != ')' && c != ']' && c != ' ' && c != '\t' && c != ';';
}

std::string_view take_name(std::string_view& text) {
  std::size_t n = 0;
  while (n < text.size() && is_name(text[n])) ++n;
  std::string_view name = text.substr(0, n);
  text.remove_prefix(n);
  return name;
}

std::string with_hint(std::string text, std::string_view nearest) {
  if (nearest.empty()) return text;
  return fmt::format("{} (did you mean '{}'?)", text, nearest);
}

}  // namespace

class ExpressionParser {
 public:
  ExpressionParser(std::string_view text, ParseContext& context, config::Position at)
      : rest_(text), context_(context), at_(at), made_(new Expression) {}

  base::Result<std::unique_ptr<Expression>> parse(std::size_t* consumed) {
    std::string_view whole = rest_;
    if (auto done = parse_fetch(); !done) return base::fail(done.error());
    if (auto done = parse_converters(); !done) return base::fail(done.error());
    std::size_t used = whole.size() - rest_.size();
    made_->source_ = whole.substr(0, used);
    if (consumed != nullptr) *consumed = used;
    return std::move(made_);
  }

 private:
  // A blank or a bracket ends the expression; whoever called knows what may follow.
  bool at_end() const {
    return rest_.empty() || rest_.front() == ' ' || rest_.front() == '\t' || rest_.front() == ']' ||
           rest_.front() == ')';
  }

  base::Result<void> parse_fetch() {
    std::string_view name = take_name(rest_);
    if (name.empty()) return base::fail(std::string("missing fetch method"));
    const FetchRow* row = context_.catalogue.fetch(name);
    if (row == nullptr)
      return base::fail(with_hint(fmt::format("unknown fetch method '{}'", name),
                                  context_.catalogue.nearest_fetch(name)));
    made_->fetch_ = row;
    made_->type_ = row->out;
    made_->args_ = std::make_shared<std::vector<Argument>>();
    std::string error;
    unsigned index = 0;
    ArgumentOwner owner{fmt::format("sample fetch keyword '{}'", name), at_};
    if (!parse_arguments(rest_, row->arguments, context_, owner, made_->args_, error, index))
      return base::fail(index == 0
                            ? fmt::format("invalid args in fetch method '{}' : {}", name, error)
                            : fmt::format("fetch method '{}' : {}", name, error));
    bool good = row->check == nullptr || row->check(*made_->args_, error);
    if (good && row->check_in_context != nullptr)
      good = row->check_in_context(*made_->args_, context_, *row, error);
    if (!good)
      return base::fail(fmt::format("invalid args in fetch method '{}' : {}", name, error));
    if (!at_end() && rest_.front() != ',')
      return base::fail(std::string("missing comma after fetch keyword"));
    return {};
  }

  base::Result<void> parse_converters() {
    std::string_view before = made_->fetch_->name;
    while (!rest_.empty() && rest_.front() == ',') {
      while (!rest_.empty() && rest_.front() == ',') rest_.remove_prefix(1);
      if (at_end()) break;
      std::string_view name = take_name(rest_);
      const ConverterRow* row = context_.catalogue.converter(name);
      if (row == nullptr)
        return base::fail(with_hint(fmt::format("unknown converter '{}'", name),
                                    context_.catalogue.nearest_converter(name)));
      if (auto done = parse_converter(*row); !done) return done;
      before = name;
      if (!at_end() && rest_.front() != ',')
        return base::fail(fmt::format("missing comma after converter '{}'", before));
    }
    return {};
  }

  base::Result<void> parse_converter(const ConverterRow& row) {
    if (!castable(made_->type_, row.in))
      return base::fail(fmt::format("converter '{}' cannot be applied", row.name));
    Expression::Step step{&row, std::make_shared<std::vector<Argument>>()};
    std::string error;
    unsigned index = 0;
    ArgumentOwner owner{fmt::format("conversion keyword '{}' for sample fetch keyword '{}'",
                                    row.name, made_->fetch_->name),
                        at_};
    if (!parse_arguments(rest_, row.arguments, context_, owner, step.args, error, index))
      return base::fail(
          index == 0
              ? fmt::format("invalid args in converter '{}' : {}", row.name, error)
              : fmt::format("invalid arg {} in converter '{}' : {}", index, row.name, error));
    if (row.check != nullptr && !row.check(*step.args, context_, row, error))
      return base::fail(fmt::format("invalid args in converter '{}' : {}", row.name, error));
    if (!row.same_type) made_->type_ = row.out;
    made_->steps_.push_back(std::move(step));
    return {};
  }

  std::string_view rest_;
  ParseContext& context_;
  config::Position at_;
  std::unique_ptr<Expression> made_;
};

base::Result<std::unique_ptr<Expression>> Expression::parse(std::string_view text,
                                                            ParseContext& context,
                                                            config::Position at,
                                                            std::size_t* consumed) {
  return ExpressionParser(text, context, at).parse(consumed);
}

bool Expression::evaluate(Context& context, Value& out) const {
  out = {};
  return fetch_->fetch(*args_, context, out, *fetch_) && convert(context, out);
}

bool Expression::convert(Context& context, Value& value) const {
  for (const Step& step : steps_) {
    if (!cast(value, step.row->in, context.arena)) return false;
    if (!step.row->convert(*step.args, context, value, *step.row)) return false;
  }
  return value.type != Type::any;
}

bool Expression::evaluate_text(Context& context, std::string_view& out) const {
  Value value;
  if (!evaluate(context, value) || !cast(value, Type::string, context.arena)) return false;
  out = value.text;
  return true;
}

std::string Expression::unavailable(const ParseContext& context) const {
  if ((fetch_->where & context.available) != 0) return {};
  return fmt::format(
      "sample fetch <{}> may not be reliably used here because it needs '{}' which is not "
      "available "
      "here.",
      source_, describe_sources(fetch_->where));
}

}  // namespace expr

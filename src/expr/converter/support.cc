#include "expr/converter/support.h"

#include <fmt/format.h>

namespace expr::converter {

bool number_of(const Argument& argument, Context& context, std::int64_t& out) {
  if (!argument.is_variable()) {
    out = argument.integer();
    return true;
  }
  Value value;
  if (!get_variable(context, argument.variable(), value)) return false;
  if (!cast(value, Type::integer, context.arena)) return false;
  out = value.integer;
  return true;
}

bool variable_text(state::VariableName name, Context& context, std::string_view& out) {
  Value value;
  if (!get_variable(context, name, value)) return false;
  if (!cast(value, Type::string, context.arena)) return false;
  out = value.text;
  return true;
}

bool text_of(const Argument& argument, Context& context, std::string_view& out) {
  if (argument.is_variable()) return variable_text(argument.variable(), context, out);
  out = argument.text();
  return true;
}

bool to_variable(Argument& argument, std::string& error) {
  const std::string text = argument.text();
  if (text.empty()) {
    argument.value = std::monostate();
    return true;
  }
  auto name = state::parse_variable(text);
  if (!name) {
    error = fmt::format("failed to register variable name '{}'", text);
    return false;
  }
  argument.value = *name;
  return true;
}

bool check_number(std::vector<Argument>& args, ParseContext&, const config::Keyword&,
                  std::string& error) {
  for (const Argument& argument : args) {
    if (!std::holds_alternative<std::string>(argument.value)) continue;
    error = "expects an integer or a variable name";
    return false;
  }
  return true;
}

}  // namespace expr::converter

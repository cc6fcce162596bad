// Variables set and unset on the way through an expression (manual sections 2.8 and 7.3.1).
#include <fmt/format.h>

#include <array>

#include "expr/converter/support.h"
#include "expr/converter/tables.h"

namespace expr::converter {
namespace {

struct Condition {
  std::string_view name;
  enum Bit : std::uint32_t {
    exists = 1,
    not_exists = 2,
    empty = 4,
    not_empty = 8,
    set = 16,
    not_set = 32,
    greater = 64,
    less = 128
  } bit;
};
constexpr std::array<Condition, 8> kConditions{{{"ifexists", Condition::exists},
                                                {"ifnotexists", Condition::not_exists},
                                                {"ifempty", Condition::empty},
                                                {"ifnotempty", Condition::not_empty},
                                                {"ifset", Condition::set},
                                                {"ifnotset", Condition::not_set},
                                                {"ifgt", Condition::greater},
                                                {"iflt", Condition::less}}};

bool holds(std::uint32_t conditions, state::VariableName name, Context& context,
           const Value& value) {
  Value present;
  bool is_set = get_variable(context, name, present);
  bool exists = is_set || name.scope == state::Scope::process;
  if ((conditions & Condition::exists) && !exists) return false;
  if ((conditions & Condition::not_exists) && exists) return false;
  bool is_text = value.type == Type::string || value.type == Type::binary;
  bool is_empty = is_text && value.text.empty();
  if ((conditions & Condition::empty) && !is_empty) return false;
  if ((conditions & Condition::not_empty) && is_empty) return false;
  if ((conditions & Condition::set) && !is_set) return false;
  if ((conditions & Condition::not_set) && is_set) return false;
  bool comparable = is_set && present.type == Type::integer && value.type == Type::integer;
  if ((conditions & Condition::greater) && comparable && present.integer <= value.integer)
    return false;
  return !((conditions & Condition::less) && comparable && present.integer >= value.integer);
}

bool set_var(Args args, Context& context, Value& value, const ConverterRow&) {
  auto conditions = static_cast<std::uint32_t>(integer_or(args, 1, 0));
  state::VariableName name = args[0].variable();
  if (conditions != 0 && !holds(conditions, name, context, value)) return false;
  return set_variable(context, name, value);
}

bool unset_var(Args args, Context& context, Value&, const ConverterRow&) {
  unset_variable(context, args[0].variable());
  return true;
}

bool check_set_var(std::vector<Argument>& args, ParseContext&, const config::Keyword&,
                   std::string& error) {
  std::uint32_t bits = 0;
  for (std::size_t i = 1; i < args.size(); ++i) {
    std::uint32_t bit = 0;
    for (const Condition& c : kConditions)
      if (c.name == args[i].text()) bit = c.bit;
    if (bit == 0) {
      error = fmt::format("unknown condition \"{}\"", args[i].text());
      return false;
    }
    bits |= bit;
  }
  args.resize(2);
  args[1].value = std::int64_t{bits};
  return true;
}

constexpr ConverterRow kRows[] = {
    {{"set-var", "V[ssss",
      "Sets a variable to the sample and passes it on, under conditions if given."},
     Type::any,
     Type::any,
     set_var,
     check_set_var},
    {{"unset-var", "V", "Unsets a variable and passes the sample on."},
     Type::any,
     Type::any,
     unset_var},
};

}  // namespace

std::span<const ConverterRow> variable_converters() { return kRows; }

}  // namespace expr::converter

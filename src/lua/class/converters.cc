// Converters: every converter as a method that takes the value first. Two classes: results as they
// are (c) and as strings (sc).
#include "expr/expression.h"
#include "lua/class/all.h"
#include "lua/class/samples.h"
#include "lua/engine.h"
#include "lua/stack.h"
#include "lua/value.h"

namespace lua {

namespace {

bool convert(lua_State* L, Call& call, const expr::ConverterRow& row, expr::Args args,
             state::Value& value) {
  expr::Context& context = *call.context();
  value = to_value(L, 2, context.arena);
  if (row.in != state::Type::any && value.type != row.in &&
      !expr::cast(value, row.in, context.arena))
    raise(L, "error during the input conversion");
  const bool incomplete = context.incomplete;
  const bool converted = row.convert(args, context, value, row);
  context.incomplete = incomplete;
  return converted;
}

template <Class kind>
int call_converter(lua_State* L) {
  const auto& row = *static_cast<const expr::ConverterRow*>(lua_touserdata(L, lua_upvalueindex(1)));
  Call& call = check_call(L, 1, kind);
  luaL_checkany(L, 2);
  const expr::Args args = call.state().arguments.compile(L, call, row, 3);
  state::Value value;
  const bool found = convert(L, call, row, args, value);
  if constexpr (kind == Class::string_converters)
    push_value_text(L, found ? value : state::Value{});
  else
    push_value(L, found ? value : state::Value{});
  return 1;
}

}  // namespace

void define_converters(lua_State* L) {
  const auto rows = State::of(L).engine().environment().samples.all_converters();
  define_samples(L, Class::converters, "Converters", rows, &call_converter<Class::converters>);
  define_samples(L, Class::string_converters, "Converters", rows,
                 &call_converter<Class::string_converters>);
}

}  // namespace lua

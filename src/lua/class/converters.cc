// Converters: every converter as a method that takes the value first. Two classes: results as they
// are (c) and as strings (sc).
#include "expr/expression.h"
#include "lua/class/all.h"
#include "lua/engine.h"
#include "lua/stack.h"
#include "lua/value.h"

namespace lua {

namespace {

bool convert(lua_State* L, Call& call, const expr::ConverterRow& row, state::Value& value) {
  expr::Context& context = *call.context();
  const auto compiled = call.state().arguments.compile(L, call, row, 3);
  value = to_value(L, 2, context.arena);
  if (row.in != state::Type::any && value.type != row.in &&
      !expr::cast(value, row.in, context.arena))
    raise(L, "error during the input conversion");
  const bool incomplete = context.incomplete;
  const bool converted = row.convert(*compiled, context, value, row);
  context.incomplete = incomplete;
  return converted;
}

template <Class kind>
int call_converter(lua_State* L) {
  const auto& row = *static_cast<const expr::ConverterRow*>(lua_touserdata(L, lua_upvalueindex(1)));
  Call& call = check_call(L, 1, kind);
  luaL_checkany(L, 2);
  state::Value value;
  const bool found = convert(L, call, row, value);
  if constexpr (kind == Class::string_converters)
    push_value_text(L, found ? value : state::Value{});
  else
    push_value(L, found ? value : state::Value{});
  return 1;
}

void fill(lua_State* L, Class id, lua_CFunction function) {
  State& state = State::of(L);
  state.define(L, {.id = id, .name = "Converters", .methods = {}});
  state.push_class(L, id);
  lua_getfield(L, -1, "__index");
  for (const expr::ConverterRow* row : state.engine().environment().samples.all_converters()) {
    std::string name(row->name);
    if (name.starts_with("lua.")) continue;
    for (char& c : name)
      if (c == '.' || c == '-' || c == '+') c = '_';
    lua_pushlightuserdata(L, const_cast<expr::ConverterRow*>(row));
    lua_pushcclosure(L, function, 1);
    lua_setfield(L, -2, name.c_str());
  }
  lua_pop(L, 2);
}

}  // namespace

void define_converters(lua_State* L) {
  fill(L, Class::converters, &call_converter<Class::converters>);
  fill(L, Class::string_converters, &call_converter<Class::string_converters>);
}

}  // namespace lua

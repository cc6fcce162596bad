// "lua.x" as a sample fetch and as a converter.
#include <fmt/format.h>

#include "lua/engine.h"
#include "lua/object.h"
#include "lua/register.h"
#include "lua/stack.h"
#include "lua/value.h"

namespace lua {

namespace {

// Up to so many arguments in a configuration.
constexpr const char* kSignature = "[sssssssss";

void push_arguments(lua_State* L, expr::Args args) {
  luaL_checkstack(L, static_cast<int>(args.size()), "too many arguments");
  for (const expr::Argument& argument : args)
    if (argument.present()) push(L, argument.text());
}

// The result of the function on top of the stack, or what core.done() was given.
bool take_result(Call& call, lua_State* L, int before, expr::Context& context, state::Value& out) {
  if (lua_gettop(L) == before) return false;
  out = to_value(L, before + 1, context.arena);
  return static_cast<bool>(out) && call.ending() == Ending::none;
}

bool take_done(Call& call, expr::Context& context, state::Value& out) {
  bool found = false;
  if (call.done_reference == LUA_NOREF) return false;
  lua_State* L = call.thread();
  lua_rawgeti(L, LUA_REGISTRYINDEX, call.done_reference);
  // A string or number here needs no memory of Lua's.
  if (lua_type(L, -1) != LUA_TNUMBER || lua_isinteger(L, -1)) {
    out = to_value(L, -1, context.arena);
    found = true;
  }
  lua_pop(L, 1);
  return found;
}

bool run_fetch(expr::Args args, expr::Context& context, state::Value& out,
               const expr::FetchRow& row) {
  const auto& function = *static_cast<const Function*>(row.data);
  Call call(function, &context);
  bool found = false;
  const bool good = call.protect([&](lua_State* L) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, function.reference(call.state()));
    push_txn(L, call);
    push_arguments(L, args);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    found = take_result(call, L, 0, context, out);
  });
  finish_subject(call);
  if (good && call.ending() == Ending::done) return take_done(call, context, out);
  return good && found;
}

bool run_converter(expr::Args args, expr::Context& context, state::Value& inout,
                   const expr::ConverterRow& row) {
  const auto& function = *static_cast<const Function*>(row.data);
  Call call(function, &context);
  bool found = false;
  const bool good = call.protect([&](lua_State* L) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, function.reference(call.state()));
    push_value(L, inout);
    push_arguments(L, args);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    found = take_result(call, L, 0, context, inout);
  });
  if (good && call.ending() == Ending::done) return take_done(call, context, inout);
  return good && found;
}

}  // namespace

void add_fetch(Engine& engine, Function& function) {
  expr::FetchRow row;
  const std::string name = "lua." + function.name;
  row.name = name;
  row.arguments = kSignature;
  row.doc = "A function of a Lua script.";
  row.out = state::Type::string;
  // Not for the sake of a stream's bytes: an HTTP proxy gets no warning.
  row.where = ~(expr::kRequestL6 | expr::kResponseL6);
  row.fetch = &run_fetch;
  row.data = &function;
  engine.environment().samples.add(row);
}

void add_converter(Engine& engine, Function& function) {
  expr::ConverterRow row;
  const std::string name = "lua." + function.name;
  row.name = name;
  row.arguments = kSignature;
  row.doc = "A function of a Lua script.";
  row.in = state::Type::string;
  row.out = state::Type::string;
  row.convert = &run_converter;
  row.data = &function;
  engine.environment().samples.add(row);
}

}  // namespace lua

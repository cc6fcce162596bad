// Concat: text that grows without making garbage of what it was.
#include "lua/box.h"
#include "lua/class/all.h"

namespace lua {

namespace {

int concat_add(lua_State* L) {
  lua_settop(L, 2);
  auto& text = check_boxed<std::string>(L, 1, Class::concat);
  text += check_text(L, 2);
  return 0;
}

int concat_dump(lua_State* L) {
  push(L, check_boxed<std::string>(L, 1, Class::concat));
  return 1;
}

int concat_print(lua_State* L) {
  lua_pushfstring(L, "Concat object: %p", lua_topointer(L, 1));
  return 1;
}

constexpr luaL_Reg kMethods[] = {{"add", concat_add}, {"dump", concat_dump}};

}  // namespace

int core_concat(lua_State* L) {
  push_boxed<std::string>(L, Class::concat);
  return 1;
}

void define_concat(lua_State* L) {
  State& state = State::of(L);
  state.define(L, {.id = Class::concat, .name = "Concat", .methods = kMethods});
  state.push_class(L, Class::concat);
  lua_pushcfunction(L, &concat_print);
  lua_setfield(L, -2, "__tostring");
  lua_pop(L, 1);
}

}  // namespace lua

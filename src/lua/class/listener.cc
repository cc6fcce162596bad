// Listener: what one bind line's address counted.
#include "lua/class/all.h"
#include "lua/class/server.h"
#include "lua/class/stats.h"
#include "lua/stack.h"

namespace lua {

namespace {

const void* member(lua_State* L, int index) {
  lua_rawgeti(L, 1, index);
  const void* out = lua_islightuserdata(L, -1) ? lua_touserdata(L, -1) : nullptr;
  lua_pop(L, 1);
  if (out == nullptr) luaL_argerror(L, 1, "the listener is gone");
  return out;
}

int listener_get_stats(lua_State* L) {
  if (!State::of(L).is(L, 1, Class::listener))
    luaL_argerror(L, 1, "not an object of the class that this function belongs to");
  push_listener_stats(L, *static_cast<const state::Proxy*>(member(L, 2)),
                      *static_cast<const state::ListenerState*>(member(L, 1)));
  return 1;
}

constexpr luaL_Reg kMethods[] = {{"get_stats", listener_get_stats}};

}  // namespace

void push_listener(lua_State* L, const state::Proxy& proxy, const state::ListenerState& listener) {
  lua_createtable(L, 2, 0);
  lua_pushlightuserdata(L, const_cast<state::ListenerState*>(&listener));
  lua_rawseti(L, -2, 1);
  lua_pushlightuserdata(L, const_cast<state::Proxy*>(&proxy));
  lua_rawseti(L, -2, 2);
  State::of(L).set_class(L, Class::listener);
}

void define_listener(lua_State* L) {
  State::of(L).define(L, {.id = Class::listener, .name = "Listener", .methods = kMethods});
}

}  // namespace lua

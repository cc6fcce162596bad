// Objects of the API with a C++ part: a table of its class whose first element is a userdata that
// owns the part. Freed by Lua's collector, on whatever worker that happens.
#pragma once

#include <lua.hpp>
#include <utility>

#include "lua/stack.h"
#include "lua/state.h"

namespace lua {

template <class T>
struct Box {
  T* object;

  static inline const char kKey = 0;

  static int collect(lua_State* L) {
    auto* box = static_cast<Box*>(lua_touserdata(L, 1));
    delete std::exchange(box->object, nullptr);
    return 0;
  }

  // __gc of the class itself, for those that have one.
  static int collect_object(lua_State* L) {
    lua_rawgeti(L, 1, 1);
    if (is(L, -1)) delete std::exchange(static_cast<Box*>(lua_touserdata(L, -1))->object, nullptr);
    return 0;
  }

  static bool is(lua_State* L, int index) {
    if (lua_type(L, index) != LUA_TUSERDATA || lua_getmetatable(L, index) == 0) return false;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &kKey);
    const bool same = lua_rawequal(L, -1, -2) != 0;
    lua_pop(L, 2);
    return same;
  }
};

// A new object, on top of the stack.
template <class T, class... Args>
T& push_boxed(lua_State* L, Class id, Args&&... args) {
  lua_createtable(L, 1, 0);
  auto* box = static_cast<Box<T>*>(lua_newuserdatauv(L, sizeof(Box<T>), 0));
  box->object = nullptr;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &Box<T>::kKey) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, &Box<T>::collect);
    lua_setfield(L, -2, "__gc");
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &Box<T>::kKey);
  }
  lua_setmetatable(L, -2);
  box->object = new T(std::forward<Args>(args)...);
  lua_rawseti(L, -2, 1);
  State::of(L).set_class(L, id);
  return *box->object;
}

template <class T>
T& check_boxed(lua_State* L, int index, Class id) {
  if (!State::of(L).is(L, index, id))
    luaL_argerror(L, index, "not an object of the class that this function belongs to");
  lua_rawgeti(L, index, 1);
  T* object = Box<T>::is(L, -1) ? static_cast<Box<T>*>(lua_touserdata(L, -1))->object : nullptr;
  lua_pop(L, 1);
  if (object == nullptr) luaL_argerror(L, index, "the object is gone");
  return *object;
}

}  // namespace lua

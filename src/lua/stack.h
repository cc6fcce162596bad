// Small helpers around the Lua stack. All of them may raise (throw) as the Lua API does.
#pragma once

#include <algorithm>
#include <charconv>
#include <lua.hpp>
#include <span>
#include <string_view>

namespace lua {

inline std::string_view check_text(lua_State* L, int index) {
  std::size_t size = 0;
  const char* text = luaL_checklstring(L, index, &size);
  return {text, size};
}
// Without a Lua string for an integer, which is written into `room`.
inline std::string_view check_text(lua_State* L, int index, std::span<char> room) {
  if (lua_isinteger(L, index) == 0) return check_text(L, index);
  const auto end = std::to_chars(room.data(), room.data() + room.size(), lua_tointeger(L, index));
  return {room.data(), end.ptr};
}
inline std::string_view to_text(lua_State* L, int index) {
  std::size_t size = 0;
  const char* text = lua_tolstring(L, index, &size);
  return text == nullptr ? std::string_view() : std::string_view(text, size);
}
inline void push(lua_State* L, std::string_view text) {
  lua_pushlstring(L, text.data(), text.size());
}
// A time in milliseconds: what is longer than thirty years, either way, is thirty years, so that it
// can be counted in nanoseconds.
inline lua_Integer check_milliseconds(lua_State* L, int index) {
  constexpr lua_Integer kMost = 1'000'000'000'000;
  return std::clamp(luaL_checkinteger(L, index), -kMost, kMost);
}
[[noreturn]] void raise(lua_State* L, std::string_view message);

// Arguments are counted with the object of a method.
inline void check_count(lua_State* L, int count, const char* name) {
  if (lua_gettop(L) != count) luaL_error(L, "'%s' needs %d arguments", name, count);
}
inline void check_count(lua_State* L, int low, int high, const char* name) {
  if (lua_gettop(L) < low || lua_gettop(L) > high)
    luaL_error(L, "'%s' needs between %d and %d arguments", name, low, high);
}

inline void set_field(lua_State* L, const char* name, std::string_view value) {
  push(L, value);
  lua_setfield(L, -2, name);
}
inline void set_field(lua_State* L, const char* name, lua_Integer value) {
  lua_pushinteger(L, value);
  lua_setfield(L, -2, name);
}
inline void set_flag(lua_State* L, const char* name, bool value) {
  lua_pushboolean(L, value);
  lua_setfield(L, -2, name);
}

}  // namespace lua

// Fetches and Converters: every keyword of a kind as a method of its class.
#pragma once

#include <lua.hpp>
#include <string>
#include <vector>

#include "lua/state.h"

namespace lua {

// "req.hdr" is req_hdr.
inline std::string script_name(std::string_view keyword) {
  std::string name(keyword);
  for (char& c : name)
    if (c == '.' || c == '-' || c == '+') c = '_';
  return name;
}

// `function` finds its row in its first upvalue.
template <class Row>
void define_samples(lua_State* L, Class id, const char* name, const std::vector<const Row*>& rows,
                    lua_CFunction function) {
  State& state = State::of(L);
  state.define(L, {.id = id, .name = name, .methods = {}});
  state.push_class(L, id);
  lua_getfield(L, -1, "__index");
  for (const Row* row : rows) {
    if (row->name.starts_with("lua.")) continue;
    lua_pushlightuserdata(L, const_cast<Row*>(row));
    lua_pushcclosure(L, function, 1);
    lua_setfield(L, -2, script_name(row->name).c_str());
  }
  lua_pop(L, 2);
}

}  // namespace lua

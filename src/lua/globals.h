// Which globals the functions of a script set when they run, read from its compiled form: in a
// state that all workers share, such a variable changes under whoever waits. Pure.
#pragma once

#include <lua.hpp>
#include <string>
#include <vector>

namespace lua {

struct GlobalWrite {
  std::string name;
  std::string function;  // "function at line 3"
  int line;
};

// Of the Lua function on top of the stack, without what its main chunk does while it loads.
std::vector<GlobalWrite> find_global_writes(lua_State* L);

}  // namespace lua

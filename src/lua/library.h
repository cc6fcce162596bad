// Functions of Lua's standard libraries that must know of calls and waits.
#pragma once

#include <lua.hpp>

namespace lua {

// coroutine.resume and coroutine.wrap: the slices of a call reach into its coroutines, and a call
// that has ended does not go on behind one. io and os: see blocking.cc.
void replace_library_functions(lua_State* L);
void replace_blocking_functions(lua_State* L);

}  // namespace lua

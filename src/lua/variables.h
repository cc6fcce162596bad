// Variables by the names that scripts use ("txn.user"), for TXN, the applets and core.get_var().
#pragma once

#include <lua.hpp>
#include <string_view>

#include "lua/call.h"

namespace lua {

// Pushes the value or nil.
void push_variable(lua_State* L, Call& call, std::string_view name);
// False when the name is not valid or there is no such scope here.
bool set_variable(Call& call, std::string_view name, const state::Value& value, bool only_if_known);
bool unset_variable(Call& call, std::string_view name);

// The three methods as scripts call them, behind the object at index 1.
int get_var(lua_State* L, Call& call);
int set_var(lua_State* L, Call& call);
int unset_var(lua_State* L, Call& call);

}  // namespace lua

// What a script keeps with a transaction (TXN.set_priv, applets alike): one value for each state,
// in the exchange, freed with it.
#pragma once

#include <lua.hpp>

#include "lua/call.h"

namespace lua {

int get_priv(lua_State* L, Call& call);  // pushes it or nil
int set_priv(lua_State* L, Call& call);  // of index 2

}  // namespace lua

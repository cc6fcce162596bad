// Samples to Lua values and back, as the manual's chapter on the TXN class and
// tune.lua.bool-sample-conversion describe it.
#pragma once

#include <lua.hpp>

#include "base/arena.h"
#include "state/value.h"

namespace lua {

// Pushes nil for no value.
void push_value(lua_State* L, const state::Value& value);
// Always a string, empty for no value ("sf", "sc").
void push_value_text(lua_State* L, const state::Value& value);
// Text is a view of the Lua string: it lives as long as that stays on the stack. What has no
// counterpart (nil, tables …) becomes false.
state::Value to_value(lua_State* L, int index);
// As above with the text copied.
state::Value to_value(lua_State* L, int index, base::Arena& arena);

}  // namespace lua

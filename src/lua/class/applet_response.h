// The headers of an applet's answer, on their way from the script.
#pragma once

#include <lua.hpp>
#include <string_view>

#include "lua/applet.h"

namespace lua {

// The "response" of the applet: a table of its own, with what was added until now.
void push_response(lua_State* L, HttpApplet& applet);
// The applet is at index 1 of the stack.
void add_to_response(lua_State* L, Call& call, HttpApplet& applet, std::string_view name,
                     std::string_view value);
// Takes into the head what the script made of the headers, also where it put a table of its own
// in their place; raises where they are none.
void take_response(lua_State* L, Call& call, HttpApplet& applet);

}  // namespace lua

// core.register_*: what a script adds to the configuration's language and to the process. While
// scripts load only, except for tasks.
#pragma once

#include <lua.hpp>

#include "lua/call.h"

namespace lua {

int register_fetches(lua_State* L);
int register_converters(lua_State* L);
int register_action(lua_State* L);
int register_service(lua_State* L);
int register_init(lua_State* L);
int register_task(lua_State* L);
int register_cli(lua_State* L);

// The function at `index` under `label` (and `places`, for actions): a new one, or the one that is
// there already, with this state's reference set (`again`).
Function& keep_function(lua_State* L, int index, Kind kind, std::string name, std::string label,
                        bool& again, std::uint16_t places = 0);

// Rows that call the function; one file each.
void add_fetch(Engine& engine, Function& function);
void add_converter(Engine& engine, Function& function);
void add_action(Engine& engine, Function& function, std::uint16_t places);
void add_service(Engine& engine, Function& function, bool http);

// Raises where the script is loaded already.
void require_body(lua_State* L, const char* name);

// Starts the function at `index` with the `count` values above it as a fiber of this worker, or,
// while scripts load, when tasks start.
void start_task(lua_State* L, int index, int count);

}  // namespace lua

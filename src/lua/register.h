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

// The function at `index` under `label`: a new one, or, when another worker's state registers the
// same name, the one that is there already, with this state's reference added (`again`).
Function& keep_function(lua_State* L, int index, Kind kind, std::string name, std::string label,
                        bool& again);

// Rows that call the function; one file each.
void add_fetch(Engine& engine, Function& function);
void add_converter(Engine& engine, Function& function);
void add_action(Engine& engine, Function& function, std::uint16_t places);
void add_service(Engine& engine, Function& function, bool http);

// Starts the function at `index` with the `count` values above it as a fiber of this worker, or,
// while scripts load, when tasks start.
void start_task(lua_State* L, int index, int count);

}  // namespace lua

// Lines that scripts log: to the loggers of the proxy or of the process, to stderr, or both
// (tune.lua.log.loggers, tune.lua.log.stderr).
#pragma once

#include <lua.hpp>
#include <string_view>

#include "lua/engine.h"

namespace lua {

void log_line(Engine& engine, const state::Proxy* proxy, obs::Level level, std::string_view text);
// The level at `index`; raises when it is none.
obs::Level check_level(lua_State* L, int index);

}  // namespace lua

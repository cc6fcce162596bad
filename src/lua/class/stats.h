// Statistics of proxies, servers and listeners as tables by column name (management manual, section
// 9.1), for get_stats().
#pragma once

#include <lua.hpp>

#include "state/proxy.h"

namespace lua {

void push_frontend_stats(lua_State* L, const state::Proxy& proxy);
void push_backend_stats(lua_State* L, const state::Proxy& proxy);
void push_server_stats(lua_State* L, const state::Server& server);
void push_listener_stats(lua_State* L, const state::Proxy& proxy,
                         const state::ListenerState& listener);

}  // namespace lua

// What the classes of proxies, servers and listeners offer each other.
#pragma once

#include <lua.hpp>

#include "state/proxy.h"
#include "state/stick_table.h"

namespace lua {

void push_proxy(lua_State* L, const state::Proxy& proxy);
void push_server(lua_State* L, const state::Server& server);
void push_server_list(lua_State* L, const state::Proxy& proxy);
void push_listener(lua_State* L, const state::Proxy& proxy, const state::ListenerState& listener);
void push_stick_table(lua_State* L, const state::StickTable& table);
int proxy_shut_backup_sessions(lua_State* L);

// Lua's own next(), whatever a script did to the global.
void push_next(lua_State* L);
// The object of this state that stands for `of`, from the registry table at `cache`; true when it
// was there, else it is new and without a class. Its first element is the address.
bool push_cached(lua_State* L, const void* cache, const void* of);

}  // namespace lua

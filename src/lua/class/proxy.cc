// Proxy and the lists core.proxies, core.frontends, core.backends. Objects are made once for each
// state: scripts walk all backends for every request.
#include "lua/class/all.h"
#include "lua/class/server.h"
#include "lua/class/stats.h"
#include "lua/engine.h"
#include "lua/stack.h"

namespace lua {

namespace {

state::Proxy& self(lua_State* L) {
  if (!State::of(L).is(L, 1, Class::proxy))
    luaL_argerror(L, 1, "not an object of the class that this function belongs to");
  lua_rawgeti(L, 1, 1);
  auto* proxy =
      lua_islightuserdata(L, -1) ? static_cast<state::Proxy*>(lua_touserdata(L, -1)) : nullptr;
  lua_pop(L, 1);
  if (proxy == nullptr) luaL_argerror(L, 1, "the proxy is gone");
  return *proxy;
}

int proxy_get_name(lua_State* L) {
  push(L, self(L).name);
  return 1;
}

int proxy_get_uuid(lua_State* L) {
  push(L, self(L).uuid());
  return 1;
}

int proxy_pause(lua_State* L) {
  self(L).paused = true;
  return 0;
}

int proxy_resume(lua_State* L) {
  self(L).paused = false;
  return 0;
}

int proxy_stop(lua_State* L) {
  self(L).disabled = true;
  return 0;
}

int proxy_get_cap(lua_State* L) {
  switch (self(L).capabilities & (state::kFrontend | state::kBackend)) {
    case state::kFrontend:
      lua_pushliteral(L, "frontend");
      break;
    case state::kBackend:
      lua_pushliteral(L, "backend");
      break;
    case state::kFrontend | state::kBackend:
      lua_pushliteral(L, "proxy");
      break;
    default:
      lua_pushliteral(L, "ruleset");
      break;
  }
  return 1;
}

int proxy_get_mode(lua_State* L) {
  push(L, state::name_of(self(L).mode));
  return 1;
}

int count_servers(lua_State* L, bool backup) {
  lua_Integer count = 0;
  for (const auto& server : self(L).servers) count += server->usable() && server->backup == backup;
  lua_pushinteger(L, count);
  return 1;
}
int proxy_get_srv_act(lua_State* L) { return count_servers(L, false); }
int proxy_get_srv_bck(lua_State* L) { return count_servers(L, true); }

int proxy_get_stats(lua_State* L) {
  const state::Proxy& proxy = self(L);
  if ((proxy.capabilities & state::kBackend) != 0)
    push_backend_stats(L, proxy);
  else
    push_frontend_stats(L, proxy);
  return 1;
}

int proxy_get_mailers(lua_State* L) {
  const state::EmailAlert* alert = self(L).email_alert.get();
  if (alert == nullptr) {
    lua_pushnil(L);
    return 1;
  }
  lua_createtable(L, 0, 7);
  set_flag(L, "track_server_health", alert->health_checks);
  set_field(L, "log_level", static_cast<lua_Integer>(alert->level));
  set_field(L, "mailservers_timeout", lua_Integer{alert->mailers->timeout_ms});
  set_field(L, "smtp_hostname", alert->host);
  set_field(L, "smtp_from", alert->from);
  set_field(L, "smtp_to", alert->to);
  lua_newtable(L);
  for (const state::Mailer& mailer : alert->mailers->mailers)
    set_field(L, mailer.name.c_str(), mailer.address_text);
  lua_setfield(L, -2, "mailservers");
  return 1;
}

// Reads a member into the object, so that the next time it is simply there.
int keep(lua_State* L) {
  lua_pushvalue(L, 2);
  lua_pushvalue(L, -2);
  lua_rawset(L, 1);
  return 1;
}

void push_listeners(lua_State* L, const state::Proxy& proxy) {
  lua_createtable(L, 0, static_cast<int>(proxy.listeners.size()));
  for (const auto& listener : proxy.listeners) {
    push_listener(L, proxy, *listener);
    lua_setfield(L, -2, listener->name.c_str());
  }
}

int proxy_index(lua_State* L) {
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return keep(L);
  lua_pop(L, 1);
  state::Proxy& proxy = self(L);
  const std::string_view key = to_text(L, 2);
  const bool complete = !State::of(L).engine().loading();
  if (key == "name") {
    push(L, proxy.name);
  } else if (key == "uuid") {
    push(L, proxy.uuid());
  } else if (key == "servers") {
    push_server_list(L, proxy);
  } else if (key == "stktable") {
    const state::Registry& registry = State::of(L).engine().environment().registry;
    const state::StickTable* table = registry.tables().find(proxy.name);
    if (table == nullptr) return 0;
    push_stick_table(L, *table);
  } else if (key == "listeners") {
    push_listeners(L, proxy);
    if (!complete) return 1;
  } else {
    return 0;
  }
  return keep(L);
}

int proxy_collect(lua_State*) { return 0; }  // scripts of the reference see that there is one

constexpr luaL_Reg kMethods[] = {{"get_name", proxy_get_name},
                                 {"get_uuid", proxy_get_uuid},
                                 {"pause", proxy_pause},
                                 {"resume", proxy_resume},
                                 {"stop", proxy_stop},
                                 {"shut_bcksess", proxy_shut_backup_sessions},
                                 {"get_cap", proxy_get_cap},
                                 {"get_mode", proxy_get_mode},
                                 {"get_srv_act", proxy_get_srv_act},
                                 {"get_srv_bck", proxy_get_srv_bck},
                                 {"get_stats", proxy_get_stats},
                                 {"get_mailers", proxy_get_mailers}};

const char kProxies = 0;  // registry: objects by address

// --- lists

// The table of all proxies of the list at index 1 by name; kept once all are known, out of sight.
void push_members(lua_State* L) {
  if (!State::of(L).is(L, 1, Class::proxy_list))
    luaL_argerror(L, 1, "not an object of the class that this function belongs to");
  lua_rawgeti(L, 1, 0);
  if (lua_type(L, -1) != LUA_TUSERDATA || lua_rawlen(L, -1) != sizeof(std::uint8_t))
    luaL_argerror(L, 1, "the list is gone");
  const std::uint8_t capabilities = *static_cast<const std::uint8_t*>(lua_touserdata(L, -1));
  if (lua_getiuservalue(L, -1, 1) == LUA_TTABLE) {
    lua_remove(L, -2);
    return;
  }
  lua_pop(L, 1);
  const Engine& engine = State::of(L).engine();
  const auto& proxies = engine.environment().registry.proxies();
  lua_createtable(L, 0, static_cast<int>(proxies.size()));
  for (const auto& proxy : proxies) {
    if ((proxy->capabilities & capabilities) == 0) continue;
    push_proxy(L, *proxy);
    lua_setfield(L, -2, proxy->name.c_str());
  }
  if (!engine.loading()) {
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, -3, 1);
  }
  lua_remove(L, -2);
}

int list_index(lua_State* L) {
  push_members(L);
  lua_pushvalue(L, 2);
  lua_rawget(L, -2);
  return 1;
}

int ignore_assignment(lua_State*) { return 0; }

int list_pairs(lua_State* L) {
  push_next(L);
  push_members(L);
  lua_pushnil(L);
  return 3;
}

}  // namespace

void push_next(lua_State* L) {
  static const char key = 0;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &key) == LUA_TFUNCTION) return;
  lua_pop(L, 1);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_getfield(L, -1, LUA_GNAME);
  lua_getfield(L, -1, "next");
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &key);
  lua_insert(L, -3);
  lua_pop(L, 2);
}

bool push_cached(lua_State* L, const void* cache, const void* of) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, cache) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, cache);
  }
  if (lua_rawgetp(L, -1, of) == LUA_TTABLE) {
    lua_remove(L, -2);
    return true;
  }
  lua_pop(L, 1);
  lua_createtable(L, 1, 8);
  lua_pushlightuserdata(L, const_cast<void*>(of));
  lua_rawseti(L, -2, 1);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, -3, of);
  lua_remove(L, -2);
  return false;
}

void push_proxy(lua_State* L, const state::Proxy& proxy) {
  if (!push_cached(L, &kProxies, &proxy)) State::of(L).set_class(L, Class::proxy);
}

void push_proxy_list(lua_State* L, std::uint8_t capabilities) {
  lua_createtable(L, 0, 1);
  *static_cast<std::uint8_t*>(lua_newuserdatauv(L, 1, 1)) = capabilities;
  lua_rawseti(L, -2, 0);
  State::of(L).set_class(L, Class::proxy_list);
}

void define_proxy(lua_State* L) {
  State& state = State::of(L);
  state.define(L, {.id = Class::proxy,
                   .name = "Proxy",
                   .methods = kMethods,
                   .index = &proxy_index,
                   .collect = &proxy_collect});
  state.define(L, {.id = Class::proxy_list,
                   .name = "ProxyList",
                   .methods = {},
                   .index = &list_index,
                   .new_index = &ignore_assignment,
                   .pairs = &list_pairs});
}

}  // namespace lua

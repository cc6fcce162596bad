// Server: facts about a server and the changes that the runtime commands make.
#include "lua/class/server.h"

#include "lua/class/all.h"
#include "lua/class/stats.h"
#include "lua/engine.h"
#include "lua/stack.h"
#include "upstream/backend.h"
#include "upstream/control.h"

namespace lua {

namespace {

const char kServers = 0;  // registry: objects by address

state::Server& self(lua_State* L) {
  if (!State::of(L).is(L, 1, Class::server))
    luaL_argerror(L, 1, "not an object of the class that this function belongs to");
  lua_rawgeti(L, 1, 1);
  auto* server =
      lua_islightuserdata(L, -1) ? static_cast<state::Server*>(lua_touserdata(L, -1)) : nullptr;
  lua_pop(L, 1);
  if (server == nullptr) luaL_argerror(L, 1, "the server is gone");
  return *server;
}

upstream::Server* behaviour_of(lua_State* L, const state::Server& server) {
  const auto& backend_of = State::of(L).engine().environment().backend;
  upstream::Backend* backend = backend_of ? backend_of(*server.proxy) : nullptr;
  return backend == nullptr ? nullptr : backend->of(server);
}

upstream::Server& behaviour(lua_State* L) {
  const state::Server& server = self(L);
  upstream::Server* found = behaviour_of(L, server);
  if (found == nullptr) raise(L, "the server cannot be changed before the proxy runs");
  return *found;
}

// The error's text, or nothing: what setters return.
int push_outcome(lua_State* L, const base::Result<void>& outcome) {
  if (outcome) return 0;
  push(L, outcome.error());
  return 1;
}

int server_get_name(lua_State* L) {
  push(L, self(L).name);
  return 1;
}

int server_get_puid(lua_State* L) {
  push(L, std::to_string(self(L).id));
  return 1;
}

int server_get_rid(lua_State* L) {
  self(L);
  push(L, "0");  // no server has been replaced by another of its name
  return 1;
}

int server_is_draining(lua_State* L) {
  lua_pushboolean(L, self(L).draining());
  return 1;
}

int server_is_backup(lua_State* L) {
  lua_pushboolean(L, self(L).backup);
  return 1;
}

int server_is_dynamic(lua_State* L) {
  lua_pushboolean(L, self(L).dynamic);
  return 1;
}

int server_get_cur_sess(lua_State* L) {
  lua_pushinteger(L, self(L).sessions);
  return 1;
}

int server_get_pend_conn(lua_State* L) {
  lua_pushinteger(L, self(L).queued);
  return 1;
}

int server_get_maxconn(lua_State* L) {
  lua_pushinteger(L, self(L).maximum);
  return 1;
}

int server_set_maxconn(lua_State* L) {
  check_count(L, 2, "set_maxconn");
  upstream::Server& server = behaviour(L);
  const auto value = base::parse_int<std::uint32_t>(check_text(L, 2));
  if (!value) {
    lua_pushliteral(L, "maxconn string empty or preceded by garbage");
    return 1;
  }
  return push_outcome(L, upstream::control::set_maximum(server, *value));
}

int server_get_weight(lua_State* L) {
  lua_pushinteger(L, self(L).user_weight);
  return 1;
}

int server_set_weight(lua_State* L) {
  check_count(L, 2, "set_weight");
  upstream::Server& server = behaviour(L);
  return push_outcome(L, upstream::control::set_weight(server, check_text(L, 2)));
}

int server_get_addr(lua_State* L) {
  const state::Server& server = self(L);
  net::Address address;
  {
    const std::lock_guard lock(server.mutex);
    address = server.address;
  }
  push(L, address.is_unix() ? std::string(address.path()) : address.text());
  return 1;
}

int server_set_addr(lua_State* L) {
  check_count(L, 2, 3, "set_addr");
  upstream::Server& server = behaviour(L);
  const std::string_view address = check_text(L, 2);
  const std::string_view port = lua_isnoneornil(L, 3) ? std::string_view() : check_text(L, 3);
  return push_outcome(L, upstream::control::set_address(server, address, port));
}

int server_get_stats(lua_State* L) {
  push_server_stats(L, self(L));
  return 1;
}

int server_get_proxy(lua_State* L) {
  push_proxy(L, *self(L).proxy);
  return 1;
}

int server_shut_sess(lua_State* L) {
  upstream::control::shutdown_sessions(behaviour(L));
  return 0;
}

template <const char* const& word>
int set_state(lua_State* L) {
  (void)upstream::control::set_state(behaviour(L), word).has_value();
  return 0;
}
template <const char* const& word>
int set_health(lua_State* L) {
  (void)upstream::control::set_health(behaviour(L), word).has_value();
  return 0;
}
template <const char* const& word>
int set_agent_health(lua_State* L) {
  (void)upstream::control::set_agent_health(behaviour(L), word).has_value();
  return 0;
}
constexpr const char* kDrain = "drain";
constexpr const char* kMaint = "maint";
constexpr const char* kReady = "ready";
constexpr const char* kUp = "up";
constexpr const char* kStopping = "stopping";
constexpr const char* kDown = "down";

template <bool on>
int set_check(lua_State* L) {
  upstream::control::enable_check(behaviour(L), on);
  return 0;
}
template <bool on>
int set_agent(lua_State* L) {
  upstream::control::enable_agent(behaviour(L), on);
  return 0;
}

int server_tracking(lua_State* L) {
  const state::Server& server = self(L);
  const state::Server* tracked =
      server.tracked.empty()
          ? nullptr
          : State::of(L).engine().environment().registry.find_server(server.tracked, server.proxy);
  if (tracked == nullptr)
    lua_pushnil(L);
  else
    push_server(L, *tracked);
  return 1;
}

int server_get_trackers(lua_State* L) {
  const state::Server& server = self(L);
  const state::Registry& registry = State::of(L).engine().environment().registry;
  lua_newtable(L);
  lua_Integer count = 0;
  for (const auto& proxy : registry.proxies())
    for (const auto& other : proxy->servers) {
      if (other->tracked.empty() || registry.find_server(other->tracked, proxy.get()) != &server)
        continue;
      push_server(L, *other);
      lua_rawseti(L, -2, ++count);
    }
  return 1;
}

int server_event_sub(lua_State* L) { return subscribe_to_server(L, self(L)); }

constexpr luaL_Reg kMethods[] = {{"get_name", server_get_name},
                                 {"get_puid", server_get_puid},
                                 {"get_rid", server_get_rid},
                                 {"is_draining", server_is_draining},
                                 {"is_backup", server_is_backup},
                                 {"is_dynamic", server_is_dynamic},
                                 {"get_cur_sess", server_get_cur_sess},
                                 {"get_pend_conn", server_get_pend_conn},
                                 {"set_maxconn", server_set_maxconn},
                                 {"get_maxconn", server_get_maxconn},
                                 {"set_weight", server_set_weight},
                                 {"get_weight", server_get_weight},
                                 {"set_addr", server_set_addr},
                                 {"get_addr", server_get_addr},
                                 {"get_stats", server_get_stats},
                                 {"get_proxy", server_get_proxy},
                                 {"shut_sess", server_shut_sess},
                                 {"set_drain", set_state<kDrain>},
                                 {"set_maint", set_state<kMaint>},
                                 {"set_ready", set_state<kReady>},
                                 {"check_enable", set_check<true>},
                                 {"check_disable", set_check<false>},
                                 {"check_force_up", set_health<kUp>},
                                 {"check_force_nolb", set_health<kStopping>},
                                 {"check_force_down", set_health<kDown>},
                                 {"agent_enable", set_agent<true>},
                                 {"agent_disable", set_agent<false>},
                                 {"agent_force_up", set_agent_health<kUp>},
                                 {"agent_force_down", set_agent_health<kDown>},
                                 {"tracking", server_tracking},
                                 {"get_trackers", server_get_trackers},
                                 {"event_sub", server_event_sub}};

int server_index(lua_State* L) {
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TNIL) {
    lua_pop(L, 1);
    const state::Server& server = self(L);
    const std::string_view key = to_text(L, 2);
    if (key == "name")
      push(L, server.name);
    else if (key == "puid")
      push(L, std::to_string(server.id));
    else
      return 0;
  }
  lua_pushvalue(L, 2);
  lua_pushvalue(L, -2);
  lua_rawset(L, 1);
  return 1;
}

int server_collect(lua_State*) { return 0; }  // scripts of the reference see that there is one

// --- the list behind Proxy.servers, whose user value is the table of its members by name

struct ServerList {
  const state::Proxy& proxy;
  std::size_t count;  // of servers when the table was made
};

void push_members(lua_State* L) {
  if (!State::of(L).is(L, 1, Class::server_list))
    luaL_argerror(L, 1, "not an object of the class that this function belongs to");
  lua_rawgeti(L, 1, 0);
  if (lua_type(L, -1) != LUA_TUSERDATA || lua_rawlen(L, -1) != sizeof(ServerList))
    luaL_argerror(L, 1, "the proxy is gone");
  auto& list = *static_cast<ServerList*>(lua_touserdata(L, -1));
  const auto& servers = list.proxy.servers;
  if (lua_getiuservalue(L, -1, 1) != LUA_TTABLE || list.count != servers.size()) {
    lua_pop(L, 1);
    lua_createtable(L, 0, static_cast<int>(servers.size()));
    for (const auto& server : servers) {
      push_server(L, *server);
      lua_setfield(L, -2, server->name.c_str());
    }
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, -3, 1);
    list.count = servers.size();
  }
  lua_remove(L, -2);
}

int list_index(lua_State* L) {
  push_members(L);
  lua_pushvalue(L, 2);
  lua_rawget(L, -2);
  return 1;
}

int list_pairs(lua_State* L) {
  push_next(L);
  push_members(L);
  lua_pushnil(L);
  return 3;
}

int ignore_assignment(lua_State*) { return 0; }

}  // namespace

int proxy_shut_backup_sessions(lua_State* L) {
  if (!State::of(L).is(L, 1, Class::proxy)) luaL_argerror(L, 1, "a proxy is expected");
  lua_rawgeti(L, 1, 1);
  const auto* proxy = lua_islightuserdata(L, -1)
                          ? static_cast<const state::Proxy*>(lua_touserdata(L, -1))
                          : nullptr;
  if (proxy == nullptr) luaL_argerror(L, 1, "the proxy is gone");
  for (const auto& server : proxy->servers)
    if (upstream::Server* found = server->backup ? behaviour_of(L, *server) : nullptr)
      upstream::control::shutdown_sessions(*found);
  return 0;
}

void push_server(lua_State* L, const state::Server& server) {
  if (!push_cached(L, &kServers, &server)) State::of(L).set_class(L, Class::server);
}

void push_server_list(lua_State* L, const state::Proxy& proxy) {
  lua_createtable(L, 0, 1);
  new (lua_newuserdatauv(L, sizeof(ServerList), 1)) ServerList{proxy, 0};
  lua_rawseti(L, -2, 0);
  State::of(L).set_class(L, Class::server_list);
}

void define_server(lua_State* L) {
  State& state = State::of(L);
  state.define(L, {.id = Class::server,
                   .name = "Server",
                   .methods = kMethods,
                   .index = &server_index,
                   .collect = &server_collect});
  state.define(L, {.id = Class::server_list,
                   .name = "ServerList",
                   .methods = {},
                   .index = &list_index,
                   .new_index = &ignore_assignment,
                   .pairs = &list_pairs});
}

}  // namespace lua

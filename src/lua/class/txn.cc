// TXN: the transaction of an action, a fetch or a filter.
#include "lua/class/all.h"
#include "lua/engine.h"
#include "lua/log.h"
#include "lua/object.h"
#include "lua/private_data.h"
#include "lua/stack.h"
#include "lua/variables.h"
#include "net/connection.h"

namespace lua {

namespace {

Call& self(lua_State* L) { return check_call(L, 1, Class::txn); }

const state::Proxy* proxy_of(Call& call) {
  return call.context() == nullptr ? nullptr : call.context()->proxy;
}

int log_at(lua_State* L, obs::Level level, const char* name) {
  check_count(L, 2, name);
  Call& call = self(L);
  log_line(call.state().engine(), proxy_of(call), level, check_text(L, 2));
  return 0;
}

int txn_log(lua_State* L) {
  check_count(L, 3, "log");
  Call& call = self(L);
  log_line(call.state().engine(), proxy_of(call), check_level(L, 2), check_text(L, 3));
  return 0;
}

int txn_deflog(lua_State* L) {
  check_count(L, 2, "deflog");
  Call& call = self(L);
  const txn::Exchange* exchange = call.exchange();
  const int level = exchange == nullptr || exchange->log_level < 0
                        ? static_cast<int>(obs::Level::info)
                        : exchange->log_level;
  if (level > 7) return 0;
  log_line(call.state().engine(), proxy_of(call), static_cast<obs::Level>(level), check_text(L, 2));
  return 0;
}

int txn_debug(lua_State* L) { return log_at(L, obs::Level::debug, "Debug"); }
int txn_info(lua_State* L) { return log_at(L, obs::Level::info, "Info"); }
int txn_warning(lua_State* L) { return log_at(L, obs::Level::warning, "Warning"); }
int txn_alert(lua_State* L) { return log_at(L, obs::Level::alert, "Alert"); }

int txn_get_priv(lua_State* L) { return get_priv(L, self(L)); }
int txn_set_priv(lua_State* L) { return set_priv(L, self(L)); }
int txn_get_var(lua_State* L) { return get_var(L, self(L)); }
int txn_set_var(lua_State* L) {
  check_count(L, 3, 4, "set_var");
  return set_var(L, self(L));
}
int txn_unset_var(lua_State* L) { return unset_var(L, self(L)); }

int txn_set_loglevel(lua_State* L) {
  check_count(L, 2, "set_loglevel");
  Call& call = self(L);
  const lua_Integer level = luaL_checkinteger(L, 2);
  if (level < -1 || level > 7)
    luaL_argerror(L, 2,
                  "Bad log level. It must be one of the following value: core.silent(-1), "
                  "core.emerg(0), core.alert(1), core.crit(2), core.error(3), core.warning(4), "
                  "core.notice(5), core.info(6) or core.debug(7)");
  if (call.exchange() != nullptr)
    call.exchange()->log_level = level < 0 ? 8 : static_cast<int>(level);
  return 0;
}

int set_client_option(lua_State* L, const char* name, int option4_level, int option4,
                      int option6_level, int option6) {
  check_count(L, 2, name);
  Call& call = self(L);
  const int value = static_cast<int>(luaL_checkinteger(L, 2));
  txn::Session* session = call.context() == nullptr ? nullptr : call.context()->session;
  if (session == nullptr || session->connection == nullptr) return 0;
  const int fd = session->connection->io().fd();
  if (session->source.kind() == net::Address::Kind::ipv6)
    setsockopt(fd, option6_level, option6, &value, sizeof value);
  else
    setsockopt(fd, option4_level, option4, &value, sizeof value);
  return 0;
}

int txn_set_tos(lua_State* L) {
  return set_client_option(L, "set_fc_tos", IPPROTO_IP, IP_TOS, IPPROTO_IPV6, IPV6_TCLASS);
}
int txn_set_mark(lua_State* L) {
  return set_client_option(L, "set_fc_mark", SOL_SOCKET, SO_MARK, SOL_SOCKET, SO_MARK);
}

lua_Integer clamp(lua_Integer value, lua_Integer limit) {
  return value > limit ? limit : value < -limit ? -limit : value;
}

int txn_set_priority_class(lua_State* L) {
  check_count(L, 2, "set_priority_class");
  Call& call = self(L);
  const lua_Integer value = clamp(luaL_checkinteger(L, 2), 2047);
  if (call.exchange() != nullptr)
    call.exchange()->priority_class = static_cast<std::int32_t>(value);
  return 0;
}

int txn_set_priority_offset(lua_State* L) {
  check_count(L, 2, "set_priority_offset");
  Call& call = self(L);
  const lua_Integer value = clamp(luaL_checkinteger(L, 2), 524287);
  if (call.exchange() != nullptr)
    call.exchange()->priority_offset = static_cast<std::int32_t>(value);
  return 0;
}

int txn_done(lua_State* L) {
  check_count(L, 1, 2, "done");
  Call& call = self(L);
  if (call.exchange() != nullptr && call.kind() != Kind::fetch) {
    if (lua_istable(L, 2) && call.exchange()->is_http) take_reply(L, 2, *call.exchange());
    call.transaction_done = true;
  }
  call.end(L, Ending::done);
}

constexpr luaL_Reg kMethods[] = {{"Alert", txn_alert},
                                 {"Debug", txn_debug},
                                 {"Info", txn_info},
                                 {"Warning", txn_warning},
                                 {"deflog", txn_deflog},
                                 {"done", txn_done},
                                 {"get_priv", txn_get_priv},
                                 {"get_var", txn_get_var},
                                 {"log", txn_log},
                                 {"reply", txn_reply},
                                 {"set_fc_mark", txn_set_mark},
                                 {"set_fc_tos", txn_set_tos},
                                 {"set_loglevel", txn_set_loglevel},
                                 {"set_mark", txn_set_mark},
                                 {"set_priority_class", txn_set_priority_class},
                                 {"set_priority_offset", txn_set_priority_offset},
                                 {"set_priv", txn_set_priv},
                                 {"set_tos", txn_set_tos},
                                 {"set_var", txn_set_var},
                                 {"unset_var", txn_unset_var}};

// Members that are made when first asked for. The object is the one of the running call: another
// call's transaction is busy or dead.
int txn_member(lua_State* L) {
  Call* call = call_of_member(L, Class::txn);
  if (call == nullptr) return 0;
  const std::string_view key = to_text(L, 2);
  if (!push_common_member(L, *call, key)) {
    const bool http = call->exchange() != nullptr && call->exchange()->is_http;
    if (key == "req" || key == "res")
      push_object(L, *call, Class::channel, key == "res" ? 1 : 0);
    else if (key == "http" && http)
      push_object(L, *call, Class::http);
    else if ((key == "http_req" || key == "http_res") && http && call->filter != nullptr)
      push_http_message(L, *call, key == "http_res");
    else
      return 0;
  }
  keep_member(L, *call);
  return 1;
}

int dead_member(lua_State* L) { raise(L, "used after its transaction ended"); }
int busy_member(lua_State* L) { raise(L, "used while another call has it"); }

}  // namespace

bool push_common_member(lua_State* L, Call& call, std::string_view key) {
  if (key == "f")
    push_object(L, call, Class::fetches);
  else if (key == "sf")
    push_object(L, call, Class::string_fetches);
  else if (key == "c")
    push_object(L, call, Class::converters);
  else if (key == "sc")
    push_object(L, call, Class::string_converters);
  else
    return false;
  return true;
}

void set_common_members(lua_State* L, Call& call) {
  for (const char* key : {"f", "sf", "c", "sc"}) {
    push_common_member(L, call, key);
    lua_setfield(L, -2, key);
  }
}

Call* call_of_member(lua_State* L, Class id) {
  Call* call = State::of(L).current;
  if (call == nullptr) return nullptr;
  const Slot& slot = call->slot();
  if (slot.subject == nullptr || slot.subject_class != id)
    raise(L, "used while another call has it");
  return call;
}

void keep_member(lua_State* L, Call& call) {
  State::push_subject(L, call.slot());
  lua_pushvalue(L, 2);
  lua_pushvalue(L, -3);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

void add_member_function(lua_State* L, Class id, lua_CFunction function) {
  State::of(L).push_class(L, id);
  lua_getfield(L, -1, "__index");
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, function);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
  lua_pop(L, 2);
}

void define_txn(lua_State* L) {
  State& state = State::of(L);
  state.define(L, {.id = Class::txn, .name = "TXN", .methods = kMethods});
  add_member_function(L, Class::txn, &txn_member);
  state.define(L, {.id = Class::dead_subject, .name = "TXN", .methods = {}, .index = &dead_member});
  state.define(L, {.id = Class::busy_subject, .name = "TXN", .methods = {}, .index = &busy_member});
}

void push_txn(lua_State* L, Call& call) {
  lua_createtable(L, 0, 4);  // one block of memory, for the ticket as well
  lua_pushlightuserdata(L, call.ticket());
  lua_rawseti(L, -2, 1);
  call.state().set_class(L, Class::txn);
  lua_pushvalue(L, -1);
  State::set_subject(L, call.slot(), Class::txn);
}

void finish_subject(Call& call) {
  if (call.out_of_memory()) return;
  lua_State* L = call.thread();
  call.slot().subject = nullptr;
  State::push_subject(L, call.slot());
  if (lua_istable(L, -1)) call.state().set_class(L, Class::dead_subject);
  lua_pop(L, 1);
}

}  // namespace lua

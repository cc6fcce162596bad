// core: what belongs to the process rather than to a transaction.
#include <sys/time.h>

#include "lua/box.h"
#include "lua/class/all.h"
#include "lua/engine.h"
#include "lua/log.h"
#include "lua/register.h"
#include "lua/stack.h"
#include "lua/value.h"
#include "lua/variables.h"

namespace lua {

namespace {

Engine& engine_of(lua_State* L) { return State::of(L).engine(); }

int log_at(lua_State* L, obs::Level level, const char* name) {
  check_count(L, 1, name);
  log_line(engine_of(L), nullptr, level, check_text(L, 1));
  return 0;
}
int core_debug(lua_State* L) { return log_at(L, obs::Level::debug, "debug"); }
int core_info(lua_State* L) { return log_at(L, obs::Level::info, "info"); }
int core_warning(lua_State* L) { return log_at(L, obs::Level::warning, "warning"); }
int core_alert(lua_State* L) { return log_at(L, obs::Level::alert, "alert"); }

int core_log(lua_State* L) {
  check_count(L, 2, "log");
  log_line(engine_of(L), nullptr, check_level(L, 1), check_text(L, 2));
  return 0;
}

// Sleeps without the state; while scripts load the process itself waits.
void sleep(lua_State* L, std::int64_t ms, const char* name) {
  const rt::milliseconds time(std::max<std::int64_t>(ms, 0));
  if (rt::current() == nullptr) {
    if (engine_of(L).loading()) luaL_error(L, "'%s': not available while a script loads", name);
    raise(L, "cannot sleep before the proxy runs");
  }
  Call& call = current_call(L, name);
  {
    const Unlocked unlocked;
    (void)rt::sleep_for(time);
  }
  call.check_cancelled(L);
}

int core_sleep(lua_State* L) {
  check_count(L, 1, "sleep");
  constexpr lua_Integer kMost = 1'000'000'000;
  sleep(L, std::clamp<lua_Integer>(luaL_checkinteger(L, 1), 0, kMost) * 1000, "sleep");
  return 0;
}

int core_msleep(lua_State* L) {
  check_count(L, 1, "msleep");
  sleep(L, check_milliseconds(L, 1), "msleep");
  return 0;
}

int core_yield(lua_State* L) {
  check_count(L, 0, "yield");
  Call& call = current_call(L, "yield");
  if (rt::current() == nullptr) return 0;
  {
    const Unlocked unlocked;
    rt::yield();
  }
  call.check_cancelled(L);
  return 0;
}

// Until an alarm of this call rings (Queue.alarm) or the time is over.
int core_wait(lua_State* L) {
  Call& call = current_call(L, "wait");
  if (rt::current() == nullptr) raise(L, "wait: not available before the proxy runs");
  const lua_Integer ms = lua_isnoneornil(L, 1) ? -1 : check_milliseconds(L, 1);
  const rt::Instant until = ms < 0 ? rt::kNever : rt::now() + rt::milliseconds(ms);
  const std::shared_ptr<Alarm> alarm = call.alarm();
  const rt::WakeHandle sleeper;
  while (!alarm->take()) {
    alarm->set_sleeper(&sleeper);
    rt::Wait how;
    {
      const Unlocked unlocked;
      how = rt::suspend(until);
    }
    alarm->set_sleeper(nullptr);
    call.check_cancelled(L);
    if (how == rt::Wait::timed_out) break;
  }
  lua_pushboolean(L, 1);
  return 1;
}

int core_done(lua_State* L) {
  Call& call = current_call(L, "done");
  lua_settop(L, 1);
  call.done_reference = luaL_ref(L, LUA_REGISTRYINDEX);
  call.end(L, Ending::done);
}

int core_now(lua_State* L) {
  timeval now{};
  gettimeofday(&now, nullptr);
  lua_createtable(L, 0, 2);
  set_field(L, "sec", lua_Integer{now.tv_sec});
  set_field(L, "usec", lua_Integer{now.tv_usec});
  return 1;
}

int core_get_var(lua_State* L) {
  check_count(L, 1, "get_var");
  const std::string_view name = check_text(L, 1);
  if (!name.starts_with("proc."))
    luaL_error(L, "'get_var': Only 'proc.' scope allowed to be retrieved in 'core.get_var()'.");
  state::Registry& registry = engine_of(L).environment().registry;
  const auto variable = state::parse_variable(name);
  state::OwnedValue copy;
  if (variable) {
    const std::lock_guard lock(registry.variables_mutex());
    if (const state::OwnedValue* value = registry.variables().get(variable->id)) copy = *value;
  }
  push_value(L, copy.view());
  return 1;
}

int core_set_nice(lua_State* L) {
  check_count(L, 1, "set_nice");
  const lua_Integer nice = luaL_checkinteger(L, 1);
  Call& call = current_call(L, "set_nice");
  if (call.exchange() != nullptr)
    call.exchange()->nice = static_cast<int>(std::clamp<lua_Integer>(nice, -1024, 1024));
  return 0;
}

// Scripts that ask for the native configuration send the mails themselves.
int core_use_native_mailers_config(lua_State* L) {
  State::of(L).engine().environment().registry.process().scripts_mail = true;
  return 0;
}

constexpr luaL_Reg kFunctions[] = {{"Debug", core_debug},
                                   {"Info", core_info},
                                   {"Warning", core_warning},
                                   {"Alert", core_alert},
                                   {"log", core_log},
                                   {"sleep", core_sleep},
                                   {"msleep", core_msleep},
                                   {"yield", core_yield},
                                   {"wait", core_wait},
                                   {"done", core_done},
                                   {"now", core_now},
                                   {"get_var", core_get_var},
                                   {"set_nice", core_set_nice},
                                   {"use_native_mailers_config", core_use_native_mailers_config},
                                   {"register_fetches", register_fetches},
                                   {"register_converters", register_converters},
                                   {"register_action", register_action},
                                   {"register_service", register_service},
                                   {"register_init", register_init},
                                   {"register_task", register_task},
                                   {"register_cli", register_cli},
                                   {"register_filter", core_register_filter},
                                   {"tcp", core_tcp},
                                   {"httpclient", core_httpclient},
                                   {"concat", core_concat},
                                   {"queue", core_queue},
                                   {"event_sub", core_event_sub},
                                   {"get_patref", core_get_patref},
                                   {"add_acl", core_add_acl},
                                   {"del_acl", core_del_acl},
                                   {"set_map", core_set_map},
                                   {"del_map", core_del_map},
                                   {"http_date", core_http_date},
                                   {"imf_date", core_imf_date},
                                   {"rfc850_date", core_rfc850_date},
                                   {"asctime_date", core_asctime_date},
                                   {"get_info", core_get_info},
                                   {"parse_addr", core_parse_addr},
                                   {"match_addr", core_match_addr},
                                   {"tokenize", core_tokenize},
                                   {nullptr, nullptr}};

// Sections and functions of parts that the proxy does not have yet: there, and clear about it.
int unsupported(lua_State* L) {
  return luaL_error(L, "%s is not supported yet", lua_tostring(L, lua_upvalueindex(1)));
}

void define_unsupported(lua_State* L, const char* table, const char* function, const char* name) {
  lua_newtable(L);
  lua_pushstring(L, name);
  lua_pushcclosure(L, &unsupported, 1);
  lua_setfield(L, -2, function);
  lua_setglobal(L, table);
}

}  // namespace

void define_core(lua_State* L) {
  lua_newtable(L);
  luaL_setfuncs(L, kFunctions, 0);
  static constexpr const char* kLevels[] = {"emerg",   "alert",  "crit", "err",
                                            "warning", "notice", "info", "debug"};
  for (lua_Integer level = 0; level < 8; ++level) set_field(L, kLevels[level], level);
  set_field(L, "silent", -1);
  set_field(L, "thread", lua_Integer{State::of(L).index()});
  push_proxy_list(L, state::kFrontend | state::kBackend);
  lua_setfield(L, -2, "proxies");
  push_proxy_list(L, state::kFrontend);
  lua_setfield(L, -2, "frontends");
  push_proxy_list(L, state::kBackend);
  lua_setfield(L, -2, "backends");
  lua_setglobal(L, "core");
  define_unsupported(L, "CertCache", "set", "CertCache.set");
  define_unsupported(L, "ACME", "challenge_ready", "ACME.challenge_ready");
}

}  // namespace lua

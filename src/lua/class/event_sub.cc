// EventSub: subscriptions to what happens to servers and to pattern references.
#include <algorithm>
#include <ctime>

#include "lua/box.h"
#include "lua/class/all.h"
#include "lua/class/server.h"
#include "lua/engine.h"
#include "lua/on_worker.h"
#include "lua/subscription.h"

namespace lua {

namespace {

using state::EventType;

constexpr const char* kNames[] = {
    "SERVER_ADD",   "SERVER_DEL",  "SERVER_DOWN", "SERVER_UP",   "SERVER_STATE",  "SERVER_ADMIN",
    "SERVER_CHECK", "PAT_REF_ADD", "PAT_REF_DEL", "PAT_REF_SET", "PAT_REF_CLEAR", "PAT_REF_COMMIT"};

// Events that one function subscribes to: a family's name, and its types.
struct Family {
  const char* name;
  EventType first, last;
};
constexpr Family kServer = {"SERVER", EventType::server_add, EventType::server_check};
constexpr Family kPatRef = {"PAT_REF", EventType::pattern_add, EventType::pattern_commit};

constexpr std::size_t kMostWaiting = 1000;

using Kept = std::shared_ptr<Subscription>;

const char* name_of(state::OperState state) {
  switch (state) {
    case state::OperState::stopped:
      return "STOPPED";
    case state::OperState::starting:
      return "STARTING";
    case state::OperState::running:
      return "RUNNING";
    case state::OperState::stopping:
      return "STOPPING";
  }
  return "";
}

void set_admin(lua_State* L, const char* field, std::uint8_t admin) {
  lua_createtable(L, 0, 8);
  set_flag(L, "MAINT", (admin & state::kMaintenanceFlags) != 0);
  set_flag(L, "FMAINT", (admin & state::kForcedMaintenance) != 0);
  set_flag(L, "IMAINT", (admin & state::kInheritedMaintenance) != 0);
  set_flag(L, "RMAINT", (admin & state::kResolutionMaintenance) != 0);
  set_flag(L, "CMAINT", (admin & state::kConfiguredMaintenance) != 0);
  set_flag(L, "DRAIN", (admin & state::kDrainFlags) != 0);
  set_flag(L, "FDRAIN", (admin & state::kForcedDrain) != 0);
  set_flag(L, "IDRAIN", (admin & state::kInheritedDrain) != 0);
  lua_setfield(L, -2, field);
}

void set_check(lua_State* L, const state::CheckEvent& check) {
  lua_createtable(L, 0, 5);
  set_field(L, "result", check.result);
  set_flag(L, "agent", check.agent);
  set_field(L, "duration", check.duration_ms);
  lua_createtable(L, 0, 3);
  set_field(L, "short", state::name_of(check.status));
  set_field(L, "desc", state::describe(check.status));
  if (check.code >= 0) set_field(L, "code", check.code);
  lua_setfield(L, -2, "reason");
  lua_createtable(L, 0, 3);
  set_field(L, "cur", check.health);
  set_field(L, "rise", check.rise);
  set_field(L, "fall", check.fall);
  lua_setfield(L, -2, "health");
  lua_setfield(L, -2, "check");
}

// It may have been removed since the event.
bool is_there(const state::Server& server) {
  const auto& all = server.proxy->servers;
  return std::any_of(all.begin(), all.end(), [&](const auto& one) { return one.get() == &server; });
}

void push_event(lua_State* L, const state::Event& event) {
  const state::Server& server = *event.server;
  lua_createtable(L, 0, 8);
  set_field(L, "name", server.name);
  set_field(L, "puid", lua_Integer{server.id});
  set_field(L, "rid", 0);
  set_field(L, "proxy_name", server.proxy->name);
  set_field(L, "proxy_uuid", lua_Integer{server.proxy->id});
  if (is_there(server)) {
    push_server(L, server);
    lua_setfield(L, -2, "reference");
  }
  switch (event.type) {
    case EventType::server_state:
      lua_createtable(L, 0, 6);
      set_flag(L, "admin", event.administrative);
      set_field(L, "cause", event.cause);
      set_field(L, "old_state", name_of(event.old_state));
      set_field(L, "new_state", name_of(event.new_state));
      set_field(L, "requeued", lua_Integer{event.requeued});
      if (event.has_check) set_check(L, event.check);
      lua_setfield(L, -2, "state");
      break;
    case EventType::server_admin:
      lua_createtable(L, 0, 4);
      set_field(L, "cause", event.cause);
      set_admin(L, "old_admin", event.old_admin);
      set_admin(L, "new_admin", event.new_admin);
      set_field(L, "requeued", lua_Integer{event.requeued});
      lua_setfield(L, -2, "admin");
      break;
    case EventType::server_check:
      set_check(L, event.check);
      break;
    default:
      break;
  }
}

void push_subscription(lua_State* L, const Kept& subscription);

void handle(const Kept& subscription, const state::Event& event) {
  Call call(subscription->state, Kind::event, "Lua event handler", nullptr);
  call.protect([&](lua_State* L) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, subscription->function);
    lua_pushstring(L, kNames[static_cast<std::size_t>(event.type)]);
    if (event.server != nullptr) push_event(L, event);  // patterns have no data
    push_subscription(L, subscription);
    lua_pushinteger(L, event.when);
    lua_call(L, lua_gettop(L) - 1, 0);
  });
}

// In a fiber: one event after the other.
void drain(const Kept& subscription) {
  while (!subscription->events.empty() && subscription->active) {
    const state::Event event = std::move(subscription->events.front());
    subscription->events.pop_front();
    handle(subscription, event);
  }
  subscription->draining = false;
}

std::uint32_t check_types(lua_State* L, int index, const Family& family) {
  luaL_checktype(L, index, LUA_TTABLE);
  std::uint32_t types = 0;
  const lua_Integer count = luaL_len(L, index);
  for (lua_Integer i = 1; i <= count; ++i) {
    lua_geti(L, index, i);
    const std::string name(check_text(L, -1));
    lua_pop(L, 1);
    std::uint32_t found = 0;
    for (auto t = static_cast<unsigned>(family.first); t <= static_cast<unsigned>(family.last); ++t)
      if (name == family.name || name == kNames[t]) found |= 1u << t;
    if (found == 0) luaL_argerror(L, index, ("'" + name + "' event type is unknown").c_str());
    types |= found;
  }
  return types;
}

int unsubscribe(lua_State* L) {
  if (!State::of(L).is(L, 1, Class::event_sub)) luaL_argerror(L, 1, "a subscription is expected");
  check_boxed<Kept>(L, 1, Class::event_sub)->active = false;
  return 0;
}

void push_subscription(lua_State* L, const Kept& subscription) {
  push_boxed<Kept>(L, Class::event_sub, subscription);
  lua_pushcfunction(L, &unsubscribe);
  lua_setfield(L, -2, "unsub");
}

Kept make_subscription(lua_State* L, int types_at, const Family& family,
                       const state::Server* server) {
  const std::uint32_t types = check_types(L, types_at, family);
  luaL_checktype(L, types_at + 1, LUA_TFUNCTION);
  State& state = State::of(L);
  lua_pushvalue(L, types_at + 1);
  // Init functions run on the first worker, whatever their state.
  const unsigned worker = state.shared() ? rt::worker_index() : state.index() - 1;
  return std::make_shared<Subscription>(state, luaL_ref(L, LUA_REGISTRYINDEX), types, server,
                                        worker);
}

// A script that is loaded once for each worker is to hear of an event once, as in the reference.
bool is_repetition(lua_State* L) {
  State& state = State::of(L);
  return state.engine().loading() && state.index() > 1;
}

int subscribe(lua_State* L, int types_at, const state::Server* server) {
  if (is_repetition(L)) return 0;
  const Kept subscription = make_subscription(L, types_at, kServer, server);
  Engine& engine = State::of(L).engine();
  engine.subscriptions().add(subscription);
  engine.environment().registry.events().want();
  push_subscription(L, subscription);
  return 1;
}

}  // namespace

int core_event_sub(lua_State* L) {
  check_count(L, 2, "event_sub");
  return subscribe(L, 1, nullptr);
}

int subscribe_to_server(lua_State* L, const state::Server& server) {
  check_count(L, 3, "event_sub");
  return subscribe(L, 2, &server);
}

int subscribe_to_patterns(lua_State* L, state::PatternSet& set) {
  check_count(L, 3, "event_sub");
  if (is_repetition(L)) return 0;
  const Kept subscription = make_subscription(L, 2, kPatRef, nullptr);
  set.watch([subscription](EventType type) {
    if (subscription->active && (subscription->types >> static_cast<unsigned>(type) & 1) != 0)
      deliver(subscription, {.type = type, .when = std::time(nullptr)});
    return subscription->active.load();
  });
  push_subscription(L, subscription);
  return 1;
}

void define_event_sub(lua_State* L) {
  State::of(L).define(L, {.id = Class::event_sub,
                          .name = "EventSub",
                          .methods = {},
                          .collect = &Box<Kept>::collect_object,
                          .indexed = false});
}

void Subscriptions::add(std::shared_ptr<Subscription> subscription) {
  const std::lock_guard lock(mutex_);
  std::erase_if(all_, [](const auto& other) { return !other->active; });
  all_.push_back(std::move(subscription));
}

void Subscriptions::publish(const state::Event& event) {
  const std::lock_guard lock(mutex_);
  for (const auto& subscription : all_) {
    if (!subscription->active ||
        (subscription->types >> static_cast<unsigned>(event.type) & 1) == 0 ||
        (subscription->server != nullptr && subscription->server != event.server))
      continue;
    deliver(subscription, event);
  }
}

void deliver(const Kept& subscription, const state::Event& event) {
  leave_to(subscription->worker, [subscription, event] {
    if (subscription->events.size() >= kMostWaiting) {
      obs::report(obs::Level::err, "Lua: event lost, its handler is too slow");
      return;
    }
    subscription->events.push_back(event);
    if (std::exchange(subscription->draining, true)) return;
    rt::spawn([subscription] { drain(subscription); });
  });
}

}  // namespace lua

// Queue: values handed from one context of a script to another, first in, first out.
#include <algorithm>
#include <deque>
#include <vector>

#include "lua/box.h"
#include "lua/call.h"
#include "lua/class/all.h"

namespace lua {

namespace {

// Whoever waits, as long as it waits; touched under the state's lock.
struct Waiting {
  rt::WakeHandle handle;
};

struct Queue {
  explicit Queue(lua_State* L) : state(State::of(L)) {}
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;
  ~Queue() {
    for (int item : items) state.drop_later(item);
  }
  State& state;
  std::deque<int> items;  // registry references
  std::vector<Waiting*> waiting;
  std::vector<std::shared_ptr<Alarm>> alarms;
};

Queue& self(lua_State* L) { return check_boxed<Queue>(L, 1, Class::queue); }

int queue_size(lua_State* L) {
  lua_pushinteger(L, static_cast<lua_Integer>(self(L).items.size()));
  return 1;
}

int queue_push(lua_State* L) {
  Queue& queue = self(L);
  if (lua_gettop(L) != 2 || lua_isnil(L, 2)) raise(L, "unexpected argument");
  queue.items.push_back(luaL_ref(L, LUA_REGISTRYINDEX));
  for (const Waiting* waiting : queue.waiting) waiting->handle.wake();
  for (const auto& alarm : queue.alarms) alarm->ring();
  queue.alarms.clear();
  lua_pushboolean(L, 1);
  return 1;
}

bool take(lua_State* L, Queue& queue) {
  if (queue.items.empty()) return false;
  const int item = queue.items.front();
  queue.items.pop_front();
  lua_rawgeti(L, LUA_REGISTRYINDEX, item);
  luaL_unref(L, LUA_REGISTRYINDEX, item);
  return true;
}

int queue_pop(lua_State* L) {
  if (!take(L, self(L))) lua_pushnil(L);
  return 1;
}

int queue_pop_wait(lua_State* L) {
  Queue& queue = self(L);
  Call& call = current_call(L, "pop_wait");
  if (rt::current() == nullptr) raise(L, "pop_wait: not available before the proxy runs");
  while (!take(L, queue)) {
    Waiting waiting;
    queue.waiting.push_back(&waiting);
    {
      const Unlocked unlocked;
      (void)rt::suspend(rt::kNever);
    }
    std::erase(queue.waiting, &waiting);
    call.check_cancelled(L);
  }
  return 1;
}

// core.wait() of this call ends with the next push.
int queue_alarm(lua_State* L) {
  Queue& queue = self(L);
  Call& call = current_call(L, "alarm");
  if (rt::current() == nullptr) raise(L, "alarm: not available before the proxy runs");
  queue.alarms.push_back(call.alarm());
  lua_pushboolean(L, 1);
  return 1;
}

constexpr luaL_Reg kMethods[] = {{"size", queue_size},   {"push", queue_push},
                                 {"pop", queue_pop},     {"pop_wait", queue_pop_wait},
                                 {"alarm", queue_alarm}, {nullptr, nullptr}};

}  // namespace

// Its methods are fields of each object, as in the reference.
int core_queue(lua_State* L) {
  push_boxed<Queue>(L, Class::queue, L);
  luaL_setfuncs(L, kMethods, 0);
  return 1;
}

void define_queue(lua_State* L) {
  State::of(L).define(L, {.id = Class::queue,
                          .name = "Queue",
                          .methods = {},
                          .collect = &Box<Queue>::collect_object,
                          .indexed = false});
}

}  // namespace lua

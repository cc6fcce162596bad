// Tasks: functions that run beside the traffic, each in a fiber of its own.
#include "lua/task.h"

#include "lua/engine.h"
#include "lua/register.h"
#include "lua/stack.h"

namespace lua {

namespace {

constexpr std::string_view kLabel = "Lua task";

// A function and its arguments, kept in the registry as one table.
struct Task {
  State& state;
  int reference;
};

void run_task(Task task) {
  Call call(task.state, Kind::task, kLabel, nullptr);
  call.protect([&](lua_State* L) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, task.reference);
    luaL_unref(L, LUA_REGISTRYINDEX, task.reference);
    const auto count = static_cast<int>(lua_rawlen(L, 1));
    lua_getfield(L, 1, "n");
    const auto size = static_cast<int>(lua_tointeger(L, -1));
    lua_settop(L, 1);
    luaL_checkstack(L, size + count, "too many arguments");
    for (int i = 1; i <= size; ++i) lua_rawgeti(L, 1, i);
    lua_remove(L, 1);
    lua_call(L, size - 1, 0);
  });
}

}  // namespace

void start_task(lua_State* L, int index, int count) {
  lua_createtable(L, count + 1, 1);
  for (int i = 0; i <= count; ++i) {
    lua_pushvalue(L, index + i);
    lua_rawseti(L, -2, i + 1);
  }
  lua_pushinteger(L, count + 1);
  lua_setfield(L, -2, "n");
  State& state = State::of(L);
  const Task task{state, luaL_ref(L, LUA_REGISTRYINDEX)};
  if (state.engine().starting())
    state.engine().add_waiting_task({task.state, task.reference});
  else
    rt::spawn([task] { run_task(task); });
}

void run_waiting_task(const WaitingTask& task) { run_task({task.state, task.reference}); }

int register_task(lua_State* L) {
  const int count = lua_gettop(L);
  if (count < 1 || count > 5) luaL_error(L, "'register_task' needs between 1 and 5 arguments");
  luaL_checktype(L, 1, LUA_TFUNCTION);
  start_task(L, 1, count - 1);
  return 0;
}

int register_init(lua_State* L) {
  check_count(L, 1, "register_init");
  State& state = State::of(L);
  if (!state.engine().loading())
    luaL_error(L, "register_init: not available outside of body context");
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_pushvalue(L, 1);
  state.engine().add_init({state, luaL_ref(L, LUA_REGISTRYINDEX)});
  return 0;
}

}  // namespace lua

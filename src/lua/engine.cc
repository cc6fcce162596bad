#include "lua/engine.h"

#include <fmt/format.h>

#include "lua/call.h"
#include "lua/object.h"
#include "lua/stack.h"
#include "lua/state.h"

namespace lua {

namespace {

int add_trace(lua_State* L) {
  if (lua_type(L, 1) != LUA_TSTRING) {
    if (luaL_callmeta(L, 1, "__tostring") == 0)
      lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
  }
  const std::string where = trace(L, 1);
  const std::string text = std::string(to_text(L, -1)) + (where.empty() ? "" : " from " + where);
  push(L, text);
  return 1;
}

}  // namespace

Engine::Engine(Environment environment, Settings settings)
    : environment_(std::move(environment)), settings_(std::move(settings)) {
  environment_.registry.events().listen(
      [this](const state::Event& event) { subscriptions_.publish(event); });
}

Engine::~Engine() { environment_.registry.events().listen({}); }

State& Engine::add_state(unsigned index) {
  states_.push_back(std::make_unique<State>(*this, index));
  State& state = *states_.back();
  for (const auto& [path, type] : prepended_) {
    lua_State* L = state.main();
    if (lua_getglobal(L, LUA_LOADLIBNAME) == LUA_TTABLE) {
      lua_getfield(L, -1, type.c_str());
      push(L, path + ";" + std::string(to_text(L, -1)));
      lua_setfield(L, -3, type.c_str());
      lua_pop(L, 1);
    }
    lua_pop(L, 1);
  }
  return state;
}

base::Result<void> Engine::prepend_path(const std::string& path, const std::string& type) {
  prepended_.emplace_back(path, type);
  for (const auto& state : states_) {
    lua_State* L = state->main();
    if (lua_getglobal(L, LUA_LOADLIBNAME) != LUA_TTABLE) {
      lua_pop(L, 1);
      return base::fail(std::string("'lua-prepend-path' needs the library 'package'"));
    }
    lua_getfield(L, -1, type.c_str());
    push(L, path + ";" + std::string(to_text(L, -1)));
    lua_setfield(L, -3, type.c_str());
    lua_pop(L, 2);
  }
  return {};
}

base::Result<void> Engine::run_file(State& state, const Script& script) {
  lua_State* L = state.main();
  lua_settop(L, 0);
  lua_pushcfunction(L, &add_trace);
  state.lock();
  int status = luaL_loadfile(L, script.file.c_str());
  std::string text;
  if (status == LUA_ERRFILE) {
    text = fmt::format("error in Lua file '{}': {}", script.file, to_text(L, -1));
  } else if (status != LUA_OK) {
    text = fmt::format("error in Lua file '{}': {}", script.file, to_text(L, -1));
  } else {
    lua_checkstack(L, static_cast<int>(script.arguments.size()));
    for (const std::string& argument : script.arguments) push(L, argument);
    status = lua_pcall(L, static_cast<int>(script.arguments.size()), 0, 1);
    if (status == LUA_ERRMEM)
      text = "Lua out of memory error.";
    else if (status != LUA_OK)
      text = fmt::format("Lua runtime error: {}", to_text(L, -1));
  }
  lua_settop(L, 0);
  state.unlock();
  if (status != LUA_OK) return base::fail(std::move(text));
  return {};
}

base::Result<void> Engine::load(const std::string& file, const std::vector<std::string>& arguments,
                                bool per_thread) {
  State*& state =
      per_thread ? by_worker_.empty() ? by_worker_.emplace_back() : by_worker_[0] : shared_;
  if (state == nullptr) state = &add_state(per_thread ? 1 : 0);
  Script script{file, arguments};
  auto result = run_file(*state, script);
  if (per_thread) per_thread_scripts_.push_back(std::move(script));
  return result;
}

std::vector<UsageLine> Engine::usage() const {
  std::vector<UsageLine> lines;
  for (const auto& function : functions_) {
    if (function->usage == nullptr) continue;
    const Usage& usage = *function->usage;
    const auto us = [&](auto member) { return usage.sum(member) / 1000; };
    lines.push_back({function->name, name_of(function->kind), usage.sum(&UsageCounters::calls),
                     usage.sum(&UsageCounters::errors), us(&UsageCounters::time_ns),
                     usage.sum(&UsageCounters::waits), us(&UsageCounters::wait_ns),
                     usage.sum(&UsageCounters::lock_waits), us(&UsageCounters::lock_wait_ns),
                     usage.sum(&UsageCounters::allocated)});
  }
  return lines;
}

std::vector<MemoryLine> Engine::memory() const {
  std::vector<MemoryLine> lines;
  for (const auto& state : states_)
    lines.push_back({state->shared() ? "shared" : fmt::format("worker-{}", state->index()),
                     state->memory(), settings_.maximum_memory});
  return lines;
}

State* Engine::state_of_worker(unsigned worker) const { return by_worker_[worker]; }

base::Result<void> Engine::prepare() {
  for (const auto& [per_thread, preparation] : preparations_) {
    if (!per_thread) {
      if (auto result = preparation(*shared_); !result) return result;
      continue;
    }
    for (State* state : by_worker_)
      if (auto result = preparation(*state); !result) return result;
  }
  preparations_.clear();
  return {};
}

base::Result<void> Engine::run_init() {
  if (!by_worker_.empty()) {
    for (unsigned worker = 1; worker < rt::worker_count(); ++worker) {
      by_worker_.push_back(&add_state(worker + 1));
      for (const Script& script : per_thread_scripts_)
        if (auto result = run_file(*by_worker_.back(), script); !result) return result;
    }
  }
  phase_ = Phase::init;
  if (auto result = prepare(); !result) return result;
  bool good = true;
  for (std::size_t i = 0; i < inits_.size(); ++i) {
    Call call(inits_[i].state, Kind::init, "Lua init", nullptr);
    good = call.protect([&](lua_State* L) {
      lua_rawgeti(L, LUA_REGISTRYINDEX, inits_[i].reference);
      luaL_unref(L, LUA_REGISTRYINDEX, inits_[i].reference);
      lua_call(L, 0, 0);
    }) && good;
  }
  inits_.clear();
  if (!good) return base::fail(std::string("an initialisation function of a Lua script failed"));
  return {};
}

void Engine::start_tasks() {
  phase_ = Phase::running;
  for (const auto& function : functions_) function->usage = std::make_unique<Usage>();
  unsigned next = 0;
  rt::Runtime* runtime = rt::Runtime::instance();
  for (const WaitingTask& task : tasks_) {
    const unsigned worker =
        task.state.shared() ? next++ % rt::worker_count() : task.state.index() - 1;
    if (worker == rt::worker_index() || runtime == nullptr)
      rt::spawn([task] { run_waiting_task(task); });
    else
      runtime->worker(worker).post([task] { rt::spawn([task] { run_waiting_task(task); }); });
  }
  tasks_.clear();
}

}  // namespace lua

// "filter lua.x": a class that a script registered with core.register_filter(). The script's
// function makes one object of it for each filter line; FILTER:new() of that object makes one for
// each stream, whose callbacks are called as the stream goes on.
#include "rules/filter.h"

#include <fmt/format.h>

#include "lua/class/all.h"
#include "lua/engine.h"
#include "lua/object.h"
#include "lua/register.h"
#include "lua/stack.h"

namespace lua {

namespace {

constexpr lua_Integer kForHttp = 1;  // filter.FLT_CFG_FL_HTX

class LuaFilterRun final : public rules::FilterRun {
 public:
  LuaFilterRun(const Function& function, State& state, int object)
      : function_(function), state_(state), object_(object) {}
  LuaFilterRun(const LuaFilterRun&) = delete;
  LuaFilterRun& operator=(const LuaFilterRun&) = delete;
  ~LuaFilterRun() override { state_.drop_later(object_); }

  rules::Filtered start(rules::FilterCall& at) override { return step(at, "start_analyze", false); }
  rules::Filtered headers(rules::FilterCall& at) override { return step(at, "http_headers", true); }
  rules::Filtered end(rules::FilterCall& at) override { return step(at, "http_end", true); }
  void finish(rules::FilterCall& at) override { run(at, "end_analyze", false); }

  // A number tells how many bytes go on (filter.WAIT is none); without one all do.
  std::optional<std::size_t> payload(rules::FilterCall& at) override {
    const bool http = at.context.exchange->is_http;
    const Result result = run(at, http ? "http_payload" : "tcp_payload", http);
    if (!result.good) return std::nullopt;
    return result.given && result.value >= 0 ? static_cast<std::size_t>(result.value) : SIZE_MAX;
  }

 private:
  struct Result {
    bool good = false, given = false;
    lua_Integer value = 0;
  };

  Result run(rules::FilterCall& at, const char* name, bool message) {
    Call call(function_, &at.context);
    call.filter = &at;
    call.filter_run = this;
    Result result;
    const bool response = at.context.direction == txn::Direction::response;
    result.good = call.protect([&](lua_State* L) {
      lua_rawgeti(L, LUA_REGISTRYINDEX, object_);
      if (lua_getfield(L, 1, name) != LUA_TFUNCTION) return;
      lua_insert(L, 1);
      push_txn(L, call);
      if (message)
        push_http_message(L, call, response);
      else
        push_object(L, call, Class::channel, response ? 1 : 0);
      lua_call(L, 3, 1);
      result.given = lua_isinteger(L, -1) != 0;
      if (result.given) result.value = lua_tointeger(L, -1);
    });
    finish_subject(call);
    if (call.transaction_done) result.good = false;
    if (call.wake_time_ms >= 0) wake_at = rt::now() + rt::milliseconds(call.wake_time_ms);
    return result;
  }

  rules::Filtered step(rules::FilterCall& at, const char* name, bool message) {
    const Result result = run(at, name, message);
    if (!result.good) return rules::Filtered::error;
    if (!result.given || result.value > 0) return rules::Filtered::go_on;
    return result.value == 0 ? rules::Filtered::wait : rules::Filtered::error;
  }

  const Function& function_;
  State& state_;
  int object_;
};

}  // namespace

// One filter line. Its objects are made by prepare(), before traffic.
class LuaFilter final : public rules::Filter {
 public:
  LuaFilter(const Function& function, std::vector<std::string> arguments)
      : function_(function), arguments_(std::move(arguments)) {
    objects_.assign(function.references.size(), LUA_NOREF);
  }

  base::Result<void> prepare(State& state) {
    lua_State* L = state.main();
    struct Work {
      const LuaFilter& filter;
      const State& state;
    } work{*this, state};
    state.lock();
    lua_pushcfunction(L, [](lua_State* inner) {
      const auto& w = *static_cast<Work*>(lua_touserdata(inner, 1));
      w.filter.push_object_of_line(inner, w.state);
      return 1;
    });
    lua_pushlightuserdata(L, &work);
    const bool good = lua_pcall(L, 1, 1, 0) == LUA_OK;
    std::string text;
    if (!good) text = to_text(L, -1);
    if (objects_.size() <= slot(state)) objects_.resize(slot(state) + 1, LUA_NOREF);
    if (good && lua_istable(L, -1))
      objects_[slot(state)] = luaL_ref(L, LUA_REGISTRYINDEX);
    else
      lua_pop(L, 1);
    state.unlock();
    if (good) return {};
    return base::fail(fmt::format("{}: runtime error : {}", function_.label, text));
  }

  bool attach(expr::Context& context, std::unique_ptr<rules::FilterRun>& run) override {
    State& state = function_.state();
    const int object = objects_[slot(state)];
    if (object == LUA_NOREF) return true;
    Call call(function_, &context);
    int made = LUA_NOREF;
    bool no_constructor = false;
    const bool http = context.exchange->is_http;
    const bool good = call.protect([&](lua_State* L) {
      lua_rawgeti(L, LUA_REGISTRYINDEX, object);
      lua_getfield(L, 1, "flags");
      if (http && (lua_tointeger(L, -1) & kForHttp) == 0) return;
      no_constructor = lua_getfield(L, 1, "new") != LUA_TFUNCTION;
      if (no_constructor) return;
      lua_pushvalue(L, 1);
      lua_call(L, 1, 1);
      if (lua_istable(L, -1)) made = luaL_ref(L, LUA_REGISTRYINDEX);
    });
    if (no_constructor)
      obs::report(obs::Level::alert,
                  fmt::format("{}: 'new' field is not a function.", base::trim(function_.label)));
    if (made != LUA_NOREF) run = std::make_unique<LuaFilterRun>(function_, state, made);
    return good;
  }

 private:
  static std::size_t slot(const State& state) { return state.shared() ? 0 : state.index() - 1; }

  // The script's function gets a copy of its class, so that each line has settings of its own.
  void push_object_of_line(lua_State* L, const State& state) const {
    lua_rawgeti(L, LUA_REGISTRYINDEX, function_.reference(state));
    lua_newtable(L);
    const int copy = lua_gettop(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, function_.classes[slot(state)]);
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
      lua_pushvalue(L, -2);
      lua_insert(L, -2);
      lua_rawset(L, copy);
    }
    lua_settop(L, copy);
    lua_createtable(L, static_cast<int>(arguments_.size()), 0);
    for (std::size_t i = 0; i < arguments_.size(); ++i) {
      push(L, arguments_[i]);
      lua_rawseti(L, -2, static_cast<lua_Integer>(i) + 1);
    }
    lua_call(L, 2, 1);
  }

  const Function& function_;
  std::vector<std::string> arguments_;
  std::vector<int> objects_;  // as Function::references
};

namespace {

std::shared_ptr<rules::Filter> parse_filter(config::Arguments& args, const rules::FilterRow& row) {
  auto& function = *static_cast<Function*>(row.data);
  std::vector<std::string> words;
  while (!args.done()) words.emplace_back(args.next());
  auto filter = std::make_shared<LuaFilter>(function, std::move(words));
  function.engine.prepare_later(function.per_thread,
                                [filter](State& state) { return filter->prepare(state); });
  return filter;
}

}  // namespace

int core_register_filter(lua_State* L) {
  check_count(L, 3, "register_filter");
  require_body(L, "register_filter");
  std::string name(check_text(L, 1));
  luaL_checktype(L, 2, LUA_TTABLE);
  luaL_checktype(L, 3, LUA_TFUNCTION);
  Engine& engine = State::of(L).engine();
  std::string label = fmt::format("Lua filter '{}' ", name);
  bool again = false;
  Function& function = keep_function(L, 3, Kind::filter, name, std::move(label), again);
  function.classes.resize(function.references.size(), LUA_NOREF);
  const State& state = State::of(L);
  lua_pushvalue(L, 2);
  function.classes[state.shared() ? 0 : state.index() - 1] = luaL_ref(L, LUA_REGISTRYINDEX);
  if (again) return 0;
  rules::FilterRow row;
  name = "lua." + name;
  row.name = name;
  row.arguments = "[<argument>...]";
  row.doc = "A filter of a Lua script.";
  row.parse = &parse_filter;
  row.data = &function;
  engine.environment().rules.add(row);
  return 0;
}

}  // namespace lua

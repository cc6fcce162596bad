// "lua.x" as an action of rules.
#include <fmt/format.h>

#include "lua/engine.h"
#include "lua/object.h"
#include "lua/register.h"
#include "lua/stack.h"
#include "rt/timer.h"

namespace lua {

namespace {

// Return values of actions (manual, class Act).
enum class Act : std::uint8_t { go_on, stop, yield, error, done, deny, abort, invalid };

// What happens when the function fails ("on-error"); without it, what the reference does: nothing.
struct Policy {
  enum class What : std::uint8_t { go_on, deny, backend } what = What::go_on;
  std::uint16_t status = 0;  // 0: as "deny" alone
  state::Proxy* backend = nullptr;
};

// Cuts the waits of the running fiber short once the time is over ("timeout").
class TimeLimit : rt::Timer {
 public:
  explicit TimeLimit(std::int64_t ms) : rt::Timer(&fire), fiber_(rt::current()) {
    if (ms != 0) arm(rt::precise_now() + rt::milliseconds(ms));
  }
  ~TimeLimit() {
    if (over_) rt::forget_cancel();
  }
  TimeLimit(const TimeLimit&) = delete;
  TimeLimit& operator=(const TimeLimit&) = delete;
  bool over() const { return over_; }

 private:
  static void fire(rt::Timer& timer) {
    auto& self = static_cast<TimeLimit&>(timer);
    self.over_ = true;
    rt::cancel(*self.fiber_);
  }
  rt::Fiber* fiber_;
  bool over_ = false;
};

class LuaAction final : public rules::Action {
 public:
  LuaAction(const Function& function, std::vector<std::string> arguments)
      : function_(function), arguments_(std::move(arguments)) {}

  rules::Verdict run(expr::Context& context) override {
    if (timeout_ms == 0) return run_to_the_end(context);
    rules::Verdict verdict;
    {
      const TimeLimit limit(rt::cancelled() ? 0 : timeout_ms);
      verdict = run_to_the_end(context);
      if (!limit.over()) return verdict;
    }
    const Engine& engine = function_.engine;
    const std::string text =
        fmt::format("{}: no result within {} ms.", function_.label, timeout_ms);
    if (engine.environment().log) engine.environment().log(context.proxy, obs::Level::err, text);
    obs::report(obs::Level::alert, text);
    return failed(context);
  }

  Policy policy;
  std::int64_t timeout_ms = 0;

 private:
  rules::Verdict failed(expr::Context& context) const {
    txn::Exchange* exchange = context.exchange;
    switch (policy.what) {
      case Policy::What::go_on:
        break;
      case Policy::What::deny:
        if (policy.status != 0 && exchange != nullptr && exchange->engine != nullptr)
          exchange->reply = exchange->engine->error_reply(context.proxy, policy.status);
        return rules::Verdict::deny;
      case Policy::What::backend:
        if (exchange != nullptr) exchange->forced_backend = policy.backend;
        break;
    }
    return rules::Verdict::next;
  }

  rules::Verdict run_to_the_end(expr::Context& context) {
    while (true) {
      std::int64_t wake_time_ms = -1;
      bool ended = false, raised = false;
      const Act act = call(context, wake_time_ms, ended, raised);
      if (raised) return failed(context);
      if (ended || act == Act::done || act == Act::abort)
        return context.exchange != nullptr && context.exchange->reply ? rules::Verdict::reply
                                                                      : rules::Verdict::close;
      switch (act) {
        case Act::go_on:
          return rules::Verdict::next;
        case Act::stop:
          return rules::Verdict::stop;
        case Act::error:
          return rules::Verdict::error;
        case Act::deny:
          return rules::Verdict::deny;
        case Act::invalid:
          return rules::Verdict::invalid;
        case Act::done:
        case Act::abort:
          return rules::Verdict::close;
        case Act::yield:
          break;
      }
      if (!wait(context, wake_time_ms)) return rules::Verdict::incomplete;
    }
  }

  Act call(expr::Context& context, std::int64_t& wake_time_ms, bool& ended, bool& raised) {
    Call call(function_, &context);
    lua_Integer result = 0;
    const bool good = call.protect([&](lua_State* L) {
      lua_rawgeti(L, LUA_REGISTRYINDEX, function_.reference(call.state()));
      push_txn(L, call);
      luaL_checkstack(L, static_cast<int>(arguments_.size()) + 1, "too many arguments");
      for (const std::string& argument : arguments_) push(L, argument);
      lua_call(L, static_cast<int>(arguments_.size()) + 1, 1);
      if (lua_isinteger(L, -1)) result = lua_tointeger(L, -1);
    });
    finish_subject(call);
    wake_time_ms = call.wake_time_ms;
    ended = call.transaction_done;
    if (call.ending() == Ending::cancelled) return Act::error;
    raised = !good;
    return result < 0 || result > 7 ? Act::go_on : static_cast<Act>(result);
  }

  // After act.YIELD: until bytes come or the time is over. False: the engine shall wait.
  static bool wait(expr::Context& context, std::int64_t wake_time_ms) {
    txn::Exchange* exchange = context.exchange;
    txn::Channel* channel = nullptr;
    if (exchange != nullptr)
      channel = context.direction == txn::Direction::request ? exchange->request_channel
                                                             : exchange->response_channel;
    if (channel != nullptr && !channel->complete() && !channel->full()) {
      const rt::Instant until =
          wake_time_ms < 0 ? rt::kNever : rt::now() + rt::milliseconds(wake_time_ms);
      return channel->wait_more(until) != rt::Wait::cancelled;
    }
    if (wake_time_ms < 0) return false;
    return rt::sleep_for(rt::milliseconds(wake_time_ms)) != rt::Wait::cancelled;
  }

  const Function& function_;
  std::vector<std::string> arguments_;
};

bool parse_status(config::Arguments& args, Policy& policy) {
  const std::string_view word = args.done() ? std::string_view() : args.peek();
  if (word.empty() || word.find_first_not_of("0123456789") != word.npos) return true;
  const auto status = args.number("on-error deny", 200, 599);
  if (status) policy.status = static_cast<std::uint16_t>(*status);
  return status.has_value();
}

// The backend may be declared further down.
bool parse_backend(config::Arguments& args, rules::ParseContext& context,
                   const std::shared_ptr<LuaAction>& action) {
  const auto name = args.text("on-error backend");
  if (!name) return false;
  const state::Proxy* proxy = context.expr.proxy;
  if (proxy != nullptr && (proxy->capabilities & state::kFrontend) == 0)
    return args.error_at_previous(
        "'on-error backend' is for frontends: the backend is chosen here.");
  context.expr.deferred.push_back([action, name = std::string(*name), at = args.previous(),
                                   &registry = context.expr.registry,
                                   &diagnostics = context.expr.diagnostics] {
    action->policy.backend = registry.find(name, state::kBackend);
    if (action->policy.backend == nullptr)
      diagnostics.alert(at, fmt::format("unable to find the backend '{}' of 'on-error'.", name));
  });
  return true;
}

bool parse_policy(config::Arguments& args, rules::ParseContext& context,
                  const std::shared_ptr<LuaAction>& action) {
  Policy& policy = action->policy;
  if (args.accept("continue")) {
    policy.what = Policy::What::go_on;
    return true;
  }
  if (args.accept("deny")) {
    policy.what = Policy::What::deny;
    return parse_status(args, policy);
  }
  if (args.accept("backend")) {
    policy.what = Policy::What::backend;
    return parse_backend(args, context, action);
  }
  return args.error("'on-error' expects 'continue', 'deny [status]' or 'backend <name>'.");
}

// Shared with the look-ups that wait for the end of the configuration.
class SharedAction final : public rules::Action {
 public:
  explicit SharedAction(std::shared_ptr<LuaAction> action) : action_(std::move(action)) {}
  rules::Verdict run(expr::Context& context) override { return action_->run(context); }

 private:
  std::shared_ptr<LuaAction> action_;
};

std::unique_ptr<rules::Action> parse(config::Arguments& args, rules::ParseContext& context,
                                     std::string_view, const rules::ActionRow& row) {
  const auto& function = *static_cast<const Function*>(row.data);
  std::vector<std::string> words;
  for (int i = 0; i < function.arguments; ++i) {
    if (args.done()) {
      args.error(fmt::format("'lua.{}' expects {} argument{}, found {}", function.name,
                             function.arguments, function.arguments == 1 ? "" : "s", i));
      return nullptr;
    }
    words.emplace_back(args.next());
  }
  auto action = std::make_shared<LuaAction>(function, std::move(words));
  while (true) {
    if (args.accept("on-error")) {
      if (!parse_policy(args, context, action)) return nullptr;
    } else if (args.accept("timeout")) {
      const auto ms = args.time_ms("timeout");
      if (!ms) return nullptr;
      action->timeout_ms = *ms;
    } else {
      return std::make_unique<SharedAction>(std::move(action));
    }
  }
}

}  // namespace

void add_action(Engine& engine, Function& function, std::uint16_t places) {
  rules::ActionRow row;
  const std::string name = "lua." + function.name;
  row.name = name;
  row.arguments = function.arguments == 0
                      ? "[on-error continue|deny [status]|backend <name>] [timeout <time>]"
                      : "<argument>… [on-error continue|deny [status]|backend <name>] [timeout "
                        "<time>]";
  row.doc = "A function of a Lua script.";
  row.places = places;
  row.parse = &parse;
  row.data = &function;
  engine.environment().rules.add(row);
}

}  // namespace lua

// "lua.x" as an action of rules.
#include <fmt/format.h>

#include "lua/engine.h"
#include "lua/object.h"
#include "lua/register.h"
#include "lua/stack.h"

namespace lua {

namespace {

// Return values of actions (manual, class Act).
enum class Act : std::uint8_t { go_on, stop, yield, error, done, deny, abort, invalid };

class LuaAction final : public rules::Action {
 public:
  LuaAction(const Function& function, std::vector<std::string> arguments)
      : function_(function), arguments_(std::move(arguments)) {}

  rules::Verdict run(expr::Context& context) override {
    while (true) {
      std::int64_t wake_time_ms = -1;
      bool ended = false;
      const Act act = call(context, wake_time_ms, ended);
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

 private:
  Act call(expr::Context& context, std::int64_t& wake_time_ms, bool& ended) {
    Call call(function_.state(), Kind::action, function_.label, &context);
    lua_Integer result = 0;
    call.protect([&](lua_State* L) {
      lua_rawgeti(L, LUA_REGISTRYINDEX, function_.reference(call.state()));
      push_txn(L, call);
      luaL_checkstack(L, static_cast<int>(arguments_.size()) + 1, "too many arguments");
      for (const std::string& argument : arguments_) push(L, argument);
      lua_call(L, static_cast<int>(arguments_.size()) + 1, 1);
      if (lua_isinteger(L, -1)) result = lua_tointeger(L, -1);
    });
    finish_txn(call);
    wake_time_ms = call.wake_time_ms;
    ended = call.transaction_done;
    if (call.ending() == Ending::cancelled) return Act::error;
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

std::unique_ptr<rules::Action> parse(config::Arguments& args, rules::ParseContext&,
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
  return std::make_unique<LuaAction>(function, std::move(words));
}

}  // namespace

void add_action(Engine& engine, Function& function, std::uint16_t places) {
  rules::ActionRow row;
  const std::string name = "lua." + function.name;
  row.name = name;
  row.arguments = function.arguments == 0 ? "" : "<argument>…";
  row.doc = "A function of a Lua script.";
  row.places = places;
  row.parse = &parse;
  row.data = &function;
  engine.environment().rules.add(row);
}

}  // namespace lua

// "lua.x" as a service ("use-service"), and commands of the runtime socket.
#include "lua/applet.h"
#include "lua/engine.h"
#include "lua/object.h"
#include "lua/register.h"
#include "lua/stack.h"

namespace lua {

namespace {

rt::Duration client_timeout(const txn::Exchange& exchange) {
  if (exchange.client_timeout_ms > 0) return rt::milliseconds(exchange.client_timeout_ms);
  const state::Proxy* frontend = exchange.frontend;
  const std::int64_t ms = frontend == nullptr ? 0 : frontend->settings.client_timeout_ms;
  return ms > 0 ? rt::Duration(rt::milliseconds(ms)) : rt::kForever;
}

class LuaService final : public txn::ServiceRun {
 public:
  LuaService(const Function& function, bool http, const expr::Context& context)
      : function_(function), http_(http), registry_(context.registry), proxy_(context.proxy) {}

  bool run(txn::Exchange& exchange, txn::ServiceIo& io) override {
    expr::Context context{registry_, exchange.arena};
    context.session = &exchange.session;
    context.exchange = &exchange;
    context.proxy = proxy_;
    if (!http_) {
      TcpApplet applet(io, client_timeout(exchange));
      return call(context, io, applet, &push_tcp_applet);
    }
    HttpApplet applet(io, client_timeout(exchange), exchange);
    return call(context, io, applet, &push_http_applet) && applet.started();
  }

 private:
  bool call(expr::Context& context, txn::ServiceIo& io, Applet& applet,
            void (*push_applet)(lua_State*, Call&)) {
    bool good = false;
    {
      Call call(function_, &context);
      call.io = &io;
      call.output = &applet;
      good = call.protect([&](lua_State* L) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, function_.reference(call.state()));
        push_applet(L, call);
        lua_call(L, 1, 0);
      });
      call.output = nullptr;
      finish_subject(call);
    }
    applet.flush();
    return good && !applet.gone();
  }

  const Function& function_;
  bool http_;
  state::Registry& registry_;
  state::Proxy* proxy_;
};

std::unique_ptr<txn::ServiceRun> start(expr::Context& context, const rules::ServiceRow& row) {
  return std::make_unique<LuaService>(*static_cast<const Function*>(row.data), row.http, context);
}

}  // namespace

void add_service(Engine& engine, Function& function, bool http) {
  rules::ServiceRow row;
  const std::string name = "lua." + function.name;
  row.name = name;
  row.doc = "A function of a Lua script.";
  row.http = http;
  row.start = &start;
  row.data = &function;
  engine.environment().rules.add(row);
}

void Engine::run_command(const CliCommand& command, const std::vector<std::string>& words,
                         txn::ServiceIo& io) {
  base::Arena arena;
  expr::Context context{environment_.registry, arena};
  const Function& function = *command.function;
  TcpApplet applet(io, rt::kForever);
  {
    Call call(function, &context);
    call.io = &io;
    call.output = &applet;
    call.protect([&](lua_State* L) {
      lua_rawgeti(L, LUA_REGISTRYINDEX, function.reference(call.state()));
      push_tcp_applet(L, call);
      luaL_checkstack(L, static_cast<int>(words.size()) + 1, "too many arguments");
      for (const std::string& word : words) push(L, word);
      lua_call(L, static_cast<int>(words.size()) + 1, 0);
    });
    call.output = nullptr;
    finish_subject(call);
  }
  applet.flush();
}

}  // namespace lua

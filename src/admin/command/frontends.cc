// Changes to frontends and to limits of the process.
#include <fmt/format.h>

#include "admin/command/families.h"
#include "admin/lookup.h"
#include "base/text.h"
#include "proxy/serve.h"
#include "state/registry.h"

namespace admin {
namespace {

// Nothing went wrong, but nothing was done either.
void left_alone(Call& call, std::string_view why) { call.say(obs::Level::notice, why); }

void enable_frontend(Call& call) {
  state::Proxy* proxy = find_frontend(call, call.arg(0));
  if (proxy == nullptr) return;
  if (proxy->disabled.load())
    return left_alone(call, "Frontend was previously shut down, cannot enable.");
  if (!proxy->paused.load()) return left_alone(call, "All sockets are already enabled.");
  proxy::Listening::resume(*proxy);
}

void disable_frontend(Call& call) {
  state::Proxy* proxy = find_frontend(call, call.arg(0));
  if (proxy == nullptr) return;
  if (proxy->disabled.load())
    return left_alone(call, "Frontend was previously shut down, cannot disable.");
  if (proxy->paused.load()) return left_alone(call, "All sockets are already disabled.");
  proxy::Listening::pause(*proxy);
}

void set_maxconn_frontend(Call& call) {
  state::Proxy* proxy = find_frontend(call, call.arg(0));
  if (proxy == nullptr) return;
  auto maximum = base::parse_int<std::uint32_t>(call.arg(1));
  if (!maximum) return call.error("Integer value expected.");
  proxy->maximum.store(*maximum);
}

void shutdown_frontend(Call& call) {
  state::Proxy* proxy = find_frontend(call, call.arg(0));
  if (proxy == nullptr) return;
  if (proxy->disabled.load()) return left_alone(call, "Frontend was already shut down.");
  proxy::Listening::shut(*proxy);
}

void set_maxconn_global(Call& call) {
  if (call.args.empty()) return call.error("Expects an integer value.");
  state::Process& process = call.env.registry.process();
  auto maximum = base::parse_int<std::uint32_t>(call.arg(0));
  if (!maximum || *maximum > process.hard_maximum_connections)
    return call.error("Value out of range.");
  // As with the keyword, zero asks for what is possible.
  process.maximum_connections.store(*maximum == 0 ? process.hard_maximum_connections : *maximum);
}

void set_rate_limit(Call& call) {
  state::Process& process = call.env.registry.process();
  std::atomic<std::uint32_t>* limit = call.arg(0) == "connections" ? &process.connection_rate_limit
                                      : call.arg(0) == "sessions"  ? &process.session_rate_limit
                                                                   : nullptr;
  if (limit == nullptr || call.arg(1) != "global")
    return call.error(
        "'set rate-limit' only supports :\n"
        "   - 'connections global' to set the per-process maximum connection rate\n"
        "   - 'sessions global' to set the per-process maximum session rate\n");
  auto value = base::parse_int<std::uint32_t>(call.arg(2));
  if (!value) return call.error("Expects an integer value.");
  limit->store(*value);
}

constexpr Command kCommands[] = {
    {{"enable frontend", "<frontend>", "let a frontend accept connections again"},
     Access::admin,
     enable_frontend},
    {{"disable frontend", "<frontend>", "let a frontend accept no more connections for now"},
     Access::admin,
     disable_frontend},
    {{"set maxconn frontend", "<frontend> <value>", "change a frontend's maxconn"},
     Access::admin,
     set_maxconn_frontend},
    {{"set maxconn global", "<value>", "change how many connections the process takes"},
     Access::admin,
     set_maxconn_global},
    {{"set rate-limit", "<setting> <value>",
      "change how many connections or sessions a second are taken"},
     Access::admin,
     set_rate_limit},
    {{"shutdown frontend", "<frontend>", "close a frontend for good"},
     Access::admin,
     shutdown_frontend},
};

}  // namespace

std::span<const Command> frontend_commands() { return kCommands; }

}  // namespace admin

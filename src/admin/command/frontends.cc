// Changes to frontends and to limits of the process.
#include <fmt/format.h>

#include "admin/command/families.h"
#include "admin/lookup.h"
#include "base/text.h"
#include "proxy/serve.h"
#include "state/registry.h"

namespace admin {
namespace {

void enable_frontend(Call& call) {
  state::Proxy* proxy = find_frontend(call, call.arg(0));
  if (proxy == nullptr) return;
  if (proxy->disabled.load())
    return call.error("Frontend was previously shut down, cannot enable.");
  if (!proxy->paused.load()) return call.error("All sockets are already enabled.");
  proxy::Listening::resume(*proxy);
}

void disable_frontend(Call& call) {
  state::Proxy* proxy = find_frontend(call, call.arg(0));
  if (proxy == nullptr) return;
  if (proxy->disabled.load())
    return call.error("Frontend was previously shut down, cannot disable.");
  if (proxy->paused.load()) return call.error("All sockets are already disabled.");
  proxy::Listening::pause(*proxy);
}

void set_maxconn_frontend(Call& call) {
  state::Proxy* proxy = find_frontend(call, call.arg(0));
  if (proxy == nullptr) return;
  auto maximum = base::parse_int<std::uint32_t>(call.arg(1));
  if (!maximum) return call.error("Integer value expected.");
  proxy->maximum.store(*maximum);
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
};

}  // namespace

std::span<const Command> frontend_commands() { return kCommands; }

}  // namespace admin

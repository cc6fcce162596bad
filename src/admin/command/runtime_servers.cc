// add server, del server, show default-server.
#include <fmt/format.h>

#include "admin/command/families.h"
#include "admin/lookup.h"
#include "config/diagnostics.h"
#include "expr/parse.h"
#include "proxy/config.h"
#include "state/registry.h"
#include "upstream/parse.h"

namespace admin {
namespace {

upstream::Backend* find_backend(Call& call, std::string_view name) {
  const proxy::Proxy* proxy = call.env.config.of(call.env.registry.find(name, state::kBackend));
  if (proxy != nullptr && proxy->backend != nullptr) return proxy->backend.get();
  call.error("No such backend.");
  return nullptr;
}

void tell_alerts(Call& call, const config::Diagnostics& diagnostics) {
  for (const config::Message& message : diagnostics.messages())
    if (message.severity == config::Severity::alert)
      call.error(message.hint.empty() ? message.text
                                      : fmt::format("{} ({})", message.text, message.hint));
}

// "add server be/name address settings": as a "server" line, without the default-server.
void add_server(Call& call) {
  const std::string_view where = call.arg(0);
  const std::size_t slash = where.find('/');
  if (slash == where.npos || slash + 1 == where.size())
    return call.error("Require 'backend/server'.");
  upstream::Backend* backend = find_backend(call, where.substr(0, slash));
  if (backend == nullptr) return;
  if (call.arg(1).empty())
    return call.error("'server' expects <name> and <addr>[:<port>] as arguments.");
  config::Line line;
  line.words.push_back({"server", 0});
  line.words.push_back({std::string(where.substr(slash + 1)), 0});
  for (const std::string& word : call.args.subspan(1)) line.words.push_back({word, 0});
  config::Diagnostics diagnostics;
  std::vector<std::function<void()>> deferred;
  expr::ParseContext context{call.env.expressions, call.env.registry, call.env.patterns,
                             diagnostics, deferred};
  context.proxy = &backend->state();
  context.available = expr::available_at(txn::Point::server_connect, true);
  context.place = "'server' line";
  config::Arguments args(line, diagnostics);
  auto settings = upstream::parse_runtime_server(args, context, *backend);
  for (const auto& look_up : deferred) look_up();
  if (settings == nullptr || diagnostics.failed()) return tell_alerts(call, diagnostics);
  auto added = backend->add_at_runtime(std::move(settings));
  if (!added) return call.error(added.error());
  call.notice("New server registered.");
}

void delete_server(Call& call) {
  upstream::Server* server = find_server(call, call.arg(0));
  if (server == nullptr) return;
  auto removed = server->backend().remove_at_runtime(*server);
  if (!removed) return call.error(removed.error());
  call.notice("Server deleted.");
}

void show_default_server(Call& call) {
  for (const auto& proxy : call.env.config.proxies) {
    if (proxy->backend == nullptr) continue;
    const upstream::BackendSettings& settings = proxy->backend->settings;
    if (settings.default_server != nullptr) call.print(fmt::format("* {}\n", proxy->name));
    for (const auto& [name, line] : settings.named_default_servers)
      call.print(fmt::format("  {}/{}\n", proxy->name, name));
  }
}

constexpr Command kCommands[] = {
    {{"add server", "<bk>/<srv> <addr> [param*]", "add a server, in maintenance"},
     Access::admin,
     add_server},
    {{"del server", "<bk>/<srv>", "remove a server that is in maintenance"},
     Access::admin,
     delete_server},
    {{"show default-server", "", "list the default-server settings"},
     Access::user,
     show_default_server},
};

}  // namespace

std::span<const Command> runtime_server_commands() { return kCommands; }

}  // namespace admin

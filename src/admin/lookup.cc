#include "admin/lookup.h"

#include "proxy/config.h"
#include "state/registry.h"

namespace admin {

state::Server* find_state_server(Call& call, std::string_view name) {
  std::size_t slash = name.find('/');
  if (slash == name.npos || slash + 1 == name.size()) {
    call.error("Require 'backend/server'.");
    return nullptr;
  }
  std::string_view backend = name.substr(0, slash), server = name.substr(slash + 1);
  state::Registry& registry = call.env.registry;
  state::Proxy* proxy = nullptr;
  if (auto id = base::parse_int<unsigned>(backend.substr(backend.starts_with('#'))))
    proxy = registry.find(*id);
  if (proxy == nullptr) proxy = registry.find(backend, state::kBackend);
  if (proxy == nullptr) {
    call.error("No such backend.");
    return nullptr;
  }
  if (server.starts_with('#'))
    for (const auto& candidate : proxy->servers)
      if (auto id = base::parse_int<unsigned>(server.substr(1)); id && candidate->id == *id)
        return candidate.get();
  state::Server* found = proxy->find_server(server);
  if (found == nullptr) call.error("No such server.");
  return found;
}

upstream::Server* find_server(Call& call, std::string_view name) {
  state::Server* server = find_state_server(call, name);
  if (server == nullptr) return nullptr;
  const proxy::Proxy* proxy = call.env.config.of(server->proxy);
  upstream::Server* found = proxy && proxy->backend ? proxy->backend->of(*server) : nullptr;
  if (found == nullptr) call.error("No such server.");
  return found;
}

state::Proxy* find_frontend(Call& call, std::string_view name) {
  if (name.empty()) {
    call.error("A frontend name is expected.");
    return nullptr;
  }
  state::Proxy* proxy = call.env.registry.find(name, state::kFrontend);
  if (proxy == nullptr) call.error("No such frontend.");
  return proxy;
}

}  // namespace admin

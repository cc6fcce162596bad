#include <fmt/format.h>

#include "config/diagnostics.h"
#include "net/resolver.h"
#include "upstream/check_rules.h"

namespace upstream {

namespace {

// "addr", "agent-addr": numbers, or names that are asked for once.
bool direct(Checker& checker, config::Diagnostics& diagnostics) {
  const ProbeSettings& probe = checker.probe();
  if (!probe.has_address) return true;
  net::Ip ip = net::Ip::parse(probe.address.host);
  if (ip.family == 0) {
    const auto found = net::resolve(probe.address.host, probe.address.family, rt::kNever);
    if (found && !found->empty()) ip = found->front();
  }
  if (ip.family == 0) {
    diagnostics.alert(checker.server().settings().at,
                      fmt::format("server '{}': could not resolve address '{}' of its checks",
                                  checker.server().state().name, probe.address.host));
    return false;
  }
  checker.set_target(ip, 0);
  return true;
}

}  // namespace

const CheckDraft* check_draft(const ServerSettings& server, const BackendSettings& backend) {
  if (server.check.health_check.empty()) return backend.check.get();
  if (backend.health_checks == nullptr) return nullptr;
  const auto found = backend.health_checks->find(server.check.health_check);
  return found == backend.health_checks->end() ? nullptr : found->second.get();
}

// Of a server that is added at run time.
bool prepare_check(Server& server, config::Diagnostics& diagnostics) {
  const ServerSettings& settings = server.settings();
  const Backend& backend = server.backend();
  if (settings.check.enabled) {
    auto rules = make_check_rules(check_draft(settings, backend.settings), backend.settings,
                                  backend.state().name, diagnostics);
    if (rules == nullptr) return false;
    server.checker_ = std::make_unique<Checker>(server, Checker::Kind::health, std::move(rules));
    if (!direct(*server.checker_, diagnostics)) return false;
  }
  if (!settings.agent.enabled) return true;
  server.agent_ = std::make_unique<Checker>(server, Checker::Kind::agent, make_agent_rules());
  return direct(*server.agent_, diagnostics);
}

bool prepare_checks(Backend& backend, config::Diagnostics& diagnostics) {
  std::shared_ptr<const CheckRules> agent_rules;
  std::map<const CheckDraft*, std::shared_ptr<const CheckRules>> made;
  bool good = true;
  for (const auto& server : backend.servers()) {
    const ServerSettings& settings = server->settings();
    if (settings.check.enabled) {
      const CheckDraft* draft = check_draft(settings, backend.settings);
      auto& rules = made[draft];
      if (rules == nullptr)
        rules = make_check_rules(draft, backend.settings, backend.state().name, diagnostics);
      if (rules == nullptr) return false;
      server->checker_ = std::make_unique<Checker>(*server, Checker::Kind::health, rules);
      good &= direct(*server->checker_, diagnostics);
      // A server that has to prove itself first does not begin in use.
      if (!server->checker_->healthy() && !settings.disabled)
        server->state().oper = state::OperState::stopped;
    }
    if (settings.agent.enabled) {
      if (agent_rules == nullptr) agent_rules = make_agent_rules();
      server->agent_ = std::make_unique<Checker>(*server, Checker::Kind::agent, agent_rules);
      good &= direct(*server->agent_, diagnostics);
    }
  }
  return good;
}

}  // namespace upstream

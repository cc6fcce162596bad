#include "config/diagnostics.h"
#include "upstream/check_rules.h"

namespace upstream {

bool prepare_checks(Backend& backend, config::Diagnostics& diagnostics) {
  std::shared_ptr<const CheckRules> rules, agent_rules;
  for (const auto& server : backend.servers()) {
    const ServerSettings& settings = server->settings();
    if (settings.check.enabled) {
      if (rules == nullptr) rules = make_check_rules(backend.settings, diagnostics);
      if (rules == nullptr) return false;
      server->checker_ = std::make_unique<Checker>(*server, Checker::Kind::health, rules);
      // A server that has to prove itself first does not begin in use.
      if (!server->checker_->healthy() && !settings.disabled)
        server->state().oper = state::OperState::stopped;
    }
    if (settings.agent.enabled) {
      if (agent_rules == nullptr) agent_rules = make_agent_rules();
      server->agent_ = std::make_unique<Checker>(*server, Checker::Kind::agent, agent_rules);
    }
  }
  return true;
}

}  // namespace upstream

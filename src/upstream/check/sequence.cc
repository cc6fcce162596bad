// From the draft of a section to a sequence of steps, and its execution.
#include <fmt/format.h>

#include "config/diagnostics.h"
#include "upstream/check/external.h"
#include "upstream/check/protocols.h"
#include "upstream/check/steps.h"

namespace upstream {

namespace {

class Sequence final : public CheckRules {
 public:
  explicit Sequence(Steps steps) : steps_(std::move(steps)) {}

  CheckOutcome probe(Checker& checker) const override {
    CheckRun run(checker);
    unsigned number = 0;
    for (const auto& step : steps_) {
      // A connect that nobody wrote has no number.
      if (!step->implicit || step->kind() != CheckStep::Kind::connect) ++number;
      run.step = number;
      if (!step->run(run)) break;
    }
    if (run.outcome.verdict == CheckOutcome::Verdict::passed) run.share_connection();
    return std::move(run.outcome);
  }

 private:
  Steps steps_;
};

using Kind = CheckStep::Kind;

bool begins_with_connect(const Steps& steps) {
  for (const auto& step : steps) {
    if (step->kind() == Kind::connect) return true;
    if (step->kind() == Kind::send || step->kind() == Kind::expect) return false;
  }
  return false;
}

// A request as it goes out: what the rule leaves open comes from "option httpchk".
std::shared_ptr<HttpSendStep> merged(const HttpSendStep* rule, const HttpSendStep* line,
                                     bool send_state) {
  auto step =
      rule != nullptr ? std::make_shared<HttpSendStep>(*rule) : std::make_shared<HttpSendStep>();
  if (line != nullptr) {
    if (step->method.empty()) step->method = line->method;
    if (step->target.empty() && step->target_format == nullptr) {
      step->target = line->target;
      step->target_format = line->target_format;
    }
    if (step->version.empty()) step->version = line->version;
    for (const auto& header : line->headers) step->headers.insert(step->headers.begin(), header);
  }
  step->send_state = send_state;
  return step;
}

std::shared_ptr<const CheckRules> http_sequence(const CheckDraft& draft) {
  Steps steps;
  if (!begins_with_connect(draft.steps)) {
    auto connect = std::make_shared<ConnectStep>();
    connect->implicit = connect->http = true;
    steps.push_back(connect);
  }
  const auto* line = static_cast<const HttpSendStep*>(draft.request.get());
  bool sent = false, expected = false;
  const auto finish_request = [&] {
    if (!sent || expected) return;
    auto usual = std::make_shared<HttpExpectStep>();
    usual->disable_on_404 = draft.disable_on_404;
    usual->implicit = true;
    steps.push_back(usual);
    expected = true;
  };
  for (const auto& step : draft.steps) {
    if (step->kind() == Kind::expect && !sent) {
      steps.push_back(merged(nullptr, line, draft.send_state));
      sent = true;
    }
    if (step->kind() == Kind::send) {
      steps.push_back(merged(static_cast<const HttpSendStep*>(step.get()), sent ? nullptr : line,
                             draft.send_state));
      sent = true;
      expected = false;
      continue;
    }
    if (step->kind() == Kind::expect) {
      auto expect = std::make_shared<HttpExpectStep>(static_cast<const HttpExpectStep&>(*step));
      expect->disable_on_404 = draft.disable_on_404;
      steps.push_back(std::move(expect));
      expected = true;
      continue;
    }
    steps.push_back(step);
  }
  if (!sent) {
    steps.push_back(merged(nullptr, line, draft.send_state));
    sent = true;
  }
  finish_request();
  return std::make_shared<Sequence>(std::move(steps));
}

std::shared_ptr<const CheckRules> tcp_sequence(const CheckDraft& draft) {
  Steps steps;
  if (!begins_with_connect(draft.steps)) steps.push_back(connect_step());
  steps.insert(steps.end(), draft.steps.begin(), draft.steps.end());
  return std::make_shared<Sequence>(std::move(steps));
}

std::shared_ptr<const CheckRules> external(const BackendSettings& settings, std::string_view proxy,
                                           config::Diagnostics& diagnostics) {
  const auto about = [proxy](std::string_view what) {
    return fmt::format("Proxy '{}' : 'option external-check' {}", proxy, what);
  };
  const auto needs = [&](std::string_view word) {
    diagnostics.alert({}, about(fmt::format("unable to find required '{}'.", word)));
  };
  if (!settings.external_checks) needs("global.external-check");
  if (settings.external_command.empty()) needs("external-check command");
  if (!settings.external_checks || settings.external_command.empty()) return nullptr;
  if (!settings.external_forks)
    diagnostics.warning({}, about("runs programs, for which 'insecure-fork-wanted' is not enabled "
                                  "in the global section: where the system forbids it, it fails."));
  return make_external_rules(settings);
}

}  // namespace

std::shared_ptr<const CheckRules> make_check_rules(const CheckDraft* given,
                                                   const BackendSettings& settings,
                                                   std::string_view proxy,
                                                   config::Diagnostics& diagnostics) {
  CheckDraft draft = given != nullptr ? *given : CheckDraft();
  // Rules of the other protocol have no effect.
  if (draft.http_steps != (draft.kind == CheckDraft::Kind::http)) draft.steps.clear();
  const auto protocol = [](Steps steps) { return std::make_shared<Sequence>(std::move(steps)); };
  switch (draft.kind) {
    case CheckDraft::Kind::none:
      return protocol({connect_step()});
    case CheckDraft::Kind::tcp:
      return tcp_sequence(draft);
    case CheckDraft::Kind::http:
      return http_sequence(draft);
    case CheckDraft::Kind::ssl_hello:
      return protocol(ssl_hello_steps());
    case CheckDraft::Kind::smtp:
      return protocol(smtp_steps(draft));
    case CheckDraft::Kind::ldap:
      return protocol(ldap_steps());
    case CheckDraft::Kind::mysql:
      return protocol(mysql_steps(draft));
    case CheckDraft::Kind::pgsql:
      return protocol(pgsql_steps(draft));
    case CheckDraft::Kind::redis:
      return protocol(redis_steps());
    case CheckDraft::Kind::spop:
      return protocol(spop_steps());
    case CheckDraft::Kind::external:
      return external(settings, proxy, diagnostics);
  }
  return nullptr;
}

}  // namespace upstream

// The agent check: a line of words beside the health check (manual, "agent-check").
#include <fmt/format.h>

#include "base/text.h"
#include "upstream/check/steps.h"

namespace upstream {

namespace {

constexpr std::size_t kMostLine = 16384;

struct AgentWords {
  std::string_view weight, maximum, admin, health, reason;
};

// Words are delimited by blanks, tabs and commas; a reason follows '#'.
AgentWords split_words(std::string_view line) {
  AgentWords words;
  if (const std::size_t sharp = line.find('#'); sharp != std::string_view::npos) {
    words.reason = base::trim(line.substr(sharp + 1));
    line = line.substr(0, sharp);
  }
  while (!line.empty()) {
    const std::size_t end = std::min(line.find_first_of(" \t,"), line.size());
    const std::string_view word = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    if (word.empty()) continue;
    if (base::is_digit(word[0]) && word.ends_with('%'))
      words.weight = word;
    else if (base::istarts_with(word, "weight:"))
      words.weight = word.substr(7);
    else if (base::istarts_with(word, "maxconn:"))
      words.maximum = word.substr(8);
    else if (base::iequals(word, "ready") || base::iequals(word, "drain") ||
             base::iequals(word, "maint"))
      words.admin = word;
    else if (base::iequals(word, "up") || base::iequals(word, "down") ||
             base::iequals(word, "stopped") || base::iequals(word, "fail"))
      words.health = word;
  }
  return words;
}

class AgentRules final : public CheckRules {
 public:
  CheckOutcome probe(Checker& checker) const override {
    CheckRun run(checker);
    run.clean_close = true;
    CheckOutcome neutral;
    neutral.verdict = CheckOutcome::Verdict::neutral;
    ConnectStep connect;
    connect.implicit = true;
    // An agent that cannot be reached says nothing about the server.
    if (!connect.run(run)) return neutral;
    const std::string hello = checker.agent_send();
    if (!hello.empty() && !run.send(hello)) return neutral;
    while (!run.over && run.input.size() < kMostLine &&
           run.input.find_first_of("\r\n") == std::string::npos)
      if (run.receive() == CheckRun::Read::timed_out) return neutral;
    const std::string line = run.input.substr(0, run.input.find_first_of("\r\n"));
    if (line.empty()) return neutral;
    return obey(checker, line);
  }

 private:
  static CheckOutcome obey(Checker& checker, const std::string& line) {
    Server& server = checker.server();
    const AgentWords words = split_words(line);
    CheckOutcome outcome;
    outcome.verdict = CheckOutcome::Verdict::neutral;
    if (!words.admin.empty() && !control::set_state(server, base::to_lower(words.admin)))
      return outcome;
    if (!words.weight.empty()) {
      const auto done = control::set_weight(server, words.weight);
      if (!done) outcome.text = done.error();
    }
    if (const auto maximum = base::parse_int<std::uint32_t>(words.maximum); maximum)
      (void)control::set_maximum(server, *maximum);
    if (words.health.empty()) return outcome;
    const bool up = base::iequals(words.health, "up");
    outcome.verdict = up ? CheckOutcome::Verdict::passed : CheckOutcome::Verdict::failed;
    outcome.status = up ? state::CheckStatus::l7_ok : state::CheckStatus::l7_status;
    // The word itself is shown: it tells a planned stop from a failure.
    outcome.text = up ? std::string() : std::string(words.health);
    if (!words.reason.empty()) outcome.text += fmt::format(" ({})", words.reason);
    return outcome;
  }
};

}  // namespace

std::shared_ptr<const CheckRules> make_agent_rules() { return std::make_shared<AgentRules>(); }

}  // namespace upstream

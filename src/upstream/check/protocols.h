// Conversations of well-known servers as sequences of steps: "option smtpchk" and its like.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "upstream/check/run.h"

namespace upstream {

using Steps = std::vector<std::shared_ptr<const CheckStep>>;

Steps smtp_steps(const CheckDraft& draft);
Steps redis_steps();
Steps mysql_steps(const CheckDraft& draft);
Steps pgsql_steps(const CheckDraft& draft);
Steps ldap_steps();
Steps spop_steps();
Steps ssl_hello_steps();

// A step whose work is a function on what was received: true with the outcome set, false with the
// outcome set, or nothing while more bytes are needed.
class JudgeStep final : public CheckStep {
 public:
  using Judge = std::optional<bool> (*)(CheckRun& run, std::string_view input, bool over);
  JudgeStep(Judge judge, state::CheckStatus empty_status, bool names_step)
      : CheckStep(Kind::expect),
        judge_(judge),
        empty_status_(empty_status),
        names_step_(names_step) {
    implicit = true;
  }
  bool run(CheckRun& run) const override;

 private:
  Judge judge_;
  state::CheckStatus empty_status_;  // the server closed before it said enough
  bool names_step_;                  // the message about that names the step
};

std::shared_ptr<const CheckStep> connect_step();
std::shared_ptr<const CheckStep> send_step(std::string bytes);
std::shared_ptr<const CheckStep> judge_step(
    JudgeStep::Judge judge, state::CheckStatus empty_status = state::CheckStatus::l7_response,
    bool names_step = false);

}  // namespace upstream

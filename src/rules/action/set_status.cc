// set-status (manual section 4.4).
#include "http/h1.h"
#include "rules/action/support.h"
#include "rules/action/tables.h"

namespace rules::action {
namespace {

class SetStatus : public Action {
 public:
  SetStatus(std::uint16_t status, std::string reason)
      : status_(status), reason_(std::move(reason)) {}
  Verdict run(expr::Context& context) override {
    if (context.exchange == nullptr) return Verdict::next;
    context.exchange->response.status = status_;
    context.exchange->response.reason =
        reason_.empty() ? http::reason_phrase(status_) : std::string_view(reason_);
    return Verdict::next;
  }

 private:
  std::uint16_t status_;
  std::string reason_;
};

Made parse(config::Arguments& args, ParseContext& context, std::string_view word,
           const ActionRow&) {
  Reader in(args, context, word);
  auto text = in.text("expects 1 argument <status> or 3 arguments <status> reason <fmt>");
  if (!text) return nullptr;
  auto status = base::parse_int<std::uint16_t>(*text);
  if (!status || *status < 100 || *status > 999)
    return in.fail_at_previous("expects an integer status code between 100 and 999");
  std::string reason;
  if (in.accept("reason")) {
    auto given = in.text("expects a text after 'reason'");
    if (!given) return nullptr;
    reason = std::move(*given);
  }
  return std::make_unique<SetStatus>(*status, std::move(reason));
}

// clang-format off
constexpr ActionRow kRows[] = {
    {{"set-status", "<status> [reason <str>]", "Sets the response's status."},
     kHttpResponse | kHttpAfterResponse, parse},
};
// clang-format on

}  // namespace

std::span<const ActionRow> set_status_rows() { return kRows; }

}  // namespace rules::action

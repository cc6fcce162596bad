// set-log-level (manual section 4.4).
#include "obs/log.h"
#include "rules/action/support.h"
#include "rules/action/tables.h"

namespace rules::action {
namespace {

constexpr int kSilent = 8;

class SetLogLevel : public Action {
 public:
  explicit SetLogLevel(int level) : level_(level) {}
  Verdict run(expr::Context& context) override {
    if (context.exchange != nullptr) context.exchange->log_level = level_;
    return Verdict::next;
  }

 private:
  int level_;
};

Made parse(config::Arguments& args, ParseContext& context, std::string_view word,
           const ActionRow&) {
  Reader in(args, context, word);
  constexpr std::string_view kWhat = "expects exactly 1 argument (log level name or 'silent')";
  auto text = in.text(kWhat);
  if (!text) return nullptr;
  if (*text == "silent") return std::make_unique<SetLogLevel>(kSilent);
  obs::Level level{};
  if (!obs::parse_level(*text, level)) return in.fail_at_previous(kWhat);
  return std::make_unique<SetLogLevel>(static_cast<int>(level));
}

// clang-format off
constexpr ActionRow kRows[] = {
    {{"set-log-level", "<level>", "Sets the level of this exchange's log line, or silences it."},
     kTcpRequestContent | kTcpResponseContent | kHttpRequest | kHttpResponse | kHttpAfterResponse,
     parse},
};
// clang-format on

}  // namespace

std::span<const ActionRow> set_log_level_rows() { return kRows; }

}  // namespace rules::action

// set-retries, disable-l7-retry (manual section 4.4).
#include "rules/action/support.h"
#include "rules/action/tables.h"

namespace rules::action {
namespace {

constexpr std::int64_t kMaxRetries = 100;

class SetRetries : public Action {
 public:
  explicit SetRetries(Number value) : value_(std::move(value)) {}
  Verdict run(expr::Context& context) override {
    std::int64_t retries = 0;
    if (context.exchange != nullptr && value_.get(context, retries) && retries >= 0 &&
        retries <= kMaxRetries)
      context.exchange->max_retries = static_cast<std::int32_t>(retries);
    return Verdict::next;
  }

 private:
  Number value_;
};

Made parse(config::Arguments& args, ParseContext& context, std::string_view word,
           const ActionRow&) {
  Reader in(args, context, word);
  if (context.in_defaults || in.proxy() == nullptr || !(in.proxy()->capabilities & state::kBackend))
    return in.fail_at_previous("'set-retries' only available in backend or listen section");
  if (!in.more()) return in.fail("expects 1 argument (an integer or an expression)");
  Number value;
  if (auto number = base::parse_int<std::int64_t>(in.peek())) {
    in.next();
    if (*number < 0 || *number > kMaxRetries)
      return in.fail_at_previous("expects an integer value between 0 and 100");
    value.fixed = *number;
  } else {
    value.expression = in.expression();
    if (value.expression == nullptr) return nullptr;
  }
  return std::make_unique<SetRetries>(std::move(value));
}

class DisableL7Retry : public Action {
 public:
  Verdict run(expr::Context& context) override {
    if (context.exchange != nullptr) context.exchange->no_l7_retry = true;
    return Verdict::next;
  }
};

Made parse_disable(config::Arguments&, ParseContext&, std::string_view, const ActionRow&) {
  return std::make_unique<DisableL7Retry>();
}

// clang-format off
constexpr ActionRow kRows[] = {
    {{"set-retries", "{ <int> | <expr> }", "Sets how often connecting is tried again."},
     kTcpRequestContent | kHttpRequest, parse},
    {{"disable-l7-retry", "", "Lets only failed connections be tried again."},
     kHttpRequest, parse_disable},
};
// clang-format on

}  // namespace

std::span<const ActionRow> set_retries_rows() { return kRows; }

}  // namespace rules::action

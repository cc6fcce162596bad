// strict-mode: whether a rewrite that fails is an error, for the rules behind (manual section 4.4).
#include <fmt/format.h>

#include "rules/action/support.h"
#include "rules/action/tables.h"

namespace rules::action {
namespace {

class StrictMode : public Action {
 public:
  explicit StrictMode(bool on) : on_(on) {}
  Verdict run(expr::Context& context) override {
    if (context.exchange != nullptr) context.exchange->strict_rewrite = on_;
    return Verdict::next;
  }

 private:
  bool on_;
};

Made parse(config::Arguments& args, ParseContext& context, std::string_view word,
           const ActionRow&) {
  Reader in(args, context, word);
  auto text = in.text("expects exactly 1 argument");
  if (!text) return nullptr;
  if (*text != "on" && *text != "off")
    return in.fail_at_previous(
        fmt::format("Unexpected value '{}'. Only 'on' and 'off' are supported", *text));
  return std::make_unique<StrictMode>(*text == "on");
}

// clang-format off
constexpr ActionRow kRows[] = {
    {{"strict-mode", "{ on | off }", "Sets whether failed rewrites are errors."},
     kHttpRequest | kHttpResponse | kHttpAfterResponse, parse},
};
// clang-format on

}  // namespace

std::span<const ActionRow> strict_mode_rows() { return kRows; }

}  // namespace rules::action

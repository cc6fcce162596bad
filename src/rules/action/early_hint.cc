// early-hint: a 103 response before the final one (RFC 8297, manual section 4.4).
#include "rules/action/support.h"
#include "rules/action/tables.h"

namespace rules::action {
namespace {

class EarlyHint : public Action {
 public:
  EarlyHint(std::string name, std::unique_ptr<expr::LogFormat> value)
      : name_(std::move(name)), value_(std::move(value)) {}
  Verdict run(expr::Context& context) override {
    txn::Exchange* exchange = context.exchange;
    // Interim responses exist since HTTP/1.1 (RFC 9110 section 15.2).
    if (exchange == nullptr || exchange->engine == nullptr ||
        exchange->request.version == http::Version{1, 0})
      return Verdict::next;
    http::ResponseHead head;
    head.status = 103;
    head.reason = "Early Hints";
    head.headers.add_parsed({name_, value_->text(context), http::id_of(name_)});
    exchange->engine->send_interim(head);
    return Verdict::next;
  }

 private:
  std::string name_;  // lower case
  std::unique_ptr<expr::LogFormat> value_;
};

Made parse(config::Arguments& args, ParseContext& context, std::string_view word,
           const ActionRow&) {
  Reader in(args, context, word);
  auto name = in.text("expects exactly 2 arguments");
  if (!name) return nullptr;
  auto value = in.format("expects exactly 2 arguments");
  if (value == nullptr) return nullptr;
  return std::make_unique<EarlyHint>(base::to_lower(*name), std::move(value));
}

// clang-format off
constexpr ActionRow kRows[] = {
    {{"early-hint", "<name> <fmt>", "Sends a 103 response with that header."}, kHttpRequest, parse},
};
// clang-format on

}  // namespace

std::span<const ActionRow> early_hint_rows() { return kRows; }

}  // namespace rules::action

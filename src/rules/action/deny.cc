// deny, tarpit: refuses, at once or after the tarpit timeout (manual section 4.4).
#include "rules/action/support.h"
#include "rules/action/tables.h"
#include "rules/reply.h"

namespace rules::action {
namespace {

class Deny : public Action {
 public:
  Deny(std::unique_ptr<ReplyTemplate> reply, bool tarpit)
      : reply_(std::move(reply)), tarpit_(tarpit) {}
  Verdict run(expr::Context& context) override {
    txn::Exchange& exchange = *context.exchange;
    exchange.reply = reply_->make(context);
    if (tarpit_) {
      exchange.tarpit = true;
      exchange.end = {txn::Cause::proxy, txn::Phase::tarpit};
    }
    finish(context, txn::Cause::proxy);
    return Verdict::deny;
  }

 private:
  std::unique_ptr<ReplyTemplate> reply_;
  bool tarpit_;
};

Made parse(config::Arguments& args, ParseContext& context, std::string_view word,
           const ActionRow& row) {
  Reader in(args, context, word);
  bool tarpit = row.name == "tarpit";
  std::uint16_t status = tarpit ? 500 : in.in_response() ? 502 : 403;
  auto reply = ReplyTemplate::parse(in, status, true);
  if (reply == nullptr) return nullptr;
  return std::make_unique<Deny>(std::move(reply), tarpit);
}

// clang-format off
constexpr ActionRow kRows[] = {
    {{"deny", "[{status | deny_status} <code>] [content-type <type>] [<body>] [hdr <name> <fmt>]*",
      "Refuses with 403 (requests) or 502 (responses)."},
     kHttpRequest | kHttpResponse, parse, false, true},
    {{"tarpit", "[{status | deny_status} <code>] [content-type <type>] [<body>] [hdr <name> <fmt>]*",
      "Refuses after the tarpit timeout."},
     kHttpRequest, parse, false, true},
};
// clang-format on

}  // namespace

std::span<const ActionRow> deny_rows() { return kRows; }

}  // namespace rules::action

// return: answers at once (manual section 4.4).
#include "rules/action/support.h"
#include "rules/action/tables.h"
#include "rules/reply.h"

namespace rules::action {
namespace {

class Return : public Action {
 public:
  explicit Return(std::unique_ptr<ReplyTemplate> reply) : reply_(std::move(reply)) {}
  Verdict run(expr::Context& context) override {
    context.exchange->reply = reply_->make(context);
    finish(context, txn::Cause::local);
    return Verdict::reply;
  }

 private:
  std::unique_ptr<ReplyTemplate> reply_;
};

Made parse(config::Arguments& args, ParseContext& context, std::string_view word,
           const ActionRow&) {
  Reader in(args, context, word);
  auto reply = ReplyTemplate::parse(in, 200, false);
  if (reply == nullptr) return nullptr;
  return std::make_unique<Return>(std::move(reply));
}

// clang-format off
constexpr ActionRow kRows[] = {
    {{"return", "[status <code>] [content-type <type>] [<body>] [hdr <name> <fmt>]*",
      "Answers at once."},
     kHttpRequest | kHttpResponse, parse, false, true},
};
// clang-format on

}  // namespace

std::span<const ActionRow> return_rows() { return kRows; }

}  // namespace rules::action

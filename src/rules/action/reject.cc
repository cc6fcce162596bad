// reject: the connection ends without an answer (manual section 4.4).
#include "rules/action/support.h"
#include "rules/action/tables.h"

namespace rules::action {
namespace {

class Reject : public Action {
 public:
  Verdict run(expr::Context& context) override {
    finish(context, txn::Cause::proxy);
    return Verdict::close;
  }
};

Made parse(config::Arguments&, ParseContext&, std::string_view, const ActionRow&) {
  return std::make_unique<Reject>();
}

// clang-format off
constexpr ActionRow kRows[] = {
    {{"reject", "", "Ends the connection without an answer."},
     kTcpConnection | kTcpSession | kTcpRequestContent | kTcpResponseContent | kHttpRequest,
     parse, false, true},
};
// clang-format on

}  // namespace

std::span<const ActionRow> reject_rows() { return kRows; }

}  // namespace rules::action

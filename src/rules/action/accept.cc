// accept, allow: the ruleset is over, traffic goes on (manual section 4.4).
#include "rules/action/support.h"
#include "rules/action/tables.h"

namespace rules::action {
namespace {

class Accept : public Action {
 public:
  Verdict run(expr::Context&) override { return Verdict::stop; }
};

Made parse(config::Arguments&, ParseContext&, std::string_view, const ActionRow&) {
  return std::make_unique<Accept>();
}

// clang-format off
constexpr ActionRow kRows[] = {
    {{"accept", "", "Ends the ruleset; traffic goes on."},
     kTcpConnection | kTcpSession | kTcpRequestContent | kTcpResponseContent, parse, false, true},
    {{"allow", "", "Ends the ruleset; traffic goes on."},
     kHttpRequest | kHttpResponse | kHttpAfterResponse, parse, false, true},
};
// clang-format on

}  // namespace

std::span<const ActionRow> accept_rows() { return kRows; }

}  // namespace rules::action

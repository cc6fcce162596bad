// close: the connection to the server ends, the client keeps what it got (manual section 4.4).
#include "rules/action/support.h"
#include "rules/action/tables.h"

namespace rules::action {
namespace {

class Close : public Action {
 public:
  Verdict run(expr::Context& context) override {
    if (context.exchange != nullptr && context.exchange->response_channel != nullptr)
      context.exchange->response_channel->close();
    return Verdict::stop;
  }
};

Made parse(config::Arguments&, ParseContext&, std::string_view, const ActionRow&) {
  return std::make_unique<Close>();
}

// clang-format off
constexpr ActionRow kRows[] = {
    {{"close", "", "Closes the connection to the server."},
     kTcpResponseContent, parse, false, true},
};
// clang-format on

}  // namespace

std::span<const ActionRow> close_rows() { return kRows; }

}  // namespace rules::action

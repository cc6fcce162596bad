// expect-proxy layer4, expect-netscaler-cip layer4: a header of a proxy before us must come before
// anything else (manual section 4.3).
#include "rules/action/support.h"
#include "rules/action/tables.h"

namespace rules::action {
namespace {

class ExpectProxy : public Action {
 public:
  Verdict run(expr::Context& context) override {
    if (context.session != nullptr) context.session->more().expect_proxy = true;
    return Verdict::next;
  }
};

class ExpectNetscaler : public Action {
 public:
  Verdict run(expr::Context& context) override {
    if (context.session_engine != nullptr) context.session_engine->expect_netscaler();
    return Verdict::next;
  }
};

template <class Expect>
Made parse(config::Arguments& args, ParseContext& context, std::string_view word,
           const ActionRow&) {
  Reader in(args, context, word);
  if (!in.accept("layer4")) return in.fail("expects 'layer4'");
  return std::make_unique<Expect>();
}

// clang-format off
constexpr ActionRow kRows[] = {
    {{"expect-netscaler-cip", "layer4", "Expects a NetScaler header from this connection."},
     kTcpConnection, parse<ExpectNetscaler>},
    {{"expect-proxy", "layer4", "Expects a PROXY header from this connection."},
     kTcpConnection, parse<ExpectProxy>},
};
// clang-format on

}  // namespace

std::span<const ActionRow> expect_proxy_rows() { return kRows; }

}  // namespace rules::action

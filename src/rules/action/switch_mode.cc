// switch-mode http: the bytes of a TCP connection are requests from here on (manual sections 4 and
// 4.3).
#include <fmt/format.h>

#include "rules/action/support.h"
#include "rules/action/tables.h"

namespace rules::action {
namespace {

// On a connection that is HTTP already nothing changes, but the rules are over all the same.
class SwitchMode : public Action {
 public:
  Verdict run(expr::Context& context) override {
    if (context.exchange != nullptr) context.exchange->is_http = true;
    return Verdict::stop;
  }
};

bool known_protocol(Reader& in, std::string_view name) {
  if (name == "h1") return true;
  if (name == "h2") {
    in.fail_at_previous("'proto' : HTTP/2 is not available yet");
  } else if (name == "none" || name == "fcgi" || name == "spop") {
    in.fail_at_previous(fmt::format("protocol '{}' is not one of HTTP clients", name));
  } else {
    in.fail_at_previous(
        fmt::format("'proto' expects a valid MUX protocol, if specified (got '{}')", name));
  }
  return false;
}

Made parse(config::Arguments& args, ParseContext& context, std::string_view word,
           const ActionRow&) {
  Reader in(args, context, word);
  if (in.proxy() != nullptr && !(in.proxy()->capabilities & state::kFrontend))
    return in.fail_at_previous(
        fmt::format("not allowed because {} has no frontend capability", in.proxy()->name));
  if (!in.more()) return in.fail("expects a mode as argument");
  if (!in.accept("http")) return in.fail(fmt::format("expects a valid mode (got '{}')", in.peek()));
  if (in.accept("proto")) {
    const auto name = in.text("'proto' expects a protocol as argument");
    if (!name || !known_protocol(in, *name)) return nullptr;
  }
  return std::make_unique<SwitchMode>();
}

// clang-format off
constexpr ActionRow kRows[] = {
    {{"switch-mode", "http [ proto h1 ]", "Goes on with HTTP/1 on a TCP connection."},
     kTcpRequestContent, parse},
};
// clang-format on

}  // namespace

std::span<const ActionRow> switch_mode_rows() { return kRows; }

}  // namespace rules::action

// auth: asks for a user and a password (RFC 7617, manual section 4.4).
#include "rules/action/support.h"
#include "rules/action/tables.h"
#include "txn/tracking.h"

namespace rules::action {
namespace {

class Auth : public Action {
 public:
  explicit Auth(std::string realm) : realm_(std::move(realm)) {}
  Verdict run(expr::Context& context) override {
    auto reply = std::make_shared<txn::Reply>(*error_reply(context, 401));
    std::erase_if(reply->headers, [](const auto& header) {
      return base::iequals(header.first, "www-authenticate");
    });
    std::string_view realm =
        realm_.empty() && context.proxy != nullptr ? std::string_view(context.proxy->name) : realm_;
    std::string challenge = "Basic realm=\"";
    for (char c : realm) {
      if (c == '"' || c == '\\') challenge += '\\';
      challenge += c;
    }
    reply->headers.emplace_back("www-authenticate", challenge + '"');
    context.exchange->reply = std::move(reply);
    txn::count_tracked(context.exchange->session, context.exchange, state::StickEvent::error);
    finish(context, txn::Cause::local);
    return Verdict::reply;
  }

 private:
  std::string realm_;  // empty: the proxy's name
};

Made parse(config::Arguments& args, ParseContext& context, std::string_view word,
           const ActionRow&) {
  Reader in(args, context, word);
  std::string realm;
  if (in.accept("realm")) {
    auto text = in.text("expects a realm after 'realm'");
    if (!text) return nullptr;
    realm = std::move(*text);
  }
  return std::make_unique<Auth>(std::move(realm));
}

// clang-format off
constexpr ActionRow kRows[] = {
    {{"auth", "[realm <realm>]", "Asks for a user and a password with 401."},
     kHttpRequest, parse, false, true},
};
// clang-format on

}  // namespace

std::span<const ActionRow> auth_rows() { return kRows; }

}  // namespace rules::action

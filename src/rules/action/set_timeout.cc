// set-timeout (manual section 4.4): another timeout for this exchange.
#include <fmt/format.h>

#include "config/units.h"
#include "rules/action/support.h"
#include "rules/action/tables.h"

namespace rules::action {
namespace {

struct Which {
  std::string_view name;
  std::int64_t txn::Exchange::*field;
  std::uint8_t capabilities;  // what the proxy must be able to do
};
constexpr Which kWhich[] = {
    {"client", &txn::Exchange::client_timeout_ms, state::kFrontend},
    {"connect", &txn::Exchange::connect_timeout_ms, state::kBackend},
    {"queue", &txn::Exchange::queue_timeout_ms, state::kBackend},
    {"server", &txn::Exchange::server_timeout_ms, state::kBackend},
    {"tarpit", &txn::Exchange::tarpit_timeout_ms, state::kFrontend | state::kBackend},
    {"tunnel", &txn::Exchange::tunnel_timeout_ms, state::kBackend},
};

class SetTimeout : public Action {
 public:
  SetTimeout(std::int64_t txn::Exchange::*field, Number value)
      : field_(field), value_(std::move(value)) {}
  Verdict run(expr::Context& context) override {
    std::int64_t ms = 0;
    if (context.exchange != nullptr && value_.get(context, ms) && ms > 0)
      context.exchange->*field_ = ms;
    return Verdict::next;
  }

 private:
  std::int64_t txn::Exchange::*field_;
  Number value_;
};

Made parse(config::Arguments& args, ParseContext& context, std::string_view word,
           const ActionRow&) {
  Reader in(args, context, word);
  auto name = in.text("expects 2 arguments");
  if (!name) return nullptr;
  const Which* which = nullptr;
  for (const Which& known : kWhich)
    if (known.name == *name) which = &known;
  if (which == nullptr)
    return in.fail_at_previous(
        fmt::format("'set-timeout' rule supports 'client'/'connect'/'queue'/'server'/'tarpit'/"
                    "'tunnel' (got '{}')",
                    *name));
  if (in.proxy() != nullptr && !context.in_defaults &&
      !(in.proxy()->capabilities & which->capabilities))
    return in.fail_at_previous(
        fmt::format("'{}' has no {} capability", in.proxy()->name,
                    which->capabilities & state::kBackend ? "backend" : "frontend"));
  if (!in.more()) return in.fail("expects 2 arguments");
  Number value;
  if (base::is_digit(in.peek()[0])) {
    auto ms = args.time_ms("set-timeout");
    if (!ms) return nullptr;
    if (*ms == 0) return in.fail_at_previous("null value is not valid for a 'set-timeout' rule");
    value.fixed = *ms;
  } else {
    value.expression = in.expression();
    if (value.expression == nullptr) return nullptr;
  }
  return std::make_unique<SetTimeout>(which->field, std::move(value));
}

// clang-format off
constexpr ActionRow kRows[] = {
    {{"set-timeout", "{ client | connect | queue | server | tarpit | tunnel } { <timeout> | <expr> }",
      "Sets a timeout of this exchange."},
     kHttpRequest | kHttpResponse, parse},
};
// clang-format on

}  // namespace

std::span<const ActionRow> set_timeout_rows() { return kRows; }

}  // namespace rules::action

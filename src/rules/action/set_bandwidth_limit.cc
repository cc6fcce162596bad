// set-bandwidth-limit: switches a "bwlim-in" or "bwlim-out" filter on (manual section 4.4).
#include <fmt/format.h>

#include "rules/action/support.h"
#include "rules/action/tables.h"
#include "rules/bandwidth.h"

namespace rules::action {
namespace {

class SetBandwidthLimit : public Action {
 public:
  SetBandwidthLimit(Number limit, Number period)
      : limit_(std::move(limit)), period_(std::move(period)) {}

  Verdict run(expr::Context& context) override {
    std::int64_t limit = 0, period = 0;
    if (context.exchange == nullptr || filter == nullptr) return Verdict::next;
    (void)limit_.get(context, limit);
    (void)period_.get(context, period);
    filter->enable(context, limit, period);
    return Verdict::next;
  }

  bool has_values() const {
    return limit_.fixed != 0 || period_.fixed != 0 || limit_.expression || period_.expression;
  }
  const BandwidthFilter* filter = nullptr;  // known once the proxy was read

 private:
  Number limit_, period_;  // 0: the filter's own
};

bool read_number(Reader& in, bool is_time, Number& out) {
  if (!in.more()) return in.fail("missing value") != nullptr;
  if (!base::is_digit(in.peek()[0])) {
    out.expression = in.expression();
    return out.expression != nullptr;
  }
  if (is_time) {
    const auto ms = in.args().time_ms("period");
    if (ms) out.fixed = *ms;
    return ms.has_value();
  }
  const auto size = in.args().size("limit");
  if (size) out.fixed = static_cast<std::int64_t>(*size);
  return size.has_value();
}

Made parse(config::Arguments& args, ParseContext& context, std::string_view word,
           const ActionRow&) {
  Reader in(args, context, word);
  if (context.in_defaults) return in.fail_at_previous("cannot stand in a 'defaults' section");
  auto name = in.text("expects the name of a bandwidth filter");
  if (!name) return nullptr;
  Number limit, period;
  while (in.more()) {
    const bool is_time = in.peek() == "period";
    if (!is_time && in.peek() != "limit")
      return in.fail(fmt::format("unexpected '{}'", in.peek()), "expected 'limit' or 'period'");
    in.next();
    if (!read_number(in, is_time, is_time ? period : limit)) return nullptr;
  }
  auto made = std::make_unique<SetBandwidthLimit>(std::move(limit), std::move(period));
  context.expr.deferred.push_back([action = made.get(), name = *name, at = args.line().at(),
                                   proxy = in.proxy(), &diagnostics = context.expr.diagnostics] {
    action->filter = find_bandwidth_filter(proxy, name);
    if (action->filter == nullptr)
      diagnostics.alert(at, fmt::format("unable to find bwlim filter '{}' referenced by "
                                        "set-bandwidth-limit rule",
                                        name));
    else if (action->filter->shared() && action->has_values())
      diagnostics.alert(at, fmt::format("set-bandwidth-limit rule cannot define a limit or a "
                                        "period for the shared bwlim filter '{}'",
                                        name));
  });
  return made;
}

// clang-format off
constexpr ActionRow kRows[] = {
    {{"set-bandwidth-limit", "<name> [limit {<expr> | <size>}] [period {<expr> | <time>}]",
      "Lets no more bytes pass in a period than a bandwidth filter says."},
     kTcpRequestContent | kTcpResponseContent | kHttpRequest | kHttpResponse, parse},
};
// clang-format on

}  // namespace

std::span<const ActionRow> set_bandwidth_limit_rows() { return kRows; }

}  // namespace rules::action

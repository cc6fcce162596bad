// capture: keeps a sample in a slot of the request or response, for logs (manual
// sections 4.4, 8.8).
#include <fmt/format.h>

#include "rules/action/support.h"
#include "rules/action/tables.h"

namespace rules::action {
namespace {

class Capture : public Action {
 public:
  Capture(std::unique_ptr<expr::Expression> sample, std::size_t slot, bool response)
      : sample_(std::move(sample)), slot_(slot), response_(response) {}

  Verdict run(expr::Context& context) override {
    txn::Exchange* exchange = context.exchange;
    if (exchange == nullptr || exchange->frontend == nullptr) return Verdict::next;
    const auto& declared =
        response_ ? exchange->frontend->response_captures : exchange->frontend->request_captures;
    if (slot_ >= declared.size()) return Verdict::next;  // another frontend's slot (manual 4.4)
    std::string_view text;
    if (!sample_->evaluate_text(context, text)) return Verdict::next;
    auto& slots = response_ ? exchange->response_captures : exchange->request_captures;
    if (slots.size() < declared.size()) slots.resize(declared.size());
    slots[slot_] = exchange->arena.copy(text.substr(0, declared[slot_].length));
    if (slots[slot_].data() == nullptr) slots[slot_] = "";
    return Verdict::next;
  }

 private:
  std::unique_ptr<expr::Expression> sample_;
  std::size_t slot_;
  bool response_;
};

// The slots of a proxy's own frontend may be declared below the rule.
void check_later(ParseContext& context, config::Position at, std::int64_t id, bool response) {
  const state::Proxy* proxy = context.expr.proxy;
  if (context.in_defaults || proxy == nullptr || (proxy->capabilities & state::kFrontend) == 0)
    return;
  context.expr.deferred.push_back([proxy, at, id, response,
                                   &diagnostics = context.expr.diagnostics] {
    const auto& slots = response ? proxy->response_captures : proxy->request_captures;
    if (id >= static_cast<std::int64_t>(slots.size()))
      diagnostics.alert(at, fmt::format("Proxy '{}': unable to find capture id '{}' referenced by "
                                        "a capture rule.",
                                        proxy->name, id));
  });
}

Made parse(config::Arguments& args, ParseContext& context, std::string_view word,
           const ActionRow&) {
  Reader in(args, context, word);
  auto sample = in.expression();
  if (sample == nullptr) return nullptr;
  if (in.accept("len")) {
    if (in.in_response())
      return in.fail_at_previous("'len' is only usable with requests", "expected 'id'");
    auto length = args.number("len", 1, 65535);
    if (!length) return nullptr;
    bool frontend = context.in_defaults ||
                    (in.proxy() != nullptr && in.proxy()->capabilities & state::kFrontend);
    if (!frontend || context.captures == nullptr)
      return in.fail_at_previous("proxy has no frontend capability: 'len' cannot be used",
                                 "expected 'id' with a slot that the frontend declares");
    auto& slots = *context.captures;
    slots.push_back({"", static_cast<std::uint32_t>(*length)});
    return std::make_unique<Capture>(std::move(sample), slots.size() - 1, false);
  }
  if (in.accept("id")) {
    auto id = args.number("id", 0, 65535);
    if (!id) return nullptr;
    check_later(context, args.line().at(), *id, in.in_response());
    return std::make_unique<Capture>(std::move(sample), static_cast<std::size_t>(*id),
                                     in.in_response());
  }
  return in.fail(fmt::format("expects 'len' or 'id' after '{}'", sample->source()));
}

// clang-format off
constexpr ActionRow kRows[] = {
    {{"capture", "<sample> [ len <length> | id <id> ]", "Keeps a sample for logs."},
     kTcpRequestContent | kHttpRequest | kHttpResponse | kHttpAfterResponse, parse},
};
// clang-format on

}  // namespace

std::span<const ActionRow> capture_rows() { return kRows; }

}  // namespace rules::action

// set-priority-class, set-priority-offset, set-nice (manual section 4.4).
#include <fmt/format.h>

#include <algorithm>

#include "rules/action/support.h"
#include "rules/action/tables.h"

namespace rules::action {
namespace {

constexpr std::int64_t kClassLimit = 2047, kOffsetLimit = 524287;

class SetPriority : public Action {
 public:
  SetPriority(std::unique_ptr<expr::Expression> value, bool offset)
      : value_(std::move(value)), offset_(offset) {}
  Verdict run(expr::Context& context) override {
    expr::Value value;
    if (context.exchange == nullptr || !value_->evaluate(context, value) ||
        !expr::cast(value, expr::Type::integer, context.arena))
      return Verdict::next;
    std::int64_t limit = offset_ ? kOffsetLimit : kClassLimit;
    auto number = static_cast<std::int32_t>(std::clamp(value.integer, -limit, limit));
    (offset_ ? context.exchange->priority_offset : context.exchange->priority_class) = number;
    return Verdict::next;
  }

 private:
  std::unique_ptr<expr::Expression> value_;
  bool offset_;
};

Made parse(config::Arguments& args, ParseContext& context, std::string_view word,
           const ActionRow& row) {
  Reader in(args, context, word);
  auto value = in.expression();
  if (value == nullptr) return nullptr;
  return std::make_unique<SetPriority>(std::move(value), row.name.ends_with("offset"));
}

class SetNice : public Action {
 public:
  explicit SetNice(int nice) : nice_(nice) {}
  Verdict run(expr::Context& context) override {
    if (context.exchange != nullptr) context.exchange->nice = nice_;
    return Verdict::next;
  }

 private:
  int nice_;
};

Made parse_nice(config::Arguments& args, ParseContext& context, std::string_view word,
                const ActionRow&) {
  Reader in(args, context, word);
  auto text = in.text("expects exactly 1 argument (integer value)");
  if (!text) return nullptr;
  auto nice = base::parse_int<int>(*text);
  if (!nice) return in.fail_at_previous("expects exactly 1 argument (integer value)");
  args.diagnostics().diagnostic(
      args.previous(),
      "'set-nice' has no effect: exchanges are served in turn, and long scripts give way by "
      "themselves.");
  return std::make_unique<SetNice>(std::clamp(*nice, -1024, 1024));
}

// clang-format off
constexpr ActionRow kRows[] = {
    {{"set-priority-class", "<expr>", "Sets the class in queues; lower goes first."},
     kTcpRequestContent | kHttpRequest, parse},
    {{"set-priority-offset", "<expr>", "Sets the offset in queues, in milliseconds."},
     kTcpRequestContent | kHttpRequest, parse},
    {{"set-nice", "<nice>", "Checked, and without effect: exchanges are served in turn."},
     kTcpRequestContent | kTcpResponseContent | kHttpRequest | kHttpResponse, parse_nice},
};
// clang-format on

}  // namespace

std::span<const ActionRow> set_priority_rows() { return kRows; }

}  // namespace rules::action

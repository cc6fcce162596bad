// track-sc0 and on: the entry of a stick table that this connection or request counts in (manual
// section 4.4).
#include <fmt/format.h>

#include "expr/stick.h"
#include "rules/action/support.h"
#include "rules/action/tables.h"
#include "txn/tracking.h"

namespace rules::action {
namespace {

class Track : public Action {
 public:
  Track(unsigned number, std::unique_ptr<expr::Expression> key, bool response)
      : number_(number), key_(std::move(key)), response_(response) {}

  Verdict run(expr::Context& context) override {
    if (table == nullptr || context.session == nullptr ||
        txn::tracked(context.session, context.exchange, number_) != nullptr)
      return Verdict::next;
    expr::Value sample;
    std::string_view key;
    if (!key_->evaluate(context, sample)) {
      if (context.incomplete && !context.final) return Verdict::incomplete;
      return Verdict::next;
    }
    if (!expr::stick_key(context, sample, *table, key)) return Verdict::next;
    const std::int64_t now = state::stick_clock_ms();
    state::StickRef* entry = txn::track(*context.session, context.exchange, number_,
                                        context.registry.tables().counters, table->open(key, now));
    if (entry != nullptr && context.exchange != nullptr) catch_up(*entry, *context.exchange, now);
    return Verdict::next;
  }

  state::StickTable* table = nullptr;  // known once all sections were read

 private:
  // What has been counted already of this exchange is counted here as well.
  void catch_up(const state::StickRef& entry, const txn::Exchange& exchange,
                std::int64_t now) const {
    if (exchange.request_counted) entry.count(state::StickEvent::request, 1, now);
    if (!response_) return;
    if (exchange.counted_error) entry.count(state::StickEvent::error, 1, now);
    if (exchange.counted_failure) entry.count(state::StickEvent::failure, 1, now);
  }

  unsigned number_;
  std::unique_ptr<expr::Expression> key_;
  bool response_;
};

Made parse(config::Arguments& args, ParseContext& context, std::string_view word,
           const ActionRow&) {
  Reader in(args, context, word);
  const std::string_view digits = word.substr(std::string_view("track-sc").size());
  const auto number = digits.empty() ? 0u : base::parse_int<unsigned>(digits);
  if (!number) return in.fail_at_previous(fmt::format("Wrong track-sc number '{}'", digits));
  const unsigned limit = context.expr.registry.tables().counters;
  if (*number >= limit)
    return in.fail_at_previous(fmt::format(
        "{} track-sc number exceeding {} (tune.stick-counters-1) value", *number, int(limit) - 1));
  auto key = in.expression();
  if (key == nullptr) return nullptr;
  std::string name = in.proxy() == nullptr ? std::string() : in.proxy()->name;
  if (in.accept("table")) {
    auto text = in.text("missing table name");
    if (!text) return nullptr;
    name = std::move(*text);
  }
  const expr::Type type = key->type();
  auto made = std::make_unique<Track>(*number, std::move(key), in.in_response());
  context.expr.deferred.push_back([track = made.get(), name, type, word = std::string(word),
                                   at = args.line().at(), proxy = in.proxy(),
                                   &registry = context.expr.registry,
                                   &diagnostics = context.expr.diagnostics] {
    const std::string owner = proxy == nullptr ? std::string() : proxy->name;
    track->table = registry.tables().find(name);
    if (track->table == nullptr)
      diagnostics.alert(at, fmt::format("Proxy '{}': unable to find table '{}' referenced by {}.",
                                        owner, name, word));
    else if (!expr::castable(type, track->table->settings().key))
      diagnostics.alert(
          at,
          fmt::format("Proxy '{}': stick-table '{}' uses a type incompatible with the '{}' rule.",
                      owner, name, word));
  });
  return made;
}

// clang-format off
constexpr ActionRow kRows[] = {
    {{"track-sc", "<key> [table <table>]", "Counts in the entry of a stick table from here on."},
     kTcpConnection | kTcpSession | kTcpRequestContent | kHttpRequest | kHttpResponse, parse,
     true},
};
// clang-format on

}  // namespace

std::span<const ActionRow> track_sc_rows() { return kRows; }

}  // namespace rules::action

// sc-inc-gpc, sc-inc-gpc0, sc-inc-gpc1, sc-add-gpc, sc-set-gpt, sc-set-gpt0: general purpose
// counters and tags of a tracked entry (manual section 4.4). Where there is none nothing happens.
#include <fmt/format.h>

#include "rules/action/support.h"
#include "rules/action/tables.h"
#include "txn/tracking.h"

namespace rules::action {
namespace {

using state::StickData;

enum class What : std::uint8_t { counter, first_counter, second_counter, tag, first_tag };

class Change : public Action {
 public:
  Change(What what, unsigned number, unsigned index)
      : what_(what), number_(number), index_(index) {}
  Number value{1, nullptr};

  Verdict run(expr::Context& context) override {
    const state::StickRef* entry = txn::tracked(context.session, context.exchange, number_);
    if (entry == nullptr) return Verdict::next;
    std::int64_t number = 0;
    if (!value.get(context, number) || number < 0 || number > UINT32_MAX) return Verdict::next;
    const auto n = static_cast<std::uint32_t>(number);
    const std::int64_t now = state::stick_clock_ms();
    switch (what_) {
      case What::counter:
        entry->increase(StickData::gpc, StickData::gpc_rate, index_, n, now);
        break;
      case What::first_counter:
        entry->increase(StickData::gpc0, StickData::gpc0_rate, 0, n, now);
        break;
      case What::second_counter:
        entry->increase(StickData::gpc1, StickData::gpc1_rate, 0, n, now);
        break;
      case What::tag:
        entry->set(StickData::gpt, index_, n, now);
        break;
      case What::first_tag:
        entry->set(StickData::gpt0, 0, n, now);
        break;
    }
    return Verdict::next;
  }

 private:
  What what_;
  unsigned number_, index_;
};

bool within(Reader& in, unsigned number) {
  const unsigned limit = in.context().expr.registry.tables().counters;
  if (number < limit) return true;
  in.fail_at_previous(
      fmt::format("invalid stick table track ID. The max allowed ID is {} (tune.stick-counters)",
                  int(limit) - 1));
  return false;
}

// "(<idx>,<sc-id>)", or "(<sc-id>)", or nothing for the first number.
std::optional<std::pair<unsigned, unsigned>> places(Reader& in, std::string_view word, bool indexed,
                                                    std::string_view kind) {
  const std::string_view name = word.substr(0, word.find('('));
  std::string_view inside;
  if (word.size() != name.size()) {
    auto text = in.inside();
    if (!text) return std::nullopt;
    inside = *text;
  }
  unsigned index = 0;
  if (indexed) {
    const std::size_t comma = inside.find(',');
    auto parsed = base::parse_int<unsigned>(inside.substr(0, comma));
    if (!parsed || comma == inside.npos) {
      in.fail_at_previous(fmt::format("Missing {0} ID '{1}'. Expects {2}(<{3} ID>,<Track ID>)",
                                      kind, word, name, kind == "gpc" ? "GPC" : "GPT"));
      return std::nullopt;
    }
    index = *parsed;
    inside.remove_prefix(comma + 1);
  }
  unsigned number = 0;
  if (indexed || word.size() != name.size()) {
    auto parsed = base::parse_int<unsigned>(inside);
    if (!parsed) {
      in.fail_at_previous(fmt::format("invalid stick table track ID. Expects {}({}<Track ID>)",
                                      name, indexed ? "<ID>," : ""));
      return std::nullopt;
    }
    number = *parsed;
  }
  if (!within(in, number)) return std::nullopt;
  return std::pair(index, number);
}

bool take_value(Reader& in, Number& value) {
  if (!in.more()) {
    in.fail("missing fetch method");
    return false;
  }
  if (auto number = base::parse_int<std::int64_t>(in.peek())) {
    value.fixed = *number;
    in.next();
    if (*number >= 0 && *number <= UINT32_MAX) return true;
    in.fail_at_previous("expects a number of 32 bits without a sign");
    return false;
  }
  value.expression = in.expression();
  if (value.expression == nullptr) return false;
  if (expr::castable(value.expression->type(), expr::Type::integer)) return true;
  in.fail_at_previous(fmt::format("fetch method '{}' gives no number", value.expression->source()));
  return false;
}

Made parse(config::Arguments& args, ParseContext& context, std::string_view word,
           const ActionRow& row) {
  Reader in(args, context, word);
  const bool tag = row.name.starts_with("sc-set-gpt");
  const bool indexed = row.name.back() != '0' && row.name.back() != '1';
  const What what = tag                      ? (indexed ? What::tag : What::first_tag)
                    : indexed                ? What::counter
                    : row.name.back() == '0' ? What::first_counter
                                             : What::second_counter;
  auto at = places(in, word, indexed, tag ? "gpt" : "gpc");
  if (!at) return nullptr;
  auto made = std::make_unique<Change>(what, at->second, at->first);
  if ((tag || row.name == "sc-add-gpc") && !take_value(in, made->value)) return nullptr;
  return made;
}

constexpr std::uint16_t kAll = kTcpConnection | kTcpSession | kTcpRequestContent |
                               kTcpResponseContent | kHttpRequest | kHttpResponse |
                               kHttpAfterResponse;
// clang-format off
constexpr ActionRow kRows[] = {
    {{"sc-add-gpc", "(<idx>,<sc-id>) { <int> | <expr> }",
      "Adds to a general purpose counter of a tracked entry."}, kAll, parse, true},
    {{"sc-inc-gpc", "(<idx>,<sc-id>)", "Increases a general purpose counter of a tracked entry."},
     kAll, parse, true},
    {{"sc-inc-gpc0", "(<sc-id>)", "Increases the first general purpose counter."},
     kAll, parse, true},
    {{"sc-inc-gpc1", "(<sc-id>)", "Increases the second general purpose counter."},
     kAll, parse, true},
    {{"sc-set-gpt", "(<idx>,<sc-id>) { <int> | <expr> }",
      "Sets a general purpose tag of a tracked entry."}, kAll, parse, true},
    {{"sc-set-gpt0", "(<sc-id>) { <int> | <expr> }", "Sets the first general purpose tag."},
     kAll, parse, true},
};
// clang-format on

}  // namespace

std::span<const ActionRow> stick_counter_rows() { return kRows; }

}  // namespace rules::action

#include "rules/ruleset.h"

#include <fmt/format.h>

namespace rules {

bool Ruleset::parse(config::Arguments& args, const Catalogue& catalogue, ParseContext& context) {
  config::Position at = args.line().at(0);
  std::string_view set = name_of(context.place);
  if (args.done()) return args.error(fmt::format("'{}' expects the name of an action", set));
  std::string_view word = args.next();
  const ActionRow* row = catalogue.find(word, context.place);
  if (row == nullptr) {
    std::string_view near = catalogue.nearest(word, context.place);
    return args.error_at_previous(
        fmt::format("'{}' : unknown action '{}'.", set, word),
        near.empty() ? std::string() : fmt::format("did you mean '{}'?", near));
  }
  auto rule = std::make_shared<Rule>();
  rule->at = at;
  rule->row = row;
  rule->action = row->parse(args, context, word, *row);
  if (rule->action == nullptr) return false;
  if (!expr::Condition::parse_optional(args, context.expr, rule->condition)) return false;
  if (!args.expect_end()) return false;
  rules_.push_back(std::move(rule));
  return true;
}

namespace {

// Leaves which rule ended the evaluation, for last_rule_file/line and logs.
void note(expr::Context& context, const Rule& rule) {
  txn::Exchange* exchange = context.exchange;
  if (exchange == nullptr || rule.at.file == nullptr) return;
  exchange->last_rule_file = rule.at.file->name.c_str();
  exchange->last_rule_line = rule.at.line;
}

}  // namespace

Verdict Ruleset::run(expr::Context& context, std::size_t& from) const {
  if (from == 0 && context.exchange != nullptr) context.exchange->strict_rewrite = true;
  for (std::size_t i = from; i < rules_.size(); ++i) {
    const Rule& rule = *rules_[i];
    context.incomplete = false;
    if (rule.condition != nullptr) {
      int truth = rule.condition->evaluate(context);
      if (truth < 0) {
        from = i;
        return Verdict::incomplete;
      }
      if (truth == 0) continue;
    }
    Verdict verdict = rule.action->run(context);
    if (verdict == Verdict::next) continue;
    from = i;
    if (verdict != Verdict::incomplete) note(context, rule);
    return verdict;
  }
  from = rules_.size();
  return Verdict::next;
}

void Ruleset::append(const Ruleset& inherited) {
  rules_.insert(rules_.end(), inherited.rules_.begin(), inherited.rules_.end());
}

}  // namespace rules

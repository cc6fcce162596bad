// Rules in order: an action, an optional condition, and where it was written.
#pragma once

#include <memory>
#include <vector>

#include "config/source.h"
#include "rules/action.h"

namespace rules {

struct Rule {
  std::unique_ptr<Action> action;
  std::unique_ptr<expr::Condition> condition;
  config::Position at;
  const ActionRow* row = nullptr;
};

class Ruleset {
 public:
  // Parses "<action> [args] [if|unless …]" at the cursor and appends it. False with a report.
  bool parse(config::Arguments& args, const Catalogue& catalogue, ParseContext& context);

  // Runs from the rule `from` on; returns the first verdict that is not `next`, and where it stood
  // in `from` (so that `incomplete` can be resumed). `next` when all rules were run.
  Verdict run(expr::Context& context, std::size_t& from) const;
  Verdict run(expr::Context& context) const {
    std::size_t from = 0;
    return run(context, from);
  }
  bool empty() const { return rules_.empty(); }
  std::size_t size() const { return rules_.size(); }
  const Rule& operator[](std::size_t i) const { return *rules_[i]; }
  void append(const Ruleset& inherited);  // defaults' rules run before a section's own

 private:
  std::vector<std::shared_ptr<const Rule>> rules_;
};

}  // namespace rules

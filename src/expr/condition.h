// ACLs and the conditions made of them: "if a b || !c { path /x }".
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "expr/expression.h"
#include "expr/match.h"

namespace expr {

// acl <name> <criterion> [flags] [operator] <pattern>…; several lines of one name add up (or).
class Acl {
 public:
  // The words after the name. Reports errors and returns null. Adds to `into` when given.
  static bool parse(config::Arguments& args, ParseContext& context, Acl& into);
  // 1, 0, or -1: cannot be known yet (context.incomplete).
  int evaluate(Context& context) const;
  std::uint32_t where() const;
  std::string name;

 private:
  struct Term {
    std::unique_ptr<Expression> expression;
    std::unique_ptr<Matcher> matcher;
  };
  std::vector<Term> terms_;
};

class Condition {
 public:
  // From "if"/"unless" (the next word) to the end of the line. Null with a report on errors.
  static std::unique_ptr<Condition> parse(config::Arguments& args, ParseContext& context);
  // Takes "if"/"unless …" when it is next; null without a report when the line is done.
  static bool parse_optional(config::Arguments& args, ParseContext& context,
                             std::unique_ptr<Condition>& out);
  // 1, 0, or -1: cannot be known yet.
  int evaluate(Context& context) const;
  const std::string& source() const { return source_; }

 private:
  struct Literal {
    std::shared_ptr<Acl> acl;
    bool negated;
  };
  std::vector<std::vector<Literal>> any_;  // or of ands
  bool unless_ = false;
  std::string source_;
};

}  // namespace expr

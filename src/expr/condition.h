// ACLs and the conditions made of them: "if a b || !c { path /x }". Made while the configuration is
// read, immutable afterwards, evaluated by any worker.
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
  // A whole "acl" line from the name on: checks the name, adds to context.acls. False with a
  // report.
  static bool declare(config::Arguments& args, ParseContext& context);
  // The words after the name. Reports errors and returns false. Adds to `into` when given.
  static bool parse(config::Arguments& args, ParseContext& context, Acl& into);
  // Named or predefined (manual section 7.4); null when there is none.
  static std::shared_ptr<Acl> find(std::string_view name, ParseContext& context);
  // 1, 0, or -1: cannot be known yet (context.incomplete).
  int evaluate(Context& context) const;
  // Where at least one of its keywords can be had.
  std::uint32_t where() const;
  // The first keyword that has none of `available`; empty when all have.
  std::string_view unavailable_keyword(std::uint32_t available) const;
  std::string name;  // empty: anonymous

 private:
  friend class Condition;
  struct Term {
    std::string keyword;  // as written, without arguments
    std::unique_ptr<Expression> expression;
    std::unique_ptr<Matcher> matcher;
  };
  // Words up to `end`; the error is returned.
  base::Result<void> add(config::Arguments& args, std::size_t end, ParseContext& context);
  static int evaluate(const Term& term, Context& context);

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
  // What its ACLs need, for parents that decide later where they stand.
  std::uint32_t where() const;

 private:
  struct Literal {
    std::shared_ptr<Acl> acl;
    bool negated;
  };
  base::Result<void> parse_terms(config::Arguments& args, ParseContext& context);
  base::Result<Literal> parse_literal(std::string_view word, config::Arguments& args,
                                      ParseContext& context);
  void warn_of_conflicts(config::Position at, ParseContext& context) const;
  void warn_of_stream_samples(config::Position at, ParseContext& context) const;

  std::vector<std::vector<Literal>> any_;  // or of ands
  bool unless_ = false;
  std::string source_;
};

}  // namespace expr

// What the files of actions share: reading their arguments with errors that name the rule, and the
// few things that many of them do to an exchange.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "expr/expression.h"
#include "expr/log_format.h"
#include "rules/action.h"

namespace rules::action {

using Made = std::unique_ptr<Action>;

// Reads the words of one rule after the action's name.
class Reader {
 public:
  Reader(config::Arguments& args, ParseContext& context, std::string_view word)
      : args_(args), context_(context), word_(word) {}

  // Reports at the next word (or the one before, where the line is over); null, to be returned.
  std::nullptr_t fail(std::string_view text, std::string_view hint = {});
  std::nullptr_t fail_at_previous(std::string_view text, std::string_view hint = {});

  // Whether a word of the action follows: neither the end nor "if"/"unless".
  bool more() const { return !args_.done() && args_.peek() != "if" && args_.peek() != "unless"; }
  std::string_view peek() const { return args_.peek(); }
  std::string_view next() { return args_.next(); }
  bool accept(std::string_view word) { return more() && args_.accept(word); }
  // The next word; reports `missing` when there is none.
  std::optional<std::string> text(std::string_view missing);
  std::unique_ptr<expr::Expression> expression();
  std::unique_ptr<expr::LogFormat> format(std::string_view missing,
                                          expr::FormatUse use = expr::FormatUse::rule);

  // "set-var(txn.x,ifnotset)": what stands between the parentheses of the action's own word.
  std::optional<std::string_view> inside();

  config::Arguments& args() { return args_; }
  ParseContext& context() { return context_; }
  state::Proxy* proxy() { return context_.expr.proxy; }
  bool in_response() const {
    return context_.place & (kHttpResponse | kHttpAfterResponse | kTcpResponseContent);
  }

 private:
  std::string problem(std::string_view text) const;

  config::Arguments& args_;
  ParseContext& context_;
  std::string_view word_;
};

// A number written in the line or given by an expression.
struct Number {
  std::int64_t fixed = 0;
  std::unique_ptr<expr::Expression> expression;
  bool get(expr::Context& context, std::int64_t& out) const;
};

inline http::Headers* headers(expr::Context& context) {
  if (context.exchange == nullptr) return nullptr;
  return context.direction == txn::Direction::request ? &context.exchange->request.headers
                                                      : &context.exchange->response.headers;
}
// Takes the room that an addition to the head needs; false when there is not so much left.
inline bool take_room(expr::Context& context, std::size_t size) {
  if (context.exchange->rewrite_room < size) return false;
  context.exchange->rewrite_room -= size;
  return true;
}
// A rewrite could not be done: counts it; what strict-mode asks for.
Verdict rewrite_failed(expr::Context& context);

// Leaves who ended the exchange, and when, unless that is known.
void finish(expr::Context& context, txn::Cause cause);
// The message for `status` as the proxy of the rule has it; with `exchange.engine` null a bare one.
std::shared_ptr<const txn::Reply> error_reply(expr::Context& context, std::uint16_t status);

// A reply that the rule owns, as the exchange holds it: no count is kept that all workers would
// have to write. Rules outlive exchanges.
inline std::shared_ptr<const txn::Reply> unowned(const txn::Reply& reply) {
  return {std::shared_ptr<const txn::Reply>(), &reply};
}

}  // namespace rules::action

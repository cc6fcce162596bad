#include "rules/action/support.h"

#include <fmt/format.h>

#include "expr/words.h"

namespace rules::action {
namespace {

std::string_view section_of(const state::Proxy* proxy) {
  if (proxy == nullptr) return "section";
  switch (proxy->capabilities) {
    case state::kFrontend:
      return "frontend";
    case state::kBackend:
      return "backend";
    default:
      return "listen";
  }
}

}  // namespace

std::string Reader::problem(std::string_view text) const {
  const state::Proxy* proxy = context_.expr.proxy;
  std::string where = context_.in_defaults || proxy == nullptr
                          ? std::string("defaults section")
                          : fmt::format("{} '{}'", section_of(proxy), proxy->name);
  return fmt::format("error detected in {} while parsing '{} {}' rule : {}.", where,
                     name_of(context_.place), word_, text);
}

std::nullptr_t Reader::fail(std::string_view text, std::string_view hint) {
  args_.error(problem(text), std::string(hint));
  return nullptr;
}
std::nullptr_t Reader::fail_at_previous(std::string_view text, std::string_view hint) {
  args_.error_at_previous(problem(text), std::string(hint));
  return nullptr;
}

std::optional<std::string> Reader::text(std::string_view missing) {
  if (args_.done()) {
    fail(missing);
    return std::nullopt;
  }
  return std::string(args_.next());
}

std::unique_ptr<expr::Expression> Reader::expression() {
  if (!more()) return fail("missing fetch method");
  config::Position at = args_.here();
  const std::string word =
      expr::take_expression(args_, args_.line().size(), context_.expr.catalogue);
  std::size_t consumed = 0;
  auto parsed = expr::Expression::parse(word, context_.expr, at, &consumed);
  if (!parsed) return fail_at_previous(parsed.error());
  if (consumed != word.size())
    return fail_at_previous(fmt::format("unexpected '{}' after expression '{}'",
                                        std::string_view(word).substr(consumed),
                                        std::string_view(word).substr(0, consumed)));
  if (((*parsed)->where() & context_.expr.available) == 0)
    return fail_at_previous(fmt::format(
        "fetch method '{}' extracts information from '{}', none of which is available here",
        (*parsed)->source(), expr::describe_sources((*parsed)->where())));
  return std::move(*parsed);
}

std::unique_ptr<expr::LogFormat> Reader::format(std::string_view missing, expr::FormatUse use) {
  if (args_.done()) return fail(missing);
  config::Position at = args_.here();
  return expr::LogFormat::parse(args_.next(), context_.expr, at, use);
}

std::optional<std::string_view> Reader::inside() {
  std::size_t open = word_.find('(');
  if (open == std::string_view::npos || word_.back() != ')') {
    fail_at_previous("missing closing parenthesis");
    return std::nullopt;
  }
  return word_.substr(open + 1, word_.size() - open - 2);
}

bool Number::get(expr::Context& context, std::int64_t& out) const {
  if (expression == nullptr) {
    out = fixed;
    return true;
  }
  expr::Value value;
  if (!expression->evaluate(context, value) ||
      !expr::cast(value, expr::Type::integer, context.arena))
    return false;
  out = value.integer;
  return true;
}

Verdict rewrite_failed(expr::Context& context) {
  txn::Exchange& exchange = *context.exchange;
  if (exchange.frontend != nullptr) exchange.frontend->frontend.mine().rewrites_failed.add();
  if (exchange.backend != nullptr) exchange.backend->backend.mine().rewrites_failed.add();
  if (!exchange.strict_rewrite) return Verdict::next;
  finish(context, txn::Cause::proxy);
  return Verdict::error;
}

void finish(expr::Context& context, txn::Cause cause) {
  if (context.exchange == nullptr || context.exchange->end) return;
  txn::Phase phase =
      context.direction == txn::Direction::request ? txn::Phase::request : txn::Phase::headers;
  context.exchange->end = {cause, phase};
}

std::shared_ptr<const txn::Reply> error_reply(expr::Context& context, std::uint16_t status) {
  if (context.exchange->engine != nullptr)
    return context.exchange->engine->error_reply(context.proxy, status);
  auto bare = std::make_shared<txn::Reply>();
  bare->status = status;
  bare->is_error = true;
  return bare;
}

}  // namespace rules::action

// For tests: everything an expression needs around it, with the built-in keywords.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "expr/condition.h"
#include "expr/expression.h"

namespace expr {

struct TestBench {
  TestBench() {
    add_builtin(catalogue);
    auto made = std::make_unique<state::Proxy>();
    made->name = "f";
    made->capabilities = state::kFrontend;
    proxy = &registry.add(std::move(made));
    context.proxy = proxy;
  }

  std::unique_ptr<Expression> expression(std::string_view text) {
    std::size_t consumed = 0;
    auto made = Expression::parse(text, context, {}, &consumed);
    error = made ? "" : made.error();
    if (made && consumed != text.size()) error = "left over: " + std::string(text.substr(consumed));
    return made ? std::move(*made) : nullptr;
  }
  // The sample as text; "<none>" when there is none, "<error> …" when it does not parse.
  std::string evaluate(std::string_view text) {
    auto made = expression(text);
    if (made == nullptr || !error.empty()) return "<error> " + error;
    Context at = here();
    Value value;
    if (!made->evaluate(at, value)) return "<none>";
    if (value.type != Type::binary && !cast(value, Type::string, arena)) return "<no text>";
    return std::string(value.text);
  }
  Context here() {
    return {.registry = registry,
            .arena = arena,
            .session = &session,
            .exchange = &exchange,
            .proxy = proxy};
  }
  // Words as a configuration line has them.
  config::Line line(std::initializer_list<std::string_view> words) {
    config::Line made;
    for (std::string_view w : words) made.words.push_back({std::string(w), 0});
    return made;
  }
  void resolve() {
    for (auto& each : deferred) each();
    deferred.clear();
  }

  Catalogue catalogue;
  state::Registry registry;
  state::PatternSets patterns;
  config::Diagnostics diagnostics;
  std::vector<std::function<void()>> deferred;
  std::map<std::string, std::shared_ptr<Acl>, std::less<>> acls;
  state::Proxy* proxy = nullptr;
  ParseContext context{.catalogue = catalogue,
                       .registry = registry,
                       .patterns = patterns,
                       .diagnostics = diagnostics,
                       .deferred = deferred,
                       .acls = &acls};
  txn::Session session;
  txn::Exchange exchange{session};
  base::Arena arena;
  std::string error;
};

}  // namespace expr

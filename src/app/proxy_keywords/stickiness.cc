// "stick-table", "stick": tables and the rules that let clients come back to their server.
#include <fmt/format.h>

#include "app/proxy_keywords/keyword.h"
#include "app/proxy_keywords/stick_table.h"
#include "expr/condition.h"
#include "expr/expression.h"
#include "expr/words.h"

namespace app {

namespace {

struct Kind {
  std::string_view word;
  bool match, store_request, store_response;
};
constexpr Kind kKinds[] = {{"match", true, false, false},
                           {"on", true, true, false},
                           {"store-request", false, true, false},
                           {"store-response", false, false, true}};

void find_table(proxy::StickRule& rule, std::string_view name, const state::Registry& registry,
                std::string_view owner, config::Position at, config::Diagnostics& diagnostics) {
  rule.table = registry.tables().find(name);
  if (rule.table == nullptr) {
    diagnostics.alert(at, fmt::format("Proxy '{}': unable to find stick-table '{}'.", owner, name));
    return;
  }
  if (!expr::castable(rule.key->type(), rule.table->settings().key)) {
    diagnostics.alert(
        at, fmt::format("Proxy '{}': type of fetch not usable with type of stick-table '{}'.",
                        owner, name));
    return;
  }
  rule.table->store(state::StickData::server_id);
  rule.table->store(state::StickData::server_key);
}

bool stick(ProxyContext& context) {
  auto& args = context.args;
  const Kind* kind = nullptr;
  for (const Kind& k : kKinds)
    if (args.peek() == k.word) kind = &k;
  if (kind == nullptr) return args.error("'stick' expects 'on', 'match', or 'store'.");
  args.next();
  if (args.done()) return args.error("'stick' expects a fetch method.");
  auto rule = std::make_shared<proxy::StickRule>();
  rule->match = kind->match;
  rule->store_request = kind->store_request;
  rule->store_response = kind->store_response;
  auto where = context.expressions(
      kind->store_response ? txn::Point::http_response : txn::Point::balance, "'stick' rule");
  const config::Position at = args.here();
  const std::string text =
      expr::take_expression(args, args.line().size(), context.assembly.generation.expressions);
  auto key = expr::Expression::parse(text, where, at);
  if (!key) return args.error_at_previous(fmt::format("'stick': {}", key.error()));
  rule->key = std::move(*key);
  if ((rule->key->where() & where.available) == 0)
    return args.error_at_previous(fmt::format(
        "'stick': fetch method '{}' extracts information from '{}', none of which is available {}.",
        rule->key->fetch_row().name, expr::describe_sources(rule->key->where()),
        kind->store_response ? "for 'store-response'" : "during request"));
  std::string name = context.draft.name;
  if (args.accept("table")) name = args.next();
  if (!args.done() && args.peek() != "if" && args.peek() != "unless")
    return args.error(fmt::format("'stick': unknown keyword '{}'.", args.peek()));
  if (!expr::Condition::parse_optional(args, where, rule->condition)) return false;
  context.assembly.deferred.push_back([rule, name, &registry = context.assembly.generation.registry,
                                       owner = context.draft.name, at = args.line().at(),
                                       &diagnostics = context.diagnostics()] {
    find_table(*rule, name, registry, owner, at, diagnostics);
  });
  context.proxy().stick_rules.push_back(std::move(rule));
  return true;
}

constexpr ProxyKeyword kTable[] = {
    {{"stick",
      "match|on|store-request|store-response <pattern> [table <table>] "
      "[{if|unless} <condition>]",
      "Sends a client to the server that a table has for it, or notes that server there."},
     kInBackend,
     stick},
    {{"stick-table",
      "type <type> size <size> [expire <expire>] [nopurge] [recv-only] [srvkey <srvkey>] "
      "[write-to <wtable>] [brates-factor <factor>] [store <data_type>]*",
      "A table of keys with what is counted and kept for each."},
     kInListen,
     read_stick_table},
};

}  // namespace

std::span<const ProxyKeyword> stick_keywords() { return kTable; }

}  // namespace app

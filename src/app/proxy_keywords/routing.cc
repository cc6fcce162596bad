// Where requests go: acl, default_backend, use_backend, use-server, persistence exceptions.
#include <fmt/format.h>

#include <algorithm>

#include "app/proxy_keywords/keyword.h"
#include "base/text.h"
#include "expr/condition.h"

namespace app {

namespace {

bool is_acl_character(char c) {
  return base::is_alpha(c) || base::is_digit(c) || c == '_' || c == '-' || c == '.' || c == ':';
}

bool named_defaults_only(ProxyContext& context) {
  if (!context.draft.is_defaults() || !context.draft.name.empty()) return true;
  context.diagnostics().alert(
      context.args.line().at(),
      fmt::format("'{}' not allowed in anonymous 'defaults' section.", context.row->name));
  return false;
}

bool acl(ProxyContext& context) {
  if (!named_defaults_only(context)) return false;
  auto& args = context.args;
  if (args.done()) return args.error("'acl' expects a name and a criterion.");
  const std::string name(args.peek());
  for (char c : name)
    if (!is_acl_character(c))
      return args.error(fmt::format("character '{}' is not permitted in acl name '{}'.", c, name));
  if (base::iequals(name, "or"))
    return args.error(fmt::format(
        "acl name '{}' will never match. 'or' is used to express a disjunction within a condition.",
        name));
  args.next();
  auto& acls = context.proxy().acls;
  auto found = acls.find(name);
  auto entry = found != acls.end() ? found->second : std::make_shared<expr::Acl>();
  entry->name = name;
  auto where = context.expressions(txn::Point::log, "'acl'");
  where.available = ~0u;  // the rule that uses it decides
  if (!expr::Acl::parse(args, where, *entry)) return false;
  acls[name] = std::move(entry);
  return true;
}

bool default_backend(ProxyContext& context) {
  auto& args = context.args;
  if (args.done()) return args.error("'default_backend' expects a backend name.");
  context.draft.default_backend = {std::string(args.peek()), args.here(), true};
  args.next();
  return true;
}

bool condition_follows(config::Arguments& args) {
  return args.done() || args.peek() == "if" || args.peek() == "unless";
}

// Names are looked up once all sections were read; they exist from the first pass on, so only a
// message is left for the end.
state::Proxy* find_backend(ProxyContext& context, std::string_view name, config::Position at) {
  auto& registry = context.assembly.generation.registry;
  state::Proxy* target = registry.find(name, state::kBackend);
  if (target == nullptr)
    context.diagnostics().alert(at, fmt::format("Proxy '{}': unable to find required use_backend: "
                                                "'{}'.",
                                                context.draft.name, name));
  else if (target == context.proxy().state)
    context.diagnostics().alert(at, fmt::format("Proxy '{}': loop detected for use_backend: '{}'.",
                                                context.draft.name, name));
  return target;
}

// What use_backend and use-server rules share: a condition, and a name that may be a format.
template <class Rule>
bool target_and_condition(ProxyContext& context, txn::Point point, const char* what,
                          const std::string& name, config::Position at, Rule& rule) {
  auto where = context.expressions(point, what);
  if (!expr::Condition::parse_optional(context.args, where, rule.condition)) return false;
  if (name.find('%') == name.npos) return true;
  rule.dynamic = expr::LogFormat::parse(name, where, at);
  return rule.dynamic != nullptr;
}

bool use_backend(ProxyContext& context) {
  auto& args = context.args;
  if (args.done()) return args.error("'use_backend' expects a backend name.");
  proxy::UseBackend rule;
  rule.at = args.line().at();
  const std::string name(args.peek());
  const config::Position at = args.here();
  args.next();
  if (!condition_follows(args))
    return args.error(fmt::format(
        "unexpected keyword '{}' after switching rule, only 'if' and 'unless' are allowed.",
        args.peek()));
  if (!target_and_condition(context, txn::Point::http_request, "'use_backend' rule", name, at,
                            rule))
    return false;
  if (rule.dynamic == nullptr) {
    rule.fixed = find_backend(context, name, at);
    if (rule.fixed == nullptr) return false;
  }
  note_rule(context, RuleKind::use_backend);
  context.proxy().use_backend.push_back(std::move(rule));
  return true;
}

bool use_server(ProxyContext& context) {
  auto& args = context.args;
  if (args.done()) return args.error("'use-server' expects a server name.");
  proxy::UseServer rule;
  rule.at = args.line().at();
  const std::string name(args.peek());
  const config::Position at = args.here();
  args.next();
  if (args.done() || !condition_follows(args))
    return args.error("'use-server' requires either 'if' or 'unless' followed by a condition.");
  if (!target_and_condition(context, txn::Point::balance, "'use-server' rule", name, at, rule))
    return false;
  if (rule.dynamic == nullptr) {
    // Servers of this section may still follow.
    proxy::Proxy* proxy = context.draft.proxy.get();
    const std::size_t index = proxy->use_server.size();
    auto* diagnostics = &context.diagnostics();
    context.assembly.deferred.push_back([=] {
      state::Server* server = proxy->state->find_server(name);
      proxy->use_server[index].fixed = server;
      if (server != nullptr)
        server->referenced = true;
      else
        diagnostics->alert(at, fmt::format("{} '{}' : unable to find server '{}' referenced in a "
                                           "'use-server' rule.",
                                           "backend", proxy->name, name));
    });
  }
  note_rule(context, RuleKind::use_server);
  context.proxy().use_server.push_back(std::move(rule));
  return true;
}

bool unpublished(ProxyContext& context) {
  context.proxy().state->unpublished = true;
  return true;
}

// The condition that a line consists of.
bool own_condition(ProxyContext& context, txn::Point point, const char* what,
                   std::unique_ptr<expr::Condition>& into) {
  auto& args = context.args;
  if (args.peek() != "if" && args.peek() != "unless")
    return args.error(fmt::format("'{}' requires either 'if' or 'unless' followed by a condition.",
                                  context.row->name));
  auto where = context.expressions(point, what);
  return expr::Condition::parse_optional(args, where, into);
}

bool force_switch(ProxyContext& context) {
  std::unique_ptr<expr::Condition> condition;
  if (!own_condition(context, txn::Point::http_request, "'force-be-switch' rule", condition))
    return false;
  context.proxy().force_switch.push_back(std::move(condition));
  return true;
}

bool persistence_exception(ProxyContext& context) {
  proxy::UseServer rule;
  rule.at = context.args.line().at();
  if (!own_condition(context, txn::Point::balance, "persistence rule", rule.condition))
    return false;
  auto& list = context.row->name == "force-persist" ? context.proxy().force_persist
                                                    : context.proxy().ignore_persist;
  list.push_back(std::move(rule));
  return true;
}

constexpr ProxyKeyword kTable[] = {
    {{"acl", "<name> <criterion> [flags] [operator] <value> ...", "Declares or completes a test."},
     kInDefaults | kInListen,
     acl},
    {{"be-unpublished", "", "Rules of other proxies pass over this backend."},
     kInBackend,
     unpublished},
    {{"default_backend", "<backend>", "The backend when no use_backend rule matched."},
     kInDefaults | kInFrontend,
     default_backend},
    {{"force-be-switch", "{if|unless} <condition>",
      "Rules do not pass over unpublished or disabled backends."},
     kInFrontend,
     force_switch},
    {{"force-persist", "{if|unless} <condition>",
      "Persistence holds even on servers that are down."},
     kInBackend,
     persistence_exception},
    {{"ignore-persist", "{if|unless} <condition>", "Requests that know no persistence."},
     kInBackend,
     persistence_exception},
    {{"use-server", "<server> {if|unless} <condition>", "The server of requests that match."},
     kInBackend,
     use_server},
    {{"use_backend", "<backend> [{if|unless} <condition>]", "The backend of requests that match."},
     kInFrontend,
     use_backend},
};

}  // namespace

std::span<const ProxyKeyword> routing_keywords() { return kTable; }

}  // namespace app

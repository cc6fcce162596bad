// The statistics page of a proxy and its monitoring address.
#include <fmt/format.h>

#include <algorithm>

#include "app/proxy_keywords/keyword.h"
#include "expr/condition.h"
#include "rules/ruleset.h"

namespace app {

namespace {

proxy::StatsSettings& enabled(ProxyContext& context) {
  context.proxy().stats.enabled = true;
  return context.proxy().stats;
}

bool enable(ProxyContext& context) {
  enabled(context);
  return true;
}
bool uri(ProxyContext& context) {
  if (context.args.done()) return context.args.error("'uri' needs an URI prefix.");
  enabled(context).uri = context.args.next();
  return true;
}
bool realm(ProxyContext& context) {
  if (context.args.done()) return context.args.error("'realm' needs an realm name.");
  enabled(context).realm = context.args.next();
  return true;
}
bool refresh(ProxyContext& context) {
  auto& args = context.args;
  if (args.done()) return args.error("'refresh' needs a positive interval (in seconds).");
  auto ms = args.time_ms("stats refresh", config::TimeUnit::s);
  if (ms) enabled(context).refresh_s = (*ms + 999) / 1000;
  return ms.has_value();
}
bool auth(ProxyContext& context) {
  auto word = context.args.text("stats auth");
  if (!word) return false;
  const std::size_t colon = word->find(':');
  enabled(context).users.emplace_back(
      std::string(word->substr(0, colon)),
      colon == word->npos ? std::string() : std::string(word->substr(colon + 1)));
  return true;
}
bool scope(ProxyContext& context) {
  auto word = context.args.text("stats scope");
  if (!word) return false;
  enabled(context).scopes.emplace_back(*word == "." ? context.draft.name : std::string(*word));
  return true;
}
bool hide_version(ProxyContext& context) {
  enabled(context).hide_version = true;
  return true;
}
bool show_version(ProxyContext& context) {
  enabled(context).hide_version = false;
  return true;
}
bool legends(ProxyContext& context) {
  enabled(context).show_legends = true;
  return true;
}
bool modules(ProxyContext& context) {
  enabled(context).show_modules = true;
  return true;
}

std::string rest(config::Arguments& args) {
  std::string text;
  while (!args.done()) {
    if (!text.empty()) text += ' ';
    text += args.next();
  }
  return text;
}

bool show_node(ProxyContext& context) {
  enabled(context).show_node = true;
  if (!context.args.done()) context.proxy().stats.node = context.args.next();
  return true;
}
bool show_description(ProxyContext& context) {
  std::string text = rest(context.args);
  if (text.empty()) text = context.assembly.settings().description;
  if (text.empty())
    context.diagnostics().warning(
        context.args.line().at(),
        "'show-desc' requires a parameter or 'desc' to be set in the global section.");
  enabled(context).description = std::move(text);
  return true;
}

bool admin(ProxyContext& context) {
  auto& args = context.args;
  if (context.draft.is_defaults()) return allowed(context, "stats admin", kInListen);
  if (args.peek() != "if" && args.peek() != "unless")
    return args.error("'stats admin' requires either 'if' or 'unless' followed by a condition.");
  auto where = context.expressions(txn::Point::http_request, "'stats admin' rule");
  auto condition = expr::Condition::parse(args, where);
  if (condition == nullptr) return false;
  enabled(context).admin.emplace_back(true, std::move(condition));
  return true;
}

bool http_request(ProxyContext& context) {
  if (context.draft.is_defaults()) return allowed(context, "stats http-request", kInListen);
  auto& args = context.args;
  const std::string_view word = args.peek();
  if (word != "auth" && word != "allow" && word != "deny")
    return args.error("'stats http-request' supports 'auth', 'allow' and 'deny'.");
  auto where = context.expressions(txn::Point::http_request, "'stats http-request' rule");
  auto& actions = context.assembly.generation.actions;
  rules::ParseContext rule{where, rules::kHttpRequest, actions, &context.assembly.error_sections,
                           &context.assembly.generation.config.log_profiles};
  return enabled(context).rules.parse(args, actions, rule);
}

struct Word {
  std::string_view name;
  bool (*parse)(ProxyContext&);
};

constexpr Word kWords[] = {
    {"admin", admin},
    {"uri", uri},
    {"realm", realm},
    {"auth", auth},
    {"scope", scope},
    {"enable", enable},
    {"hide-version", hide_version},
    {"show-version", show_version},
    {"show-node", show_node},
    {"show-desc", show_description},
    {"show-legends", legends},
    {"show-modules", modules},
    {"refresh", refresh},
    {"http-request", http_request},
};

bool stats(ProxyContext& context) {
  auto& args = context.args;
  std::string_view names[std::size(kWords)];
  for (std::size_t i = 0; i < std::size(kWords); ++i) {
    names[i] = kWords[i].name;
    if (args.accept(kWords[i].name)) return kWords[i].parse(context);
  }
  static constexpr std::string_view kExpects =
      "expects 'admin', 'uri', 'realm', 'auth', 'scope', 'enable', 'hide-version', 'show-node', "
      "'show-desc', 'show-legends' or 'show-version'.";
  if (args.done()) return args.error(fmt::format("missing keyword in 'stats', {}", kExpects));
  return args.error(fmt::format("unknown stats parameter '{}', {}", args.peek(), kExpects),
                    did_you_mean(args.peek(), names));
}

bool monitor(ProxyContext& context) {
  auto& args = context.args;
  if (!args.accept("fail")) return args.error("'monitor' only supports 'fail'.");
  if (args.peek() != "if" && args.peek() != "unless")
    return args.error("'monitor fail' requires either 'if' or 'unless' followed by a condition.");
  auto where = context.expressions(txn::Point::http_request, "'monitor fail' condition");
  auto condition = expr::Condition::parse(args, where);
  if (condition == nullptr) return false;
  context.proxy().monitor_fail.push_back(std::move(condition));
  return true;
}

bool monitor_uri(ProxyContext& context) {
  if (context.args.done()) return context.args.error("'monitor-uri' expects an URI.");
  context.proxy().monitor_uri = context.args.next();
  return true;
}

constexpr ProxyKeyword kTable[] = {
    {{"monitor", "fail {if|unless} <condition>", "When the monitor address answers 503."},
     kInFrontend,
     monitor},
    {{"monitor-uri", "<uri>", "An address that answers whether the proxy works."},
     kInDefaults | kInFrontend,
     monitor_uri},
    {{"stats",
      "admin|auth|enable|hide-version|http-request|realm|refresh|scope|show-desc|"
      "show-legends|show-node|show-version|uri ...",
      "The statistics page."},
     kInDefaults | kInListen,
     stats},
};

}  // namespace

std::span<const ProxyKeyword> stats_keywords() { return kTable; }

}  // namespace app

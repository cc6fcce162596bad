// The rulesets: http-request, http-response, http-after-response, tcp-request, tcp-response,
// redirect.
#include <fmt/format.h>

#include "app/proxy_keywords/keyword.h"
#include "rules/ruleset.h"

namespace app {

namespace {

bool named_defaults_only(ProxyContext& context) {
  if (!context.draft.is_defaults()) return true;
  if (context.draft.name.empty()) {
    context.diagnostics().alert(
        context.args.line().at(),
        fmt::format("'{}' not allowed in anonymous 'defaults' section.", context.row->name));
    return false;
  }
  context.draft.defines_rules = true;
  return true;
}

bool add_rule(ProxyContext& context, rules::Ruleset& set, rules::Place place, txn::Point point,
              const char* what) {
  if (!named_defaults_only(context)) return false;
  auto where = context.expressions(point, what);
  rules::ParseContext rule{where,
                           place,
                           context.assembly.generation.actions,
                           &context.assembly.error_sections,
                           &context.assembly.generation.config.log_profiles,
                           context.draft.is_defaults(),
                           context.http(),
                           context.assembly.settings().experimental,
                           context.draft.is_defaults() ? &context.draft.captures
                                                       : &context.proxy().state->request_captures};
  return set.parse(context.args, context.assembly.generation.actions, rule);
}

bool http_request(ProxyContext& context) {
  if (!add_rule(context, context.proxy().http_request, rules::kHttpRequest,
                txn::Point::http_request, "'http-request' rule"))
    return false;
  note_rule(context, RuleKind::http_request);
  return true;
}

// "redirect …" is "http-request redirect …" at the end of the row, and its own name in messages.
bool redirect(ProxyContext& context) {
  context.args.seek(context.args.index() - 1);
  if (!add_rule(context, context.proxy().http_request, rules::kHttpRequest,
                txn::Point::http_request, "'redirect' rule"))
    return false;
  note_rule(context, RuleKind::redirect);
  return true;
}

bool http_response(ProxyContext& context) {
  return add_rule(context, context.proxy().http_response, rules::kHttpResponse,
                  txn::Point::http_response, "'http-response' rule");
}

bool http_after_response(ProxyContext& context) {
  return add_rule(context, context.proxy().http_after_response, rules::kHttpAfterResponse,
                  txn::Point::http_after_response, "'http-after-response' rule");
}

bool inspect_delay(ProxyContext& context, rt::Duration& into) {
  if (context.draft.is_defaults() && context.draft.name.empty())
    return context.args.error_at_previous(fmt::format(
        "{} inspect-delay is not allowed in anonymous 'defaults' sections", context.row->name));
  auto value = context.args.time_ms(fmt::format("{} inspect-delay", context.row->name));
  if (value) into = std::chrono::milliseconds(*value);
  return value.has_value();
}

bool tcp_request(ProxyContext& context) {
  auto& args = context.args;
  auto& proxy = context.proxy();
  if (args.accept("inspect-delay")) return inspect_delay(context, proxy.inspect_delay);
  if (args.accept("content")) {
    if (!add_rule(context, proxy.tcp_request, rules::kTcpRequestContent,
                  txn::Point::request_content, "'tcp-request content' rule"))
      return false;
    note_rule(context, RuleKind::content);
    return true;
  }
  const bool connection = args.accept("connection");
  if (!connection && !args.accept("session")) {
    static constexpr std::string_view kNames[] = {"inspect-delay", "connection", "content",
                                                  "session"};
    return args.error(
        fmt::format("'tcp-request' expects 'inspect-delay', 'connection', 'session', or 'content' "
                    "in {} '{}' (got '{}')",
                    context.draft.kind(), context.draft.name, args.peek()),
        args.done() ? "" : did_you_mean(args.peek(), kNames));
  }
  if (context.draft.side == kInBackend)
    return args.error_at_previous(
        fmt::format("tcp-request {} is not allowed because backend {} is not a frontend",
                    connection ? "connection" : "session", context.draft.name));
  if (!add_rule(context, connection ? proxy.tcp_connection : proxy.tcp_session,
                connection ? rules::kTcpConnection : rules::kTcpSession,
                connection ? txn::Point::connection : txn::Point::session,
                connection ? "'tcp-request connection' rule" : "'tcp-request session' rule"))
    return false;
  note_rule(context, connection ? RuleKind::connection : RuleKind::session);
  return true;
}

bool tcp_response(ProxyContext& context) {
  auto& args = context.args;
  if (args.accept("inspect-delay"))
    return inspect_delay(context, context.proxy().response_inspect_delay);
  if (!args.accept("content"))
    return args.error(
        fmt::format("'tcp-response' expects 'inspect-delay' or 'content' in {} '{}' (got '{}')",
                    context.draft.kind(), context.draft.name, args.peek()));
  return add_rule(context, context.proxy().tcp_response, rules::kTcpResponseContent,
                  txn::Point::response_content, "'tcp-response content' rule");
}

constexpr std::uint8_t kAll = kInDefaults | kInListen;

constexpr ProxyKeyword kTable[] = {
    {{"http-after-response", "<action> [options] [{if|unless} <condition>]",
      "Rules for every response, those made here too."},
     kAll,
     http_after_response},
    {{"http-request", "<action> [options] [{if|unless} <condition>]", "Rules for requests."},
     kAll,
     http_request},
    {{"http-response", "<action> [options] [{if|unless} <condition>]",
      "Rules for responses of servers."},
     kAll,
     http_response},
    {{"redirect", "location|prefix|scheme <value> [options] [{if|unless} <condition>]",
      "Answers with a redirection."},
     kInListen,
     redirect},
    {{"tcp-request", "connection|session|content|inspect-delay ...",
      "Rules for connections and their first bytes."},
     kAll,
     tcp_request},
    {{"tcp-response", "content|inspect-delay ...", "Rules for the first bytes of servers."},
     kInDefaults | kInBackend,
     tcp_response},
};

}  // namespace

std::span<const ProxyKeyword> rule_keywords() { return kTable; }

}  // namespace app

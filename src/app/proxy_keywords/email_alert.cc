// "email-alert": who is mailed about servers (manual section 12.3).
#include <fmt/format.h>

#include "app/process.h"
#include "app/proxy_keywords/keyword.h"

namespace app {

namespace {

bool email_alert(ProxyContext& context) {
  auto& args = context.args;
  EmailAlertDraft& alert = context.draft.email_alert;
  if (args.done()) return args.error("missing argument after 'email-alert'.");
  const std::string_view what = args.next();
  static constexpr std::string_view kNames[] = {"from", "level", "mailers", "myhostname", "to"};
  if (what == "level") {
    if (!obs::parse_level(args.peek(), alert.level))
      return args.error(fmt::format("unknown log level '{}' after 'level'", args.peek()));
    args.next();
    return alert.given = true;
  }
  std::string* into = what == "from"         ? &alert.from
                      : what == "to"         ? &alert.to
                      : what == "mailers"    ? &alert.mailers
                      : what == "myhostname" ? &alert.host
                                             : nullptr;
  if (into == nullptr)
    return args.error_at_previous(fmt::format("email-alert: unknown argument '{}'.", what),
                                  did_you_mean(what, kNames));
  alert.at = args.line().at();
  *into = args.next();
  return alert.given = true;
}

constexpr ProxyKeyword kTable[] = {
    {{"email-alert", "from|level|mailers|myhostname|to <value>",
      "Mails changes of servers: which, from and to whom, through which mailers."},
     kInDefaults | kInListen,
     email_alert},
};

}  // namespace

std::span<const ProxyKeyword> email_alert_keywords() { return kTable; }

void complete_email_alert(ProxyDraft& draft, Assembly& assembly) {
  const EmailAlertDraft& from = draft.email_alert;
  if (!from.given) return;
  if (from.mailers.empty() || from.from.empty() || from.to.empty()) {
    assembly.diagnostics.warning(
        {}, fmt::format("'email-alert' will be ignored for {} '{}' (the presence any of "
                        "'email-alert from', 'email-alert level' 'email-alert mailers', "
                        "'email-alert myhostname', or 'email-alert to' requires each of "
                        "'email-alert from', 'email-alert mailers' and 'email-alert to' to be "
                        "present).",
                        draft.kind(), draft.name));
    return;
  }
  auto found = assembly.mailers.find(from.mailers);
  if (found == assembly.mailers.end()) {
    assembly.diagnostics.alert(
        from.at, fmt::format("Proxy '{}': unable to find mailers '{}'.", draft.name, from.mailers));
    return;
  }
  found->second.used = true;
  auto alert = std::make_shared<state::EmailAlert>();
  alert->mailers = found->second.mailers;
  alert->level = from.level;
  alert->from = from.from;
  alert->to = from.to;
  alert->host = from.host.empty() ? host_name() : from.host;
  alert->health_checks = draft.settings().log_health_checks;
  draft.proxy->state->email_alert = std::move(alert);
}

void warn_of_unused_mailers(Assembly& assembly) {
  for (const auto& [name, mailers] : assembly.mailers)
    if (!mailers.used)
      assembly.diagnostics.warning({},
                                   fmt::format("Removing incomplete section 'mailers {}'.", name));
}

}  // namespace app

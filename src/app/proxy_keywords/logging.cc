// Logs, their formats, captures and unique ids of a proxy (the manual's chapter 8).
#include <fmt/format.h>

#include <algorithm>

#include "app/proxy_keywords/keyword.h"
#include "base/text.h"
#include "txn/log_origin.h"

namespace app {

namespace {

bool log(ProxyContext& context) {
  return obs::parse_log(context.args, obs::LogPlace::proxy, context.negated, context.draft.log);
}

// Steps of the engine itself; those of "do-log" are allowed, and come whatever is said here.
bool log_steps(ProxyContext& context) {
  auto& args = context.args;
  const std::string_view text = args.next();
  std::uint32_t steps = 0;
  const auto all = std::span(txn::kLogSteps).subspan(2);
  if (text.empty() || text == "all")
    for (const txn::LogStep& row : all) steps |= 1u << static_cast<unsigned>(row.origin);
  for (std::string_view rest = steps != 0 ? std::string_view() : text; !rest.empty();) {
    const std::string_view name = rest.substr(0, rest.find(','));
    auto found = std::find_if(all.begin(), all.end(),
                              [name](const txn::LogStep& row) { return row.name == name; });
    if (found == all.end()) {
      std::string names;
      for (const txn::LogStep& row : all)
        names += (names.empty() ? "" : ", ") + std::string(row.name);
      return args.error_at_previous(
          fmt::format("invalid log step name ({}). Expected values are: {}", name, names));
    }
    steps |= 1u << static_cast<unsigned>(found->origin);
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
  }
  context.draft.log_steps |= steps;
  return true;
}

bool log_tag(ProxyContext& context) {
  if (context.args.done()) return context.args.error("'log-tag' expects a tag for use in syslog.");
  context.proxy().log_tag = context.args.next();
  return true;
}

bool format(ProxyContext& context, FormatChoice& into) {
  auto& args = context.args;
  if (args.done()) return args.error(fmt::format("{} expects an argument.", context.row->name));
  into = {std::string(args.peek()), args.here(), true};
  args.next();
  if (!args.done())
    return args.error(fmt::format("{} expects only one argument, don't forget to escape spaces!",
                                  context.row->name));
  return true;
}

bool log_format(ProxyContext& context) {
  if (!format(context, context.draft.log_format)) return false;
  context.draft.log_option = LogOption::none;
  return true;
}
bool error_log_format(ProxyContext& context) {
  return format(context, context.draft.error_log_format);
}
bool log_format_sd(ProxyContext& context) { return format(context, context.draft.log_format_sd); }
bool unique_id_format(ProxyContext& context) {
  return format(context, context.draft.unique_id_format);
}

bool unique_id_header(ProxyContext& context) {
  auto name = context.args.text("unique-id-header");
  if (name) context.proxy().unique_id_header = *name;
  return name.has_value();
}

bool length(config::Arguments& args, std::string_view usage, std::uint32_t& into) {
  if (!args.accept("len")) return args.error(std::string(usage));
  auto value = args.number("len", 1, 65535);
  if (value) into = static_cast<std::uint32_t>(*value);
  return value.has_value();
}

std::vector<state::CaptureSlot>& slots_of(ProxyContext& context, bool request) {
  state::Proxy& shared = *context.proxy().state;
  return request ? shared.request_captures : shared.response_captures;
}

bool capture(ProxyContext& context) {
  auto& args = context.args;
  if (args.accept("cookie")) {
    proxy::Capture slot;
    static constexpr std::string_view kUsage =
        "'capture' expects 'cookie' <cookie_name> 'len' <len>.";
    if (args.done()) return args.error(std::string(kUsage));
    slot.is_cookie = true;
    slot.name = args.next();
    if (!length(args, kUsage, slot.length)) return false;
    context.proxy().cookie_capture = std::move(slot);
    return true;
  }
  const bool request = args.accept("request");
  if (!request && !args.accept("response"))
    return args.error("'capture' expects 'cookie' or 'request header' or 'response header'.");
  const std::string usage = fmt::format("'capture {}' expects 'header' <header_name> 'len' <len>.",
                                        request ? "request" : "response");
  if (!args.accept("header") || args.done()) return args.error(usage);
  state::CaptureSlot slot;
  slot.header = base::to_lower(args.next());
  if (!length(args, usage, slot.length)) return false;
  slots_of(context, request).push_back(std::move(slot));
  return true;
}

// "declare capture request len 10": a slot without a header, filled by rules.
bool declare(ProxyContext& context) {
  auto& args = context.args;
  if (!args.accept("capture"))
    return args.error(
        fmt::format("'declare' : only 'capture' can be declared (got '{}')", args.peek()));
  const bool request = args.accept("request");
  if (!request && !args.accept("response"))
    return args.error("'declare capture' requires a direction ('request' or 'response')");
  state::CaptureSlot slot;
  if (!length(args, "'declare capture' requires a capture length", slot.length)) return false;
  slots_of(context, request).push_back(std::move(slot));
  return true;
}

constexpr ProxyKeyword kTable[] = {
    {{"capture", "cookie <name> len <n> | {request|response} header <name> len <n>",
      "Keeps a cookie or header for logs and rules."},
     kInFrontend,
     capture},
    {{"declare", "capture {request|response} len <n>", "Declares a slot that rules fill."},
     kInFrontend,
     declare},
    {{"error-log-format", "<fmt>", "The log line of connections that failed early."},
     kInDefaults | kInFrontend,
     error_log_format},
    {{"log",
      "global | <target> [len <length>] [format <format>] [sample <ranges>:<size>] "
      "<facility> [<level> [<minlevel>]]",
      "Where the proxy logs."},
     kInDefaults | kInListen,
     log,
     false,
     true},
    {{"log-format", "<fmt>", "The log line."}, kInDefaults | kInFrontend, log_format},
    {{"log-format-sd", "<fmt>", "The structured data of RFC 5424 lines."},
     kInDefaults | kInFrontend,
     log_format_sd},
    {{"log-steps", "all | <step>[,<step>...]",
      "The steps of an exchange at which a line is logged."},
     kInDefaults | kInListen,
     log_steps},
    {{"log-tag", "<string>", "The tag of the proxy's syslog lines."},
     kInDefaults | kInListen,
     log_tag},
    {{"unique-id-format", "<fmt>", "How a request's unique id is made."},
     kInDefaults | kInListen,
     unique_id_format},
    {{"unique-id-header", "<name>", "The header that carries the unique id to servers."},
     kInDefaults | kInFrontend,
     unique_id_header},
};

}  // namespace

std::span<const ProxyKeyword> logging_keywords() { return kTable; }

}  // namespace app

// What a proxy is: mode, id, description, limits, on or off.
#include <fmt/format.h>

#include "app/proxy_keywords/keyword.h"
#include "base/text.h"

namespace app {

namespace {

bool mode(ProxyContext& context) {
  auto& args = context.args;
  const std::string_view word = args.peek();
  if (word == "health")
    return args.error(
        "'mode health' doesn't exist anymore. Please use 'http-request return status 200' "
        "instead.");
  if (word == "spop") return args.error("'mode spop' is not supported yet.");
  if (word == "http") {
    context.proxy().mode = state::Mode::http;
  } else if (word == "tcp") {
    context.proxy().mode = state::Mode::tcp;
  } else if (word == "log") {
    if (!(context.draft.side & (kInBackend | kInDefaults)))
      return args.error("mode syslog is only applicable on proxies with backend capability.");
    context.proxy().mode = state::Mode::log;
  } else {
    static constexpr std::string_view kModes[] = {"tcp", "http", "log", "spop"};
    return args.error(fmt::format("unknown proxy mode '{}'.", word), did_you_mean(word, kModes));
  }
  args.next();
  context.draft.mode_given = true;
  return true;
}

bool disabled(ProxyContext& context) {
  context.proxy().disabled = context.row->name == "disabled";
  return true;
}

bool id(ProxyContext& context) {
  auto value = base::parse_int<unsigned>(context.args.peek());
  if (!value || *value == 0) return context.args.error("custom id has to be > 0.");
  context.args.next();
  context.draft.id = *value;
  return true;
}

bool description(ProxyContext& context) {
  if (context.args.done()) return context.args.error("'description' expects a string argument.");
  std::string text;
  while (!context.args.done()) {
    if (!text.empty()) text += ' ';
    text += context.args.next();
  }
  context.proxy().state->description = text;
  return true;
}

bool guid(ProxyContext& context) {
  auto text = context.args.text("guid");
  if (!text) return false;
  for (const auto& other : context.assembly.proxies)
    if (other.get() != &context.draft && other->proxy->state->guid == *text)
      return context.args.error_at_previous(
          fmt::format("'guid' : '{}' is already used by proxy '{}'.", *text, other->name));
  context.proxy().state->guid = *text;
  return true;
}

bool maximum(ProxyContext& context) {
  if (context.draft.side == kInBackend) {
    context.diagnostics().warning(
        context.args.line().at(),
        fmt::format("'maxconn' ignored because backend '{}' has no frontend capability. Maybe you "
                    "want 'fullconn' instead ?",
                    context.draft.name));
    return true;
  }
  auto value = context.args.number("maxconn", 0, INT32_MAX);
  if (value) context.proxy().maximum = static_cast<std::uint32_t>(*value);
  return value.has_value();
}

bool backlog(ProxyContext& context) {
  auto value = context.args.number("backlog", 0, INT32_MAX);
  if (value) context.proxy().backlog = static_cast<std::uint32_t>(*value);
  return value.has_value();
}

bool rate_limit(ProxyContext& context) {
  if (!context.args.accept("sessions"))
    return context.args.error(
        fmt::format("'rate-limit' only supports 'sessions' (got '{}')", context.args.peek()));
  auto value = context.args.number("rate-limit sessions", 0, INT32_MAX);
  if (value) context.proxy().rate_limit_sessions = static_cast<std::uint32_t>(*value);
  return value.has_value();
}

bool session_servers(ProxyContext& context) {
  auto value = context.args.number("max-session-srv-conns", 0, INT32_MAX);
  if (value) context.proxy().session_servers = *value;
  return value.has_value();
}

constexpr std::uint8_t kAll = kInDefaults | kInListen;

constexpr ProxyKeyword kTable[] = {
    {{"backlog", "<conns>", "How many connections may wait to be accepted."},
     kInDefaults | kInFrontend,
     backlog},
    {{"description", "<text>", "Describes the proxy on the statistics page."},
     kInListen,
     description},
    {{"disabled", "", "Leaves the proxy stopped."}, kAll, disabled},
    {{"enabled", "", "Starts a proxy that its defaults disable."}, kAll, disabled},
    {{"guid", "<string>", "A name of the proxy that no other object has."}, kInListen, guid},
    {{"id", "<value>", "The proxy's number."}, kInListen, id},
    {{"maxconn", "<conns>", "The most connections of the frontend at once."},
     kInDefaults | kInListen,
     maximum},
    {{"max-session-srv-conns", "<nb>", "Most servers that a client's idle connections stay with."},
     kInDefaults | kInFrontend,
     session_servers},
    {{"mode", "tcp|http|log|spop", "The protocol the proxy speaks."}, kAll, mode},
    {{"rate-limit", "sessions <rate>", "The most new sessions of the frontend in a second."},
     kInDefaults | kInFrontend,
     rate_limit},
};

}  // namespace

std::span<const ProxyKeyword> basic_keywords() { return kTable; }

}  // namespace app

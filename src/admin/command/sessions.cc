// show sess, shutdown session: what is under way.
#include <fmt/format.h>

#include <optional>

#include "admin/command/families.h"
#include "base/text.h"
#include "config/units.h"
#include "proxy/live.h"
#include "rt/worker.h"
#include "state/registry.h"

namespace admin {
namespace {

constexpr std::string_view kUsage =
    "Usage: show sess [<id> | all | help] [<options>*]\n"
    "Dumps active streams (formerly called 'sessions'). Available selectors:\n"
    "   <id>         dump only this stream identifier (0x...)\n"
    "   all          dump all matching streams in large format\n"
    "   help         show this message\n"
    "Available options: \n"
    "   show-uri     also display the transaction URI, if available\n"
    "   older <age>  only display streams older than <age> seconds\n"
    "   server <b/s> only show streams attached to this backend+server\n"
    "   backend <b>  only show streams attached to this backend\n"
    "   frontend <f> only show streams attached to this frontend\n"
    "Without any argument, all streams are dumped in a shorter format.\n";

struct Selection {
  std::optional<std::uint64_t> id;
  bool large = false, uri = false;
  std::int64_t older_s = 0;
  std::string_view server, backend, frontend;
};

std::optional<std::uint64_t> parse_id(std::string_view text) {
  if (!text.starts_with("0x")) return std::nullopt;
  return base::parse_int<std::uint64_t>(text.substr(2), 16);
}

bool parse_option(Call& call, std::size_t& at, Selection& out) {
  std::string_view word = call.arg(at), value = call.arg(at + 1);
  if (word == "show-uri") {
    out.uri = true;
    return true;
  }
  ++at;
  if (word == "server") out.server = value;
  if (word == "backend") out.backend = value;
  if (word == "frontend") out.frontend = value;
  if (word == "older") {
    auto age = config::parse_time(value, config::TimeUnit::s, config::TimeUnit::s);
    if (!age) return false;
    out.older_s = *age;
    return true;
  }
  return (word == "server" || word == "backend" || word == "frontend") && !value.empty();
}

bool parse(Call& call, Selection& out) {
  std::size_t at = 0;
  if (call.arg(0) == "all") {
    out.large = true;
    at = 1;
  } else if (call.arg(0).starts_with("0x")) {
    out.id = parse_id(call.arg(0));
    out.large = true;
    at = 1;
    if (!out.id) return false;
  }
  for (; at < call.args.size(); ++at)
    if (!parse_option(call, at, out)) return false;
  return true;
}

std::string server_name(const proxy::LiveExchange& x) {
  if (x.server != nullptr) return x.server->name;
  return x.service.empty() ? "<none>" : x.service;
}

std::string_view backend_name(const proxy::LiveExchange& x) {
  return x.backend != nullptr ? std::string_view(x.backend->name) : "<NONE>";
}

bool wanted(const proxy::LiveExchange& x, const Selection& s) {
  if (s.id && x.id != *s.id) return false;
  if (std::chrono::duration_cast<std::chrono::seconds>(x.age).count() < s.older_s) return false;
  if (!s.frontend.empty() && x.frontend->name != s.frontend) return false;
  if (!s.backend.empty() && backend_name(x) != s.backend) return false;
  return s.server.empty() || fmt::format("{}/{}", backend_name(x), server_name(x)) == s.server;
}

std::string age_text(const proxy::LiveExchange& x) {
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(x.age).count();
  if (seconds >= 3600) return fmt::format("{}h{}m", seconds / 3600, seconds / 60 % 60);
  return seconds >= 60 ? fmt::format("{}m{}s", seconds / 60, seconds % 60)
                       : fmt::format("{}s", seconds);
}

std::string_view protocol(const proxy::LiveExchange& x) {
  return x.source.starts_with('[')      ? "tcpv6"
         : x.source.starts_with("unix") ? "unix_stream"
                                        : "tcpv4";
}

std::string short_line(const proxy::LiveExchange& x, bool uri) {
  std::string out = fmt::format(
      "0x{:x}: proto={} src={} fe={} be={} srv={} tid={} age={} state={} in={} out={} retries={}",
      x.id, protocol(x), x.source, x.frontend->name, backend_name(x), server_name(x), x.worker + 1,
      age_text(x), x.tunnel ? "tunnel" : "rules", x.bytes_in, x.bytes_out, x.retries);
  if (uri && x.has_request) out += fmt::format(" uri=\"{} {}\"", x.method, x.target);
  return out + "\n";
}

std::string large_text(const proxy::LiveExchange& x) {
  auto side = [](std::string_view name, const state::Proxy* p) {
    return p == nullptr ? fmt::format("  {}=<NONE> (id=-1 mode=-)\n", name)
                        : fmt::format("  {}={} (id={} mode={})\n", name, p->name, p->id,
                                      state::name_of(p->mode));
  };
  std::string out =
      fmt::format("0x{:x}: proto={} source={}\n  tid={} age={} state={} in={} out={} retries={}\n",
                  x.id, protocol(x), x.source, x.worker + 1, age_text(x),
                  x.tunnel ? "tunnel" : "rules", x.bytes_in, x.bytes_out, x.retries);
  out += side("frontend", x.frontend) + side("backend", x.backend);
  out += x.server != nullptr ? fmt::format("  server={} (id={})\n", x.server->name, x.server->id)
                             : fmt::format("  server={} (id=-1)\n", server_name(x));
  if (x.has_request) out += fmt::format("  request={} {}\n", x.method, x.target);
  return out;
}

void show_sess(Call& call) {
  Selection selection;
  if (call.arg(0) == "help" || !parse(call, selection)) return call.notice(kUsage);
  bool found = false;
  for (const proxy::LiveExchange& x : proxy::live_exchanges()) {
    if (!wanted(x, selection)) continue;
    found = true;
    if (!call.print(selection.large ? large_text(x) : short_line(x, selection.uri))) return;
  }
  if (!found && selection.id) call.error("Session not found.");
}

void shutdown_session(Call& call) {
  if (call.args.empty()) return call.error("Session pointer expected (use 'show sess').");
  auto id = parse_id(call.arg(0));
  if (!id || !proxy::shut_exchange(*id)) call.error("No such session (use 'show sess').");
}

constexpr Command kCommands[] = {
    {{"show sess", "[help|<id>|all] [opts...]", "list what is under way, or print one in full"},
     Access::operator_,
     show_sess},
    {{"shutdown session", "[id]", "end one session"}, Access::admin, shutdown_session},
};

}  // namespace

std::span<const Command> session_list_commands() { return kCommands; }

}  // namespace admin

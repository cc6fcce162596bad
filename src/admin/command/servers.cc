// Changes to servers: set server, enable/disable, weights, limits, sessions.
#include <fmt/format.h>

#include "admin/command/families.h"
#include "admin/lookup.h"
#include "base/text.h"
#include "proxy/config.h"
#include "state/registry.h"
#include "upstream/control.h"

namespace admin {
namespace {

namespace control = upstream::control;

constexpr std::string_view kSetServerUsage =
    "usage: set server <backend>/<server> addr | agent | agent-addr | agent-port | agent-send | "
    "check-addr | check-port | fqdn | health | name | ssl | state | weight";

void tell(Call& call, const base::Result<void>& result) {
  if (!result) call.error(result.error());
}

// Of addresses: whatever comes of it is a warning.
void warn(Call& call, std::string_view text) { call.say(obs::Level::warning, text); }

void set_weight_of(Call& call, upstream::Server& server, std::string_view weight) {
  if (weight.empty()) return call.error("Require <weight> or <weight%>.");
  tell(call, control::set_weight(server, weight));
}

void set_state_of(Call& call, upstream::Server& server, std::string_view state) {
  if (state != "ready" && state != "drain" && state != "maint")
    return call.error("'set server <srv> state' expects 'ready', 'drain' and 'maint'.");
  tell(call, control::set_state(server, state));
}

void set_health_of(Call& call, upstream::Server& server, std::string_view health) {
  if (!server.state().tracked.empty())
    return call.error("cannot change health on a tracking server.");
  if (health != "up" && health != "stopping" && health != "down")
    return call.error("'set server <srv> health' expects 'up', 'stopping', or 'down'.");
  tell(call, control::set_health(server, health));
}

std::string host_of(const net::Address& address) {
  return address.is_ip() ? address.ip().text() : std::string(address.path());
}

// "IP changed from 'a' to 'b', port changed from 'c' to 'd' by 'stats socket command'"
std::string describe_move(const net::Address& from, const net::Address& to) {
  std::string out;
  if (host_of(from) != host_of(to))
    out = fmt::format("IP changed from '{}' to '{}'", host_of(from), host_of(to));
  if (from.port() != to.port())
    out += fmt::format("{}port changed from '{}' to '{}'", out.empty() ? "" : ", ", from.port(),
                       to.port());
  return out.empty() ? "nothing changed" : out + " by 'stats socket command'";
}

net::Address address_of(upstream::Server& server) {
  std::lock_guard lock(server.state().mutex);
  return server.state().address;
}

// addr <address> [port <port>]
void set_address_of(Call& call, upstream::Server& server, std::span<const std::string> words) {
  if (words.empty()) return call.error("set server <b>/<s> addr requires an address.");
  std::string_view port;
  if (words.size() > 1) {
    if (words[1] != "port" || words.size() < 3)
      return call.error("set server <b>/<s> addr expects 'port' and a port number.");
    port = words[2];
  }
  net::Address before = address_of(server);
  auto done = control::set_address(server, words[0], port);
  if (!done) return warn(call, done.error());
  warn(call, describe_move(before, address_of(server)));
}

void set_agent_of(Call& call, upstream::Server& server, std::string_view what,
                  std::string_view value) {
  const bool is_target = what == "agent-addr" || what == "agent-port";
  if (!server.state().agent_configured && is_target)
    return warn(call, "agent checks are not enabled on this server");
  if (!server.state().agent_configured)
    return call.error("agent checks are not enabled on this server.");
  if (what == "agent") {
    if (value != "up" && value != "down")
      return call.error("'set server <srv> agent' expects 'up' or 'down'.");
    return tell(call, control::set_agent_health(server, value));
  }
  if (value.empty())
    return call.error(fmt::format("'set server <srv> {}' requires a value.", what));
  if (is_target) {
    const auto done = what == "agent-addr" ? control::set_agent_target(server, value, {})
                                           : control::set_agent_target(server, {}, value);
    return done ? void() : warn(call, done.error());
  }
  if (what == "agent-send") return tell(call, control::set_agent_send(server, value));
  call.error(kSetServerUsage);
}

// check-addr <address> [port <port>], check-port <port>
void set_check_of(Call& call, upstream::Server& server, std::string_view what,
                  std::span<const std::string> words) {
  if (!server.state().check_configured)
    return warn(call, "health checks are not enabled on this server");
  if (words.empty())
    return call.error(fmt::format("'set server <srv> {}' requires a value.", what));
  const auto target = [&](std::string_view address, std::string_view port) {
    const auto done = control::set_check_target(server, address, port);
    if (!done) warn(call, done.error());
  };
  if (what == "check-port") return target({}, words[0]);
  if (words.size() > 1 && (words[1] != "port" || words.size() < 3))
    return call.error("set server <b>/<s> check-addr expects 'port' and a port number.");
  target(words[0], words.size() > 2 ? std::string_view(words[2]) : "");
}

void set_name_of(Call& call, upstream::Server& server, std::string_view name) {
  if (name.empty()) return call.error("set server <b>/<s> name requires a new name.");
  auto renamed = server.backend().rename_at_runtime(server, name);
  if (!renamed) return call.error(renamed.error());
  call.notice("Server name updated.");
}

void set_server(Call& call) {
  upstream::Server* server = find_server(call, call.arg(0));
  if (server == nullptr) return;
  std::string_view what = call.arg(1), value = call.arg(2);
  if (what == "weight") return set_weight_of(call, *server, value);
  if (what == "state") return set_state_of(call, *server, value);
  if (what == "health") return set_health_of(call, *server, value);
  if (what == "addr") return set_address_of(call, *server, call.args.subspan(2));
  if (what == "agent" || what.starts_with("agent-"))
    return set_agent_of(call, *server, what, value);
  if (what == "check-addr" || what == "check-port")
    return set_check_of(call, *server, what, call.args.subspan(2));
  if (what == "name") return set_name_of(call, *server, value);
  if (what == "fqdn")
    return call.error("set server <b>/<s> fqdn failed because no resolution is configured.");
  if (what == "ssl") return call.error("'set server <srv> ssl' is not supported yet.");
  call.error(kSetServerUsage);
}

void set_weight(Call& call) {
  if (upstream::Server* server = find_server(call, call.arg(0)))
    set_weight_of(call, *server, call.arg(1));
}

void get_weight(Call& call) {
  const state::Server* server = find_state_server(call, call.arg(0));
  if (server == nullptr) return;
  call.print(
      fmt::format("{} (initial {})\n", server->user_weight.load(), server->initial_weight.load()));
}

void set_maxconn_server(Call& call) {
  upstream::Server* server = find_server(call, call.arg(0));
  if (server == nullptr) return;
  if (call.arg(1).empty()) return call.error("Require <maxconn>.");
  auto maximum = base::parse_int<std::uint32_t>(call.arg(1));
  if (!maximum) return call.error("maxconn string empty or preceded by garbage");
  tell(call, control::set_maximum(*server, *maximum));
}

void set_state_by_name(Call& call, std::string_view state) {
  if (upstream::Server* server = find_server(call, call.arg(0)))
    tell(call, control::set_state(*server, state));
}
void enable_server(Call& call) { set_state_by_name(call, "ready"); }
void disable_server(Call& call) { set_state_by_name(call, "maint"); }

void switch_health(Call& call, bool on) {
  upstream::Server* server = find_server(call, call.arg(0));
  if (server == nullptr) return;
  if (on && !server->state().check_configured)
    return call.error("Health check was not configured on this server, cannot enable.");
  if (server->state().check_configured) control::enable_check(*server, on);
}
void enable_health(Call& call) { switch_health(call, true); }
void disable_health(Call& call) { switch_health(call, false); }

void switch_agent(Call& call, bool on) {
  upstream::Server* server = find_server(call, call.arg(0));
  if (server == nullptr) return;
  if (on && !server->state().agent_configured)
    return call.error("Agent was not configured on this server, cannot enable.");
  if (server->state().agent_configured) control::enable_agent(*server, on);
}
void enable_agent(Call& call) { switch_agent(call, true); }
void disable_agent(Call& call) { switch_agent(call, false); }

void shutdown_sessions_server(Call& call) {
  if (upstream::Server* server = find_server(call, call.arg(0)))
    control::shutdown_sessions(*server);
}

constexpr Command kCommands[] = {
    {{"set server", "<bk>/<srv> [opts]", "change a server's state, health, weight or address"},
     Access::admin,
     set_server},
    {{"set weight", "<bk>/<srv>  (DEPRECATED)", "change a server's weight (use 'set server')"},
     Access::admin,
     set_weight},
    {{"get weight", "<bk>/<srv>", "print a server's weight"}, Access::user, get_weight},
    {{"set maxconn server", "<bk>/<srv>", "change a server's maxconn"},
     Access::admin,
     set_maxconn_server},
    {{"enable server", "(DEPRECATED)", "end a server's maintenance (use 'set server')"},
     Access::admin,
     enable_server},
    {{"disable server", "(DEPRECATED)", "put a server into maintenance (use 'set server')"},
     Access::admin,
     disable_server},
    {{"enable health", "<bk>/<srv>", "run health checks of a server"},
     Access::admin,
     enable_health},
    {{"disable health", "<bk>/<srv>", "stop health checks of a server"},
     Access::admin,
     disable_health},
    {{"enable agent", "<bk>/<srv>", "run agent checks of a server"}, Access::admin, enable_agent},
    {{"disable agent", "<bk>/<srv>", "stop agent checks of a server"},
     Access::admin,
     disable_agent},
    {{"shutdown sessions server", "<bk>/<srv>", "end all sessions of a server"},
     Access::admin,
     shutdown_sessions_server},
};

}  // namespace

std::span<const Command> server_commands() { return kCommands; }

}  // namespace admin

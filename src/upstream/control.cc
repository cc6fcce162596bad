#include "upstream/control.h"

#include <fmt/format.h>

#include "base/text.h"
#include "upstream/checker.h"
#include "upstream/health.h"
#include "upstream/queue.h"

namespace upstream::control {

namespace {

base::Result<void> move_probe(Checker* checker, std::string_view address, std::string_view port) {
  if (checker == nullptr)
    return base::fail(std::string("Health checks are not enabled on this server."));
  net::Ip ip;
  if (!address.empty()) {
    ip = net::Ip::parse(address);
    if (ip.family == 0) return base::fail(fmt::format("Invalid addr '{}'", address));
  }
  std::uint16_t number = 0;
  if (!port.empty()) {
    const auto parsed = base::parse_int<std::uint16_t>(port);
    if (!parsed || *parsed == 0) return base::fail(std::string("provided port is invalid"));
    number = *parsed;
  }
  checker->set_target(ip, number);
  return {};
}

}  // namespace

base::Result<void> set_weight(Server& server, std::string_view weight) {
  state::Server& st = server.state();
  const bool relative = weight.ends_with('%');
  if (relative) weight.remove_suffix(1);
  const auto number = base::parse_int<std::int64_t>(weight);
  if (!number)
    return base::fail(std::string(weight.empty() || !base::is_digit(weight[0])
                                      ? "Empty weight string empty or preceded by garbage"
                                      : "Trailing garbage in weight string"));
  const std::uint32_t initial = st.initial_weight.load(std::memory_order_relaxed);
  std::int64_t wanted = *number;
  if (relative) {
    if (*number < 0) return base::fail(std::string("Relative weight must be positive."));
    wanted = std::min<std::int64_t>(initial * *number / 100, 256);
  } else if (*number < 0 || *number > 256) {
    return base::fail(std::string("Absolute weight can only be between 0 and 256 inclusive."));
  }
  if (!server.backend().balancer().dynamic() && wanted != 0 && wanted != initial)
    return base::fail(std::string(
        "Backend is using a static LB algorithm and only accepts weights '0%' and '100%'."));
  st.user_weight.store(static_cast<std::uint32_t>(wanted), std::memory_order_relaxed);
  server.backend().servers_changed();
  return {};
}

base::Result<void> set_state(Server& server, std::string_view state) {
  constexpr std::uint8_t kMaintenance = state::kForcedMaintenance | state::kConfiguredMaintenance;
  if (state == "ready") {
    Health::administer(server, 0, kMaintenance | state::kForcedDrain);
  } else if (state == "drain") {
    Health::administer(server, state::kForcedDrain, kMaintenance);
  } else if (state == "maint") {
    Health::administer(server, state::kForcedMaintenance, 0);
  } else {
    return base::fail(
        std::string("'set server <srv> state' expects 'ready', 'drain' and 'maint'."));
  }
  return {};
}

base::Result<void> set_health(Server& server, std::string_view health) {
  if (!server.state().tracked.empty())
    return base::fail(std::string("cannot change health on a tracking server."));
  constexpr std::string_view kWhy = ", changed from CLI";
  if (health == "stopping") {
    if (server.checker() != nullptr) server.checker()->set_health(true);
    Health::stopping(server, kWhy);
    return {};
  }
  if (health != "up" && health != "down")
    return base::fail(
        std::string("'set server <srv> health' expects 'up', 'stopping', or 'down'."));
  const bool up = health == "up";
  if (server.checker() != nullptr) server.checker()->set_health(up);
  if (up)
    Health::up(server, kWhy);
  else
    Health::down(server, kWhy);
  return {};
}

base::Result<void> set_address(Server& server, std::string_view address, std::string_view port) {
  state::Server& st = server.state();
  net::Address next;
  {
    const std::lock_guard guard(st.mutex);
    next = st.address;
  }
  if (!address.empty()) {
    const net::Ip ip = net::Ip::parse(address);
    if (ip.family == 0) return base::fail(fmt::format("Invalid addr '{}'", address));
    const std::uint16_t kept = next.port();
    next = net::Address::of(ip, kept);
  }
  if (!port.empty()) {
    const bool relative = port[0] == '+' || port[0] == '-';
    const auto number = base::parse_int<int>(port[0] == '+' ? port.substr(1) : port);
    if (!number || std::abs(*number) > 65535)
      return base::fail(std::string("provided port is invalid"));
    st.map_port = relative;
    st.port_offset = relative ? *number : 0;
    next.set_port(relative ? 0 : static_cast<std::uint16_t>(*number));
  }
  server.change_address(next);
  if (server.state().admin.load() & state::kResolutionMaintenance)
    Health::administer(server, 0, state::kResolutionMaintenance);
  // Points of the hash ring may derive from addresses.
  server.backend().servers_changed();
  return {};
}

base::Result<void> set_maximum(Server& server, std::uint32_t maximum) {
  state::Server& st = server.state();
  // minconn that equals maxconn moves along (management guide, "set maxconn server").
  if (st.minimum == st.maximum.load(std::memory_order_relaxed)) st.minimum = maximum;
  st.maximum.store(maximum, std::memory_order_relaxed);
  server.backend().queue().serve_all();
  return {};
}

base::Result<void> set_check_target(Server& server, std::string_view address,
                                    std::string_view port) {
  return move_probe(server.checker(), address, port);
}

base::Result<void> set_agent_target(Server& server, std::string_view address,
                                    std::string_view port) {
  if (server.agent() == nullptr)
    return base::fail(std::string("agent checks are not enabled on this server"));
  return move_probe(server.agent(), address, port);
}

base::Result<void> set_agent_send(Server& server, std::string_view text) {
  if (server.agent() == nullptr)
    return base::fail(std::string("agent checks are not enabled on this server"));
  server.agent()->set_agent_send(std::string(text));
  return {};
}

base::Result<void> set_agent_health(Server& server, std::string_view health) {
  if (server.agent() == nullptr)
    return base::fail(std::string("agent checks are not enabled on this server."));
  if (health != "up" && health != "down")
    return base::fail(std::string("'set server <srv> agent' expects 'up' or 'down'."));
  server.agent()->set_health(health == "up");
  if (health == "up")
    Health::up(server, ", changed from CLI");
  else
    Health::down(server, ", changed from CLI");
  return {};
}

void enable_check(Server& server, bool on) {
  server.state().check_enabled.store(on && server.checker() != nullptr, std::memory_order_relaxed);
}

void enable_agent(Server& server, bool on) {
  server.state().agent_enabled.store(on && server.agent() != nullptr, std::memory_order_relaxed);
}

void shutdown_sessions(Server& server) { server.kill_slots(Kill::by_command); }

}  // namespace upstream::control

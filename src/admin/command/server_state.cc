// show servers state, show servers conn, show backend.
#include <fmt/format.h>

#include "admin/clock.h"
#include "admin/command/families.h"
#include "admin/lookup.h"
#include "proxy/config.h"
#include "state/registry.h"
#include "upstream/backend.h"

namespace admin {
namespace {

// Numbers of check outcomes in this format, which state files of other releases hold as well.
int number_of(state::CheckStatus status) {
  using S = state::CheckStatus;
  switch (status) {
    case S::unknown:
      return 0;
    case S::initial:
      return 1;
    case S::socket_error:
      return 5;
    case S::l4_ok:
      return 6;
    case S::l4_timeout:
      return 7;
    case S::l4_connection:
      return 8;
    case S::l6_ok:
      return 9;
    case S::l6_timeout:
      return 10;
    case S::l6_response:
      return 11;
    case S::l7_timeout:
      return 12;
    case S::l7_response:
      return 13;
    case S::l7_ok:
      return 15;
    case S::l7_ok_conditional:
      return 16;
    case S::l7_status:
      return 17;
    case S::process_error:
      return 18;
    case S::process_timeout:
      return 19;
    case S::process_ok:
      return 20;
  }
  return 0;
}

// srv_check_result: 0 unknown, 2 failed, 3 passed, 4 passed but no new sessions wanted.
int result_of(state::CheckStatus status) {
  using S = state::CheckStatus;
  switch (status) {
    case S::unknown:
    case S::initial:
      return 0;
    case S::l4_ok:
    case S::l6_ok:
    case S::l7_ok:
    case S::process_ok:
      return 3;
    case S::l7_ok_conditional:
      return 4;
    default:
      return 2;
  }
}

// configured 2, enabled 4, paused by maintenance 8, agent 16
int check_flags(bool configured, bool enabled, bool paused) {
  return (configured ? 2 : 0) | (configured && enabled ? 4 : 0) | (paused ? 8 : 0);
}

// A server without checks was never looked at.
int status_number(const state::Server& server) {
  if (server.check.status == state::CheckStatus::unknown && !server.check_configured) return 1;
  return number_of(server.check.status);
}

std::string state_line(const state::Proxy& backend, const state::Server& server,
                       const upstream::Server* settings) {
  std::lock_guard lock(server.mutex);
  bool maintenance = server.in_maintenance();
  const auto* check = settings ? &settings->settings().check : nullptr;
  const auto* agent = settings ? &settings->settings().agent : nullptr;
  std::string address = server.address.is_ip()     ? server.address.ip().text()
                        : server.address.is_unix() ? std::string(server.address.path())
                                                   : "-";
  return fmt::format(
      "{} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {}\n", backend.id,
      backend.name, server.id, server.name, address, static_cast<int>(server.oper.load()),
      server.admin.load(), server.user_weight.load(), server.initial_weight.load(),
      std::max<std::int64_t>(0, wall_seconds() - server.last_change.load()), status_number(server),
      result_of(server.check.status), server.check_configured ? server.check.health : 1,
      check_flags(server.check_configured, server.check_enabled.load(),
                  maintenance && server.check_configured),
      check_flags(server.agent_configured, server.agent_enabled.load(), false) |
          (server.agent_configured ? 16 : 0),
      0, 0, server.hostname.empty() ? "-" : server.hostname, server.address.port(), "-", 0,
      check ? check->port : 0, check && !check->address.host.empty() ? check->address.host : "-",
      agent && !agent->address.host.empty() ? agent->address.host : "-", agent ? agent->port : 0);
}

// The backend a command names, or all; false with the refusal printed.
bool select(Call& call, std::vector<const state::Proxy*>& out) {
  if (!call.args.empty()) {
    state::Proxy* proxy = call.env.registry.find(call.arg(0), state::kBackend);
    if (auto id = base::parse_int<unsigned>(call.arg(0)); proxy == nullptr && id)
      proxy = call.env.registry.find(*id);
    if (proxy == nullptr || !(proxy->capabilities & state::kBackend)) {
      call.error("Can't find backend.");
      return false;
    }
    out.push_back(proxy);
    return true;
  }
  for (const auto& proxy : call.env.registry.proxies())
    if (proxy->capabilities & state::kBackend) out.push_back(proxy.get());
  return true;
}

const upstream::Server* settings_of(Call& call, const state::Server& server) {
  const proxy::Proxy* proxy = call.env.config.of(server.proxy);
  return proxy && proxy->backend ? proxy->backend->of(server) : nullptr;
}

void show_servers_state(Call& call) {
  std::vector<const state::Proxy*> backends;
  if (!select(call, backends)) return;
  std::string out =
      "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight "
      "srv_iweight "
      "srv_time_since_last_change srv_check_status srv_check_result srv_check_health "
      "srv_check_state "
      "srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl "
      "srv_check_port srv_check_addr srv_agent_addr srv_agent_port\n";
  for (const state::Proxy* backend : backends)
    for (const auto& server : backend->servers)
      out += state_line(*backend, *server, settings_of(call, *server));
  call.print(out);
}

void show_servers_conn(Call& call) {
  std::vector<const state::Proxy*> backends;
  if (!select(call, backends)) return;
  unsigned workers = rt::worker_count();
  std::string out = fmt::format(
      "# bkname/svname bkid/svid addr port - purge_delay served used_cur used_max need_est "
      "idle_sess "
      "unsafe_nb safe_nb idle_lim idle_cur idle_per_thr[{}]\n",
      workers);
  for (const state::Proxy* backend : backends) {
    for (const auto& s : backend->servers) {
      const upstream::Server* settings = settings_of(call, *s);
      std::uint32_t unsafe = s->idle.load(), safe = s->idle_safe.load();
      std::lock_guard lock(s->mutex);
      out += fmt::format("{}/{} {}/{} {} {} - {} {} {} {} {} 0 {} {} {} {}", backend->name, s->name,
                         backend->id, s->id, s->address.is_ip() ? s->address.ip().text() : "-",
                         s->address.port(), settings ? settings->settings().pool_purge_delay_ms : 0,
                         s->served.load(), s->used_connections.load(), s->used_highest.load(),
                         s->needed_connections.load(), unsafe, safe,
                         settings ? settings->settings().pool_max : -1, unsafe + safe);
      // The pools of the workers are not counted one by one: the first column has them all.
      for (unsigned i = 0; i < workers; ++i) out += fmt::format(" {}", i == 0 ? unsafe + safe : 0);
      out += "\n";
    }
  }
  call.print(out);
}

void show_backend(Call& call) {
  std::string out = "# name\n";
  for (const auto& proxy : call.env.registry.proxies())
    if (proxy->capabilities & state::kBackend) out += proxy->name + "\n";
  call.print(out);
}

constexpr Command kCommands[] = {
    {{"show servers state", "[<backend>]",
      "print states and weights of servers, as state files hold them"},
     Access::user,
     show_servers_state},
    {{"show servers conn", "[<backend>]", "print the connections of servers"},
     Access::user,
     show_servers_conn},
    {{"show backend", "", "list the backends"}, Access::user, show_backend},
};

}  // namespace

std::span<const Command> server_state_commands() { return kCommands; }

}  // namespace admin

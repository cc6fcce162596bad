#include <time.h>

#include <algorithm>

#include "admin/clock.h"
#include "admin/stat_table.h"

namespace admin {
namespace {

using C = Column;
using Counters = state::ProxyCounters;

std::string_view mode_name(state::Mode mode) { return state::name_of(mode); }

template <class Block, class Member>
std::uint64_t rate_of(const obs::PerWorker<Block>& counters, Member member) {
  std::uint64_t total = 0, now = obs::rate_clock_ms();
  counters.each([&](const Block& block) { total += (block.*member).per_second(now); });
  return total;
}

// The highest rate of the process is at least the highest of one worker and at most their sum; the
// rate of this moment may already be higher than what the workers saw alone.
template <class Block, class Member>
std::uint64_t highest_of(const obs::PerWorker<Block>& counters, Member member, std::uint64_t now) {
  std::uint64_t highest = now;
  counters.each([&](const Block& block) { highest = std::max(highest, (block.*member).get()); });
  return highest;
}

template <class Block>
void set_responses(StatRow& row, const obs::PerWorker<Block>& counters) {
  std::array<std::uint64_t, 6> totals{};
  counters.each([&](const Block& block) {
    for (std::size_t i = 0; i < totals.size(); ++i) totals[i] += block.responses[i].get();
  });
  for (std::size_t i = 0; i < totals.size(); ++i)
    row.set(static_cast<C>(static_cast<std::size_t>(C::hrsp_1xx) + i), totals[i]);
}

// Average times of the counted sessions, in milliseconds.
template <class Block>
void set_times(StatRow& row, const obs::PerWorker<Block>& counters) {
  std::uint64_t timed = std::max<std::uint64_t>(1, counters.sum(&Block::timed));
  row.set(C::qtime, counters.sum(&Block::queue_ms) / timed);
  row.set(C::ctime, counters.sum(&Block::connect_ms) / timed);
  row.set(C::rtime, counters.sum(&Block::response_ms) / timed);
  row.set(C::ttime, counters.sum(&Block::total_ms) / timed);
  for (C c : {C::qtime_max, C::ctime_max, C::rtime_max, C::ttime_max}) row.set(c, std::uint64_t{0});
}

// What frontends and listeners count of their clients.
void set_client_side(StatRow& row, const obs::PerWorker<Counters>& counters) {
  row.set(C::stot, counters.sum(&Counters::sessions));
  row.set(C::bin, counters.sum(&Counters::bytes_in));
  row.set(C::bout, counters.sum(&Counters::bytes_out));
  row.set(C::dreq, counters.sum(&Counters::denied_requests));
  row.set(C::dresp, counters.sum(&Counters::denied_responses));
  row.set(C::ereq, counters.sum(&Counters::failed_requests));
  row.set(C::dcon, counters.sum(&Counters::denied_connections));
  row.set(C::dses, counters.sum(&Counters::denied_sessions));
  row.set(C::conn_tot, counters.sum(&Counters::connections));
  row.set(C::wrew, counters.sum(&Counters::rewrites_failed));
  row.set(C::eint, counters.sum(&Counters::internal_errors));
}

// What backends and servers count of the way to servers.
template <class Block>
void set_server_side(StatRow& row, const obs::PerWorker<Block>& counters) {
  row.set(C::stot, counters.sum(&Block::sessions));
  row.set(C::bin, counters.sum(&Block::bytes_in));
  row.set(C::bout, counters.sum(&Block::bytes_out));
  row.set(C::dresp, counters.sum(&Block::denied_responses));
  row.set(C::econ, counters.sum(&Block::failed_connections));
  row.set(C::eresp, counters.sum(&Block::failed_responses));
  row.set(C::wretr, counters.sum(&Block::retries));
  row.set(C::wredis, counters.sum(&Block::redispatches));
  row.set(C::lbtot, counters.sum(&Block::chosen));
  std::uint64_t rate = rate_of(counters, &Block::session_rate);
  row.set(C::rate, rate);
  row.set(C::rate_max, highest_of(counters, &Block::session_rate_max, rate));
  row.set(C::cli_abrt, counters.sum(&Block::client_aborts));
  row.set(C::srv_abrt, counters.sum(&Block::server_aborts));
  row.set(C::eint, counters.sum(&Block::internal_errors));
  row.set(C::connect, counters.sum(&Block::connects));
  row.set(C::reuse, counters.sum(&Block::reused));
  set_times(row, counters);
}

StatRow new_row(RowKind kind, const state::Proxy& proxy, std::string_view name, unsigned id) {
  StatRow row;
  row.kind = kind;
  row.proxy = &proxy;
  row.set(C::pxname, proxy.name);
  row.set(C::svname, name);
  row.set(C::pid, 1);
  row.set(C::iid, proxy.id);
  row.set(C::sid, id);
  row.set(C::type, static_cast<std::uint64_t>(kind));
  row.set(C::mode, mode_name(proxy.mode));
  return row;
}

std::string_view frontend_status(const state::Proxy& proxy) {
  if (proxy.disabled.load(std::memory_order_relaxed)) return "STOP";
  if (proxy.paused.load(std::memory_order_relaxed)) return "PAUSED";
  std::uint32_t limit = proxy.maximum.load(std::memory_order_relaxed);
  bool full = limit != 0 && proxy.frontend_sessions.load(std::memory_order_relaxed) >= limit;
  return full ? "FULL" : "OPEN";
}

void set_frontend_http(StatRow& row, const state::Proxy& proxy) {
  const auto& counters = proxy.frontend;
  std::uint64_t rate = rate_of(counters, &Counters::request_rate);
  row.set(C::req_rate, rate);
  row.set(C::req_rate_max, highest_of(counters, &Counters::request_rate_max, rate));
  row.set(C::req_tot, counters.sum(&Counters::requests));
  row.set(C::intercepted, counters.sum(&Counters::intercepted));
  row.set(C::cache_lookups, std::uint64_t{0});
  row.set(C::cache_hits, std::uint64_t{0});
  for (C c : {C::comp_in, C::comp_out, C::comp_byp, C::comp_rsp}) row.set(c, std::uint64_t{0});
  set_responses(row, counters);
}

StatRow frontend_row(const state::Registry& registry, const state::Proxy& proxy,
                     const ProxyFacts& facts) {
  StatRow row = new_row(RowKind::frontend, proxy, "FRONTEND", 0);
  const auto& counters = proxy.frontend;
  std::uint32_t limit = proxy.maximum.load(std::memory_order_relaxed);
  row.set(C::scur, proxy.frontend_sessions.load(std::memory_order_relaxed));
  row.set(C::smax, proxy.frontend_highest.load(std::memory_order_relaxed));
  row.set(C::slim,
          limit != 0 ? limit
                     : const_cast<state::Registry&>(registry).process().maximum_connections.load());
  set_client_side(row, counters);
  row.set(C::status, frontend_status(proxy));
  std::uint64_t rate = rate_of(counters, &Counters::session_rate);
  row.set(C::rate, rate);
  row.set(C::rate_lim, facts.rate_limit);
  row.set(C::rate_max, highest_of(counters, &Counters::session_rate_max, rate));
  rate = rate_of(counters, &Counters::connection_rate);
  row.set(C::conn_rate, rate);
  row.set(C::conn_rate_max, highest_of(counters, &Counters::connection_rate_max, rate));
  bool http = proxy.mode == state::Mode::http;
  std::uint64_t sessions = row[C::stot].number, requests = counters.sum(&Counters::requests);
  row.set(C::sess_other, http ? 0 : sessions);
  row.set(C::h1sess, http ? sessions : 0);
  row.set(C::req_other, http ? 0 : requests);
  row.set(C::h1req, http ? requests : 0);
  for (C c : {C::h2sess, C::h3sess, C::h2req, C::h3req}) row.set(c, std::uint64_t{0});
  if (http) set_frontend_http(row, proxy);
  return row;
}

std::string_view protocol_of(std::string_view address) {
  if (address.starts_with('/') || address.starts_with("unix@") || address.starts_with("abns@"))
    return "unix_stream";
  return address.starts_with('[') ? "tcpv6" : "tcpv4";
}

StatRow listener_row(const state::Proxy& proxy, const state::ListenerState& listener,
                     const StatQuery& query) {
  StatRow row = new_row(RowKind::listener, proxy, listener.name, listener.id);
  row.listener = &listener;
  const auto& counters = listener.counters;
  row.set(C::scur, listener.current.load(std::memory_order_relaxed));
  row.set(C::smax, listener.highest.load(std::memory_order_relaxed));
  row.set(C::slim, listener.limit);
  set_client_side(row, counters);
  bool full =
      listener.limit != 0 && static_cast<std::uint64_t>(row[C::scur].number) >= listener.limit;
  row.set(C::status, full ? "FULL" : "OPEN");
  row.set(C::proto, protocol_of(listener.address));
  if (query.legends) row.set(C::addr, listener.address);
  return row;
}

std::string address_text(const state::Server& server) {
  std::lock_guard lock(server.mutex);
  return server.address.is_unix() ? "unix" : server.address.text();
}

struct CheckColumns {
  C status, code, duration, text, description, rise, fall, health;
};
constexpr CheckColumns kHealth = {C::check_status, C::check_code,  C::check_duration,
                                  C::last_chk,     C::check_desc,  C::check_rise,
                                  C::check_fall,   C::check_health};
constexpr CheckColumns kAgent = {C::agent_status, C::agent_code,  C::agent_duration,
                                 C::last_agt,     C::agent_desc,  C::agent_rise,
                                 C::agent_fall,   C::agent_health};

void set_check(StatRow& row, const state::HealthState& check, const CheckColumns& at, int rise,
               int fall) {
  row.set(at.status, state::name_of(check.status));
  if (check.status >= state::CheckStatus::l7_ok && check.code != 0)
    row.set(at.code, static_cast<std::uint64_t>(check.code));
  if (check.duration_ms >= 0) row.set(at.duration, static_cast<std::uint64_t>(check.duration_ms));
  row.set(at.text, check.text);
  row.set(at.description, state::describe(check.status));
  row.set(at.rise, static_cast<std::uint64_t>(rise));
  row.set(at.fall, static_cast<std::uint64_t>(fall));
  row.set(at.health, static_cast<std::uint64_t>(std::max(0, check.health)));
}

void set_checks(StatRow& row, const state::Server& server) {
  std::lock_guard lock(server.mutex);
  if (server.check_enabled.load(std::memory_order_relaxed)) {
    row.set(C::chkfail, server.check.failed_checks);
    row.set(C::chkdown, server.check.went_down);
    set_check(row, server.check, kHealth, server.rise, server.fall);
  }
  if (server.check_configured)
    row.set(C::downtime,
            static_cast<std::uint64_t>(
                server.down_seconds.load(std::memory_order_relaxed) +
                (server.oper.load(std::memory_order_relaxed) == state::OperState::stopped
                     ? wall_seconds() - server.last_change.load(std::memory_order_relaxed)
                     : 0)));
  if (server.agent_enabled.load(std::memory_order_relaxed))
    set_check(row, server.agent, kAgent, 1, 1);
}

std::uint64_t since(std::int64_t when) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, wall_seconds() - when));
}

// Seconds since the last session; -1 as long as there was none.
void set_last_session(StatRow& row, std::int64_t when) {
  row[C::lastsess].type = FieldType::s32;
  row[C::lastsess].number = when == 0 ? -1 : static_cast<std::int64_t>(since(when));
}

void set_server_state(StatRow& row, const state::Server& server) {
  row.set(C::status, server.status_text(server.rise, server.fall));
  row.set(C::weight, server.effective_weight.load(std::memory_order_relaxed));
  row.set(C::uweight, server.user_weight.load(std::memory_order_relaxed));
  row.set(C::act, std::uint64_t{!server.backup});
  row.set(C::bck, std::uint64_t{server.backup});
  row.set(C::lastchg, since(server.last_change.load(std::memory_order_relaxed)));
  if (server.queue_limit != 0) row.set(C::qlimit, server.queue_limit);
  if (!server.tracked.empty()) row.set(C::tracked, server.tracked);
  set_last_session(row, server.last_session.load(std::memory_order_relaxed));
  set_checks(row, server);
}

void set_server_connections(StatRow& row, const state::Server& server) {
  auto load = [](const auto& a) {
    return static_cast<std::uint64_t>(a.load(std::memory_order_relaxed));
  };
  std::uint64_t idle = load(server.idle), safe = load(server.idle_safe),
                used = load(server.used_connections);
  row.set(C::srv_icur, idle + safe);
  row.set(C::idle_conn_cur, idle);
  row.set(C::safe_conn_cur, safe);
  row.set(C::used_conn_cur, used);
  row.set(C::need_conn_est, load(server.needed_connections));
  row.set(C::priv_idle_cur, std::uint64_t{0});
}

StatRow server_row(const state::Proxy& proxy, const state::Server& server, const StatQuery& query) {
  using S = state::ServerCounters;
  StatRow row = new_row(RowKind::server, proxy, server.name, server.id);
  row.server = &server;
  const auto& counters = server.counters;
  row.set(C::qcur, server.queued.load(std::memory_order_relaxed));
  row.set(C::qmax, server.queued_highest.load(std::memory_order_relaxed));
  row.set(C::scur, server.sessions.load(std::memory_order_relaxed));
  row.set(C::smax, server.sessions_highest.load(std::memory_order_relaxed));
  if (std::uint32_t limit = server.maximum.load(std::memory_order_relaxed)) row.set(C::slim, limit);
  set_server_side(row, counters);
  row.set(C::wrew, std::uint64_t{0});
  row.set(C::srid, std::uint64_t{0});
  set_server_state(row, server);
  set_server_connections(row, server);
  if (proxy.mode == state::Mode::http) {
    row.set(C::req_tot, counters.sum(&S::requests));
    set_responses(row, counters);
  }
  if (query.legends) {
    row.set(C::addr, address_text(server));
    if (!server.cookie.empty()) row.set(C::cookie, server.cookie);
  }
  return row;
}

struct ServerTotals {
  unsigned active = 0, backup = 0, all = 0;
  std::uint64_t weight = 0, user_weight = 0;
};

// Weights are those of the servers in use: backups only count when no active one is left.
ServerTotals totals_of(const state::Proxy& proxy) {
  ServerTotals t;
  std::uint64_t backup_weight = 0, backup_user = 0;
  for (const auto& server : proxy.servers) {
    ++t.all;
    if (!server->usable()) continue;
    (server->backup ? t.backup : t.active)++;
    (server->backup ? backup_weight : t.weight) +=
        server->effective_weight.load(std::memory_order_relaxed);
    (server->backup ? backup_user : t.user_weight) +=
        server->user_weight.load(std::memory_order_relaxed);
  }
  if (t.active == 0) {
    t.weight = backup_weight;
    t.user_weight = backup_user;
  }
  return t;
}

std::string backend_status(const state::Proxy& proxy, const ServerTotals& totals,
                           const StatQuery& query) {
  bool up = proxy.servers.empty() || totals.active + totals.backup != 0;
  std::string status = up ? "UP" : "DOWN";
  // With rows hidden, the count tells how many there are.
  if (query.up || query.no_maint)
    status += " (" + std::to_string(totals.active + totals.backup) + "/" +
              std::to_string(totals.all) + ")";
  return status;
}

void set_backend_traffic(StatRow& row, const state::Proxy& proxy) {
  const auto& counters = proxy.backend;
  set_server_side(row, counters);
  row.set(C::dreq, counters.sum(&Counters::denied_requests));
  row.set(C::wrew, counters.sum(&Counters::rewrites_failed));
  for (C c : {C::comp_in, C::comp_out, C::comp_byp, C::comp_rsp}) row.set(c, std::uint64_t{0});
  if (proxy.mode == state::Mode::http) {
    row.set(C::req_tot, counters.sum(&Counters::requests));
    row.set(C::intercepted, counters.sum(&Counters::intercepted));
    row.set(C::cache_lookups, std::uint64_t{0});
    row.set(C::cache_hits, std::uint64_t{0});
    set_responses(row, counters);
  }
}

StatRow backend_row(const state::Proxy& proxy, const StatQuery& query, const ProxyFacts& facts) {
  StatRow row = new_row(RowKind::backend, proxy, "BACKEND", 0);
  row.set(C::qcur, proxy.queued.load(std::memory_order_relaxed));
  row.set(C::qmax, proxy.queued_highest.load(std::memory_order_relaxed));
  row.set(C::scur, proxy.backend_sessions.load(std::memory_order_relaxed));
  row.set(C::smax, proxy.backend_highest.load(std::memory_order_relaxed));
  row.set(C::slim, proxy.full_connections.load(std::memory_order_relaxed));
  ServerTotals totals = totals_of(proxy);
  row.set(C::status, backend_status(proxy, totals, query));
  row.set(C::weight, totals.weight);
  row.set(C::uweight, totals.user_weight);
  row.set(C::act, totals.active);
  row.set(C::bck, totals.backup);
  row.set(C::chkdown, proxy.went_down.load(std::memory_order_relaxed));
  row.set(C::lastchg, since(proxy.last_change.load(std::memory_order_relaxed)));
  if (!proxy.servers.empty())
    row.set(C::downtime,
            static_cast<std::uint64_t>(proxy.down_seconds.load(std::memory_order_relaxed)));
  for (C c : {C::agg_server_status, C::agg_server_check_status, C::agg_check_status})
    row.set(c, std::uint64_t{0});
  set_last_session(row, proxy.last_session.load(std::memory_order_relaxed));
  set_backend_traffic(row, proxy);
  if (query.legends) {
    if (!facts.cookie_name.empty()) row.set(C::cookie, facts.cookie_name);
    row.set(C::algo, proxy.balance_name.empty() ? "unknown" : proxy.balance_name);
  }
  return row;
}

bool wanted(const state::Proxy& proxy, const StatQuery& query) {
  if (query.proxy_id >= 0 && proxy.id != static_cast<std::uint64_t>(query.proxy_id)) return false;
  if (!query.scopes.empty() &&
      std::find(query.scopes.begin(), query.scopes.end(), proxy.name) == query.scopes.end())
    return false;
  return query.name_part.empty() || proxy.name.find(query.name_part) != std::string::npos;
}

bool wanted(const state::Server& server, const StatQuery& query) {
  if (query.server_id >= 0 && server.id != static_cast<std::uint64_t>(query.server_id))
    return false;
  bool maintenance = server.in_maintenance();
  if (query.no_maint && maintenance) return false;
  return !query.up ||
         (!maintenance && server.oper.load(std::memory_order_relaxed) != state::OperState::stopped);
}

void add_proxy(const state::Registry& registry, const state::Proxy& proxy, const StatQuery& query,
               std::vector<StatRow>& rows) {
  ProxyFacts facts = query.facts ? query.facts(proxy) : ProxyFacts{};
  bool frontend = proxy.capabilities & state::kFrontend,
       backend = proxy.capabilities & state::kBackend;
  bool whole = query.server_id < 0 || query.server_id == 0;
  if (frontend && (query.kinds & 1) && whole) rows.push_back(frontend_row(registry, proxy, facts));
  if (frontend && (query.kinds & 8) && facts.socket_stats)
    for (const auto& listener : proxy.listeners)
      if (query.server_id < 0 || listener->id == static_cast<std::uint64_t>(query.server_id))
        rows.push_back(listener_row(proxy, *listener, query));
  if (!backend) return;
  if (query.kinds & 4)
    for (const auto& server : proxy.servers)
      if (wanted(*server, query)) rows.push_back(server_row(proxy, *server, query));
  if ((query.kinds & 2) && whole) rows.push_back(backend_row(proxy, query, facts));
}

}  // namespace

void StatRow::set(Column c, std::uint64_t number) {
  (*this)[c].type = info_of(c).type;
  (*this)[c].number = static_cast<std::int64_t>(number);
}

void StatRow::set(Column c, std::string_view text) {
  (*this)[c].type = FieldType::str;
  (*this)[c].text = text;
}

std::vector<StatRow> stat_rows(const state::Registry& registry, const StatQuery& query) {
  std::vector<StatRow> rows;
  for (const auto& proxy : registry.proxies())
    if (wanted(*proxy, query)) add_proxy(registry, *proxy, query, rows);
  return rows;
}

}  // namespace admin

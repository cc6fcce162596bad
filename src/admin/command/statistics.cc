// show stat, show schema, clear counters.
#include <fmt/format.h>

#include "admin/command/families.h"
#include "admin/facts.h"
#include "admin/lookup.h"
#include "admin/stat_table.h"
#include "admin/stats_file.h"
#include "base/text.h"

namespace admin {
namespace {

// [{<iid>|<proxy>} <type> <sid>], all three or none.
bool parse_selection(Call& call, StatQuery& query) {
  auto kinds = base::parse_int<std::int64_t>(call.arg(1));
  auto server = base::parse_int<std::int64_t>(call.arg(2));
  if (!kinds || !server) return true;
  auto id = base::parse_int<std::int64_t>(call.arg(0));
  if (!id) {
    const state::Proxy* proxy = call.env.registry.find(call.arg(0));
    if (proxy == nullptr) {
      call.error("No such proxy.");
      return false;
    }
    id = proxy->id;
  }
  query.proxy_id = *id;
  query.kinds = static_cast<unsigned>(*kinds);
  query.server_id = *server;
  return true;
}

bool has(Call& call, std::string_view word) {
  for (const std::string& arg : call.args)
    if (arg == word) return true;
  return false;
}

void show_stat(Call& call) {
  StatQuery query;
  query.facts = [&](const state::Proxy& proxy) { return facts_of(call.env.config, proxy); };
  query.up = has(call, "up");
  query.no_maint = has(call, "no-maint");
  query.legends = call.session.access >= Access::operator_;
  if (!parse_selection(call, query)) return;
  std::vector<StatRow> rows = stat_rows(call.env.registry, query);
  if (has(call, "json"))
    call.print(json(rows, has(call, "desc")));
  else if (has(call, "typed"))
    call.print(typed(rows, has(call, "desc")));
  else
    call.print(csv(rows));
}

void show_schema(Call& call) {
  if (call.arg(0) != "json") return call.error("Please use 'show schema json'.");
  call.print(stat_schema());
}

// Zeroes what a block counts; `all` those that only rise as well.
void clear(state::ProxyCounters& c, bool all) {
  for (obs::Count* n : {&c.session_rate_max, &c.connection_rate_max, &c.request_rate_max})
    n->set(0);
  if (!all) return;
  for (obs::Count* n : {&c.connections,        &c.sessions,         &c.bytes_in,
                        &c.bytes_out,          &c.denied_requests,  &c.denied_responses,
                        &c.denied_connections, &c.denied_sessions,  &c.failed_requests,
                        &c.failed_connections, &c.failed_responses, &c.retries,
                        &c.redispatches,       &c.client_aborts,    &c.server_aborts,
                        &c.requests,           &c.intercepted,      &c.internal_errors,
                        &c.rewrites_failed,    &c.chosen,           &c.reused,
                        &c.connects,           &c.queue_ms,         &c.connect_ms,
                        &c.response_ms,        &c.total_ms,         &c.timed})
    n->set(0);
  for (obs::Count& n : c.responses) n.set(0);
}

void clear(state::ServerCounters& c, bool all) {
  c.session_rate_max.set(0);
  if (!all) return;
  for (obs::Count* n :
       {&c.sessions,         &c.bytes_in,         &c.bytes_out,       &c.failed_connections,
        &c.failed_responses, &c.denied_responses, &c.retries,         &c.redispatches,
        &c.client_aborts,    &c.server_aborts,    &c.requests,        &c.chosen,
        &c.reused,           &c.connects,         &c.internal_errors, &c.queue_ms,
        &c.connect_ms,       &c.response_ms,      &c.total_ms,        &c.timed})
    n->set(0);
  for (obs::Count& n : c.responses) n.set(0);
}

void clear(state::Server& server, bool all) {
  server.counters.each([all](state::ServerCounters& c) { clear(c, all); });
  server.sessions_highest.store(server.sessions.load());
  server.queued_highest.store(server.queued.load());
  if (!all) return;
  std::lock_guard lock(server.mutex);
  for (state::HealthState* check : {&server.check, &server.agent})
    check->failed_checks = check->went_down = 0;
  server.down_seconds.store(0);
}

void clear(state::Proxy& proxy, bool all) {
  for (auto* side : {&proxy.frontend, &proxy.backend})
    side->each([all](state::ProxyCounters& c) { clear(c, all); });
  for (const auto& listener : proxy.listeners) {
    listener->counters.each([all](state::ProxyCounters& c) { clear(c, all); });
    listener->highest.store(listener->current.load());
  }
  proxy.frontend_highest.store(proxy.frontend_sessions.load());
  proxy.backend_highest.store(proxy.backend_sessions.load());
  proxy.queued_highest.store(proxy.queued.load());
  if (all) {
    proxy.went_down.store(0);
    proxy.down_seconds.store(0);
  }
  for (const auto& server : proxy.servers) clear(*server, all);
}

void dump_file(Call& call) { call.print(dump_stats_file(call.env.registry)); }

void clear_counters(Call& call) {
  if (call.arg(0) == "server") {
    if (!call.require(Access::admin)) return;
    state::Server* server = find_state_server(call, call.arg(1));
    if (server == nullptr) return;
    clear(*server, true);
    return call.notice("Server counters cleared.");
  }
  bool all = call.arg(0) == "all";
  if (!call.require(all ? Access::admin : Access::operator_)) return;
  for (const auto& proxy : call.env.registry.proxies()) clear(*proxy, all);
  state::Process& process = call.env.registry.process();
  process.connections_highest.store(process.connections.load());
  process.counters.each([](state::ProcessCounters& c) {
    for (obs::Count* n : {&c.connection_rate_max, &c.session_rate_max, &c.request_rate_max})
      n->set(0);
  });
}

constexpr Command kCommands[] = {
    {{"show stat", "[desc|json|no-maint|typed|up]*", "report counters for each proxy and server"},
     Access::user,
     show_stat},
    {{"dump stats-file", "", "print counters for the stats-file of a later process"},
     Access::admin,
     dump_file},
    {{"show schema", "json", "print the schema of the JSON outputs"}, Access::user, show_schema},
    {{"clear counters", "[all|server <bk>/<srv> [force]]",
      "clear highest values (or all counters, or those of one server)"},
     Access::operator_,
     clear_counters},
};

}  // namespace

std::span<const Command> statistics_commands() { return kCommands; }

}  // namespace admin

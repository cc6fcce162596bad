// core.get_info(): what "show info" tells, as a table.
#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include "lua/class/all.h"
#include "lua/engine.h"
#include "lua/stack.h"

namespace lua {

namespace {

// Of what this process does not have or does not limit.
constexpr const char* kZeros[] = {"ActivePeers",
                                  "BlockedTrafficWarnings",
                                  "BootTime_ms",
                                  "BusyPolling",
                                  "BytesOutRate",
                                  "CompressBpsIn",
                                  "CompressBpsOut",
                                  "CompressBpsRateLim",
                                  "ConnRateLimit",
                                  "ConnectedPeers",
                                  "CumRecvLogs",
                                  "CumSslConns",
                                  "CurrSslConns",
                                  "DebugCommandsIssued",
                                  "FailedResolutions",
                                  "Idle_pct",
                                  "MaxSslConns",
                                  "MaxSslRate",
                                  "MaxconnReached",
                                  "Maxpipes",
                                  "Maxsock",
                                  "Memmax_MB",
                                  "Memmax_bytes",
                                  "Niced_tasks",
                                  "PatternsAdded",
                                  "PatternsFreed",
                                  "PipesFree",
                                  "PipesUsed",
                                  "PoolAlloc_MB",
                                  "PoolAlloc_bytes",
                                  "PoolFailed",
                                  "PoolUsed_MB",
                                  "PoolUsed_bytes",
                                  "Run_queue",
                                  "SessRateLimit",
                                  "SslBackendKeyRate",
                                  "SslBackendMaxKeyRate",
                                  "SslCacheLookups",
                                  "SslCacheMisses",
                                  "SslFrontendKeyRate",
                                  "SslFrontendMaxKeyRate",
                                  "SslFrontendSessionReuse_pct",
                                  "SslRate",
                                  "SslRateLimit",
                                  "TotalBytesOut",
                                  "TotalSplicedBytesOut",
                                  "TotalWarnings",
                                  "Ulimit-n",
                                  "Unstoppable Jobs"};

void put_traffic(lua_State* L, const state::Process& process) {
  using state::ProcessCounters;
  const std::uint64_t ms = obs::rate_clock_ms();
  std::uint64_t connections = 0, sessions = 0;
  process.counters.each([&](const ProcessCounters& block) {
    connections += block.connection_rate.per_second(ms);
    sessions += block.session_rate.per_second(ms);
  });
  const auto sum = [&](obs::Count ProcessCounters::*member) {
    return static_cast<lua_Integer>(process.counters.sum(member));
  };
  set_field(L, "ConnRate", static_cast<lua_Integer>(connections));
  set_field(L, "SessRate", static_cast<lua_Integer>(sessions));
  set_field(L, "MaxConnRate", sum(&ProcessCounters::connection_rate_max));
  set_field(L, "MaxSessRate", sum(&ProcessCounters::session_rate_max));
  set_field(L, "CumConns", sum(&ProcessCounters::connections));
  set_field(L, "CumReq", sum(&ProcessCounters::requests));
  set_field(L, "CumStreams", sum(&ProcessCounters::requests));
  set_field(L, "CurrConns", lua_Integer{process.connections});
  set_field(L, "CurrStreams", lua_Integer{process.connections});
  set_field(L, "Maxconn", lua_Integer{process.maximum_connections});
  set_field(L, "Hard_maxconn", lua_Integer{process.maximum_connections});
  set_field(L, "Stopping", lua_Integer{process.stopping});
  set_field(L, "Tasks", lua_Integer{process.tasks});
}

void put_identity(lua_State* L, const Environment& environment, const state::Process& process) {
  const lua_Integer start = process.start_wall_ms / 1000;
  const lua_Integer up = start == 0 ? 0 : std::max<lua_Integer>(time(nullptr) - start, 0);
  set_field(L, "Name", "HAProxy");
  set_field(L, "Version", environment.version);
  set_field(L, "Build info", environment.version);
  set_field(L, "Release_date", "");
  set_field(L, "Tainted", "0");
  set_field(L, "node", process.node.empty() ? environment.node : process.node);
  set_field(L, "Nbthread", lua_Integer{rt::worker_count()});
  set_field(L, "NbThreadGroups", 1);
  set_field(L, "Nbproc", 1);
  set_field(L, "Process_num", 1);
  set_field(L, "Pid", lua_Integer{getpid()});
  set_field(L, "Start_time_sec", start);
  set_field(L, "Uptime_sec", up);
  set_field(L, "Uptime",
            fmt::format("{}d {}h{:02}m{:02}s", up / 86400, up / 3600 % 24, up / 60 % 60, up % 60));
}

}  // namespace

int core_get_info(lua_State* L) {
  const Environment& environment = State::of(L).engine().environment();
  const state::Process& process = environment.registry.process();
  lua_createtable(L, 0, 96);
  for (const char* name : kZeros) set_field(L, name, 0);
  set_field(L, "DroppedLogs", static_cast<lua_Integer>(obs::dropped_lines()));
  lua_Integer listeners = 0;
  for (const auto& proxy : environment.registry.proxies())
    listeners += static_cast<lua_Integer>(proxy->listeners.size());
  set_field(L, "Listeners", listeners);
  set_field(L, "Jobs", listeners + lua_Integer{process.connections});
  put_traffic(L, process);
  put_identity(L, environment, process);
  if (environment.info)
    environment.info([L](std::string_view name, std::int64_t value) {
      push(L, name);
      lua_pushinteger(L, value);
      lua_rawset(L, -3);
    });
  return 1;
}

}  // namespace lua

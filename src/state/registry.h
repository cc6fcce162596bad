// All proxies of the running configuration by name and id, and process-wide facts. Filled by app/
// before traffic; afterwards only servers are added or removed, under the lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "obs/counter.h"
#include "rt/time.h"
#include "state/events.h"
#include "state/proxy.h"
#include "state/stick_table.h"
#include "state/variables.h"

namespace state {

struct ProcessCounters {
  obs::Count connections, requests;  // CumConns CumReq
  obs::Rate connection_rate, session_rate, request_rate;
  obs::Count connection_rate_max, session_rate_max, request_rate_max;
};

struct Process {
  std::int64_t start_wall_ms = 0;
  std::int64_t start_mono_ns = 0;
  std::string node, description;
  std::atomic<std::uint32_t> maximum_connections{0};  // global maxconn
  std::uint32_t hard_maximum_connections = 0;         // what "set maxconn global" may ask for
  std::atomic<std::uint32_t> connection_rate_limit{0}, session_rate_limit{0};  // a second, 0: none
  std::atomic<std::uint32_t> connections{0};
  std::atomic<std::uint32_t> connections_highest{0};
  std::atomic<bool> scripts_mail{false};  // a script sends email alerts, and nobody else
  std::atomic<bool> stopping{false};
  std::atomic<rt::Instant> stopping_since{rt::Instant{}};
  std::atomic<std::uint32_t> tasks{0};
  // Open descriptors above which no connection is kept idle, and idle ones are closed for new ones.
  std::uint32_t idle_keep_below = UINT32_MAX, idle_close_above = UINT32_MAX;
  std::uint32_t log_uri_length = 1024;  // tune.http.logurilen
  std::size_t large_buffer_size = 0;    // tune.bufsize.large; 0: there are none
  bool share_idle = true;               // whether workers use each other's idle server connections
  obs::PerWorker<ProcessCounters> counters;
};

class Registry {
 public:
  Proxy& add(std::unique_ptr<Proxy> proxy);
  // `capability`: kFrontend, kBackend or both; the first proxy of the name that has one of them.
  Proxy* find(std::string_view name, std::uint8_t capability = kFrontend | kBackend) const;
  Proxy* find(unsigned id) const;
  const std::vector<std::unique_ptr<Proxy>>& proxies() const { return proxies_; }
  // "backend/server", or "server" within `near`.
  Server* find_server(std::string_view name, const Proxy* near = nullptr) const;

  Process& process() { return process_; }
  StickTables& tables() { return tables_; }
  const StickTables& tables() const { return tables_; }
  Variables& variables() { return variables_; }  // scope "proc"
  std::shared_mutex& variables_mutex() { return variables_mutex_; }
  std::shared_mutex& servers_mutex() { return servers_mutex_; }
  Events& events() { return events_; }

 private:
  std::vector<std::unique_ptr<Proxy>> proxies_;
  Process process_;
  StickTables tables_;
  Events events_;
  Variables variables_;
  std::shared_mutex variables_mutex_, servers_mutex_;
};

}  // namespace state

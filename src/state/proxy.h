// What all workers share about one frontend, backend or listen section at run time, found by name
// so that a later configuration can take it over. Settings that never change live in proxy::Proxy.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "obs/counter.h"
#include "state/captured_message.h"
#include "state/mailers.h"
#include "state/server.h"

namespace state {

enum class Mode : std::uint8_t { tcp, http, log, spop };
std::string_view name_of(Mode mode);

enum Capability : std::uint8_t { kFrontend = 1, kBackend = 2 };

// One side's counts (a listen section has two). Names follow the statistics columns of the manual.
struct ProxyCounters {
  obs::Count connections;       // conn_tot, frontends
  obs::Count sessions;          // stot
  obs::Count session_rate_max;  // rate_max
  obs::Count connection_rate_max;
  obs::Count request_rate_max;
  obs::Count bytes_in, bytes_out;
  obs::Count denied_requests, denied_responses;     // dreq dresp
  obs::Count denied_connections, denied_sessions;   // dcon dses
  obs::Count failed_requests;                       // ereq
  obs::Count failed_connections, failed_responses;  // econ eresp
  obs::Count retries, redispatches;                 // wretr wredis
  obs::Count client_aborts, server_aborts;          // cli_abrt srv_abrt
  obs::Count requests;                              // req_tot
  obs::Count intercepted;                           // services, redirects, returns
  obs::Count internal_errors;                       // eint
  obs::Count rewrites_failed;                       // wrew
  obs::Count chosen;                                // lbtot
  obs::Count reused, connects;                      // reuse connect
  std::array<obs::Count, 6> responses;              // hrsp_1xx … 5xx, other
  obs::Rate session_rate, connection_rate, request_rate;
  // Averages over the last 1024 requests in milliseconds (qtime ctime rtime ttime) are kept as
  // sums.
  obs::Count queue_ms, connect_ms, response_ms, total_ms, timed;
};

// Listeners are counted when "option socket-stats" asks for it.
struct ListenerState {
  std::string name;     // "sock-1" or as named
  std::string address;  // for show stat
  std::string guid;     // guid-prefix and its place in the line; empty: none
  bool counts = false;  // option socket-stats
  unsigned id = 0;
  std::atomic<unsigned> current{0};
  std::atomic<unsigned> highest{0};
  std::uint64_t limit = 0;
  obs::PerWorker<ProxyCounters> counters;
};

// Settings that samples report and rules need beside the engine; filled while the configuration is
// read. Milliseconds, 0: none.
struct ProxySettings {
  std::int64_t client_timeout_ms = 0, connect_timeout_ms = 0, server_timeout_ms = 0,
               queue_timeout_ms = 0, tunnel_timeout_ms = 0, tarpit_timeout_ms = 0;
  std::uint32_t retries = 3;
  std::string default_backend;
};

// One place for captured text of a frontend: "capture request header", "declare capture",
// "http-request capture … len". Its number is its index.
struct CaptureSlot {
  std::string header;  // empty: filled by rules only
  std::uint32_t length = 0;
};

struct Proxy {
  std::string name;
  unsigned id = 0;     // "id" keyword, else counted up
  unsigned index = 0;  // among the proxies of the configuration, set when it is frozen
  std::string uuid() const { return std::to_string(id); }
  std::uint8_t capabilities = 0;
  Mode mode = Mode::tcp;
  std::string description;
  std::string guid;
  std::string balance_name;  // "roundrobin", for show stat's algo
  ProxySettings settings;
  std::shared_ptr<const EmailAlert> email_alert;  // null: no mails
  std::vector<CaptureSlot> request_captures, response_captures;
  std::atomic<std::uint32_t> logged{0};  // lines so far, %lc

  std::atomic<bool> disabled{false};  // "disabled", stopped or paused
  std::atomic<bool> paused{false};
  std::atomic<bool> unpublished{false};            // rules of others pass over this backend
  std::atomic<std::uint32_t> maximum{0};           // maxconn of a frontend; 0: none
  std::atomic<std::uint32_t> full_connections{0};  // fullconn

  // Exact over all workers.
  std::atomic<std::uint32_t> frontend_sessions{0};  // feconn
  std::atomic<std::uint32_t> backend_sessions{0};   // beconn, scur of the backend
  std::atomic<std::uint32_t> frontend_highest{0};   // smax
  std::atomic<std::uint32_t> backend_highest{0};
  std::atomic<std::uint32_t> queued{0};  // qcur: the backend's own queue
  std::atomic<std::uint32_t> queued_highest{0};
  std::atomic<std::int64_t> last_change{0};  // wall-clock seconds
  std::atomic<std::int64_t> last_session{0};
  std::atomic<std::uint32_t> went_down{0};  // chkdown
  std::atomic<std::int64_t> down_seconds{0};

  obs::PerWorker<ProxyCounters> frontend, backend;
  std::vector<std::unique_ptr<ListenerState>> listeners;
  CapturedMessages captured;

  // Grows at run time only under Registry's lock; readers take a snapshot through Registry.
  std::vector<std::unique_ptr<Server>> servers;
  Server* find_server(std::string_view server) const;

  // Set by upstream/ for backends: numbers that depend on its algorithm.
  std::atomic<std::uint32_t> usable_servers{0};  // act+bck servers that take traffic (nbsrv)
  std::atomic<std::uint32_t> total_weight{0};
};

}  // namespace state

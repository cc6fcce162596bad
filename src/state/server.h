// What all workers share about one server: address, weight, health, counts. Behaviour (balancing,
// queueing, checking, pooling) is upstream's; scripts and runtime commands change these fields
// through upstream::ServerControl so that balancers hear of it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "net/address.h"
#include "obs/counter.h"

namespace upstream {
class Server;
}

namespace state {

struct Proxy;

// The administrative state, a set of flags as "show servers state" prints it (srv_admin_state).
enum AdminFlag : std::uint8_t {
  kForcedMaintenance = 0x01,
  kInheritedMaintenance = 0x02,
  kConfiguredMaintenance = 0x04,  // "disabled"
  kForcedDrain = 0x08,
  kInheritedDrain = 0x10,
  kResolutionMaintenance = 0x20,
};
inline constexpr std::uint8_t kMaintenanceFlags = 0x27;
inline constexpr std::uint8_t kDrainFlags = 0x18;

// srv_op_state
enum class OperState : std::uint8_t { stopped = 0, starting = 1, running = 2, stopping = 3 };

// What the last check found (check_status of the statistics; names as the manual's).
enum class CheckStatus : std::uint8_t {
  unknown,
  initial,
  socket_error,
  l4_ok,
  l4_timeout,
  l4_connection,
  l6_ok,
  l6_timeout,
  l6_response,
  l7_ok,
  l7_ok_conditional,
  l7_timeout,
  l7_response,
  l7_status,
  process_ok,
  process_error,
  process_timeout
};
std::string_view name_of(CheckStatus status);   // "L4OK"
std::string_view describe(CheckStatus status);  // "Layer4 check passed"

struct ServerCounters {
  obs::Count sessions;  // stot
  obs::Count bytes_in, bytes_out;
  obs::Count failed_connections, failed_responses;  // econ eresp
  obs::Count denied_responses;
  obs::Count retries, redispatches;
  obs::Count client_aborts, server_aborts;
  obs::Count requests, chosen, reused, connects, internal_errors;
  std::array<obs::Count, 6> responses;
  obs::Count queue_ms, connect_ms, response_ms, total_ms, timed;
  obs::Rate session_rate;
  obs::Count session_rate_max;
};

struct HealthState {
  CheckStatus status = CheckStatus::unknown;
  int code = 0;  // HTTP status, LDAP code …
  std::int64_t duration_ms = -1;
  std::string text;                 // last_chk
  int health = 0;                   // 0 .. rise+fall-1, counter of the check
  std::uint32_t failed_checks = 0;  // chkfail
  std::uint32_t went_down = 0;      // chkdown
};

struct Server {
  Proxy* proxy = nullptr;
  upstream::Server* behaviour = nullptr;  // what balances, queues, checks and pools for it
  std::string name;
  unsigned id = 0;  // puid
  std::string cookie;
  bool backup = false;
  std::string tracked;      // "track be/srv", or empty
  bool dynamic = false;     // added at run time
  bool referenced = false;  // the configuration names it: it can neither go nor change its name

  mutable std::mutex mutex;  // guards address, hostname, check and agent
  net::Address address;      // port 0: the client's destination port is used
  std::string hostname;      // what the configuration named, when it was a name
  int port_offset = 0;       // server without a port: client's port plus this
  bool map_port = false;
  HealthState check, agent;

  std::atomic<std::uint32_t> initial_weight{1};    // as configured, 0..256
  std::atomic<std::uint32_t> user_weight{1};       // as set at run time
  std::atomic<std::uint32_t> effective_weight{1};  // after slow start and drain
  std::atomic<std::uint8_t> admin{0};
  std::atomic<OperState> oper{OperState::running};
  std::atomic<bool> check_enabled{false}, agent_enabled{false};
  bool check_configured = false, agent_configured = false;

  std::atomic<std::uint32_t> sessions{0};  // scur, exact
  std::atomic<std::uint32_t> sessions_highest{0};
  std::atomic<std::uint32_t> served{0};  // holding a slot (maxconn counts these)
  std::atomic<std::uint32_t> queued{0};  // qcur
  std::atomic<std::uint32_t> queued_highest{0};
  // Connections: idle ones that were never used again and those that were, busy ones, the most that
  // were busy since the estimate was made, and the estimate of how many it takes.
  std::atomic<std::uint32_t> idle{0}, idle_safe{0}, used_connections{0}, used_highest{0},
      needed_connections{0};
  std::atomic<std::uint32_t> maximum{0};     // maxconn, 0 none
  std::uint32_t minimum = 0;                 // minconn
  std::uint32_t queue_limit = 0;             // maxqueue
  std::atomic<std::int64_t> last_change{0};  // wall-clock seconds
  std::atomic<std::int64_t> last_session{0};
  std::atomic<std::int64_t> down_seconds{0};

  obs::PerWorker<ServerCounters> counters;

  bool in_maintenance() const { return admin.load(std::memory_order_relaxed) & kMaintenanceFlags; }
  bool draining() const { return admin.load(std::memory_order_relaxed) & kDrainFlags; }
  // Takes new traffic: running or starting, not in maintenance, and weight above zero.
  bool usable() const {
    return oper.load(std::memory_order_relaxed) != OperState::stopped && !in_maintenance() &&
           effective_weight.load(std::memory_order_relaxed) != 0;
  }
  // "UP", "DOWN", "MAINT", "DRAIN", "UP 1/3", "DOWN 1/2", "NOLB", "no check" as the statistics show
  // it.
  std::string status_text(int rise, int fall) const;
  int rise = 2, fall = 3;
};

}  // namespace state

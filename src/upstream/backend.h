// A backend as traffic sees it: servers, the algorithm that picks among them, queues, connection
// pools, health checks. Settings are fixed when the configuration is; what moves lives in state/.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "expr/log_format.h"
#include "net/connection.h"
#include "state/proxy.h"
#include "txn/exchange.h"

namespace upstream {

class Backend;
class Check;
struct CheckSettings;

enum class PoolPolicy : std::uint8_t { never, safe, aggressive, always };  // http-reuse

// One "server" line, merged with its default-server.
struct ServerSettings {
  std::string name;
  std::string address_text;             // as written
  config::Position at;
  net::ConnectOptions connect;
  std::string cookie;
  bool backup = false, disabled = false;
  std::uint32_t weight = 1, maximum = 0, minimum = 0, queue_limit = 0;
  std::int64_t slow_start_ms = 0;
  int send_proxy = 0;                   // 0, 1, 2
  std::uint32_t proxy_v2_options = 0;
  std::vector<std::pair<std::uint8_t, std::shared_ptr<expr::LogFormat>>> proxy_v2_tlvs;
  std::int64_t pool_purge_delay_ms = 5000;
  std::int64_t pool_max = -1;           // pool-max-conn, -1 unlimited
  std::uint64_t pool_low = 0, max_reuse = UINT64_MAX;
  std::string init_addr = "libc";       // order of "init-addr"
  bool redirect = false; std::string redirect_prefix;
  std::uint32_t error_limit = 10; int observe = 0; int on_error = 0;  // observe / error-limit / on-error
  bool shutdown_on_down = false, shutdown_backup_on_up = false;  // on-marked-down/up
  std::string resolvers, resolve_prefer;
  std::shared_ptr<CheckSettings> check; // null: not checked
  std::shared_ptr<CheckSettings> agent;
};

// A pooled or new connection to a server. Destroying it closes; release() gives it back.
class ServerLink {
 public:
  std::unique_ptr<net::Connection> connection;
  bool reused = false;
  std::uint64_t uses = 0;
  // Bytes read past the last response would be a protocol error, so there is no buffer here.
};

class Server {
 public:
  Server(Backend& backend, state::Server& st, std::shared_ptr<const ServerSettings> settings);
  ~Server();

  state::Server& state() { return state_; }
  const ServerSettings& settings() const { return *settings_; }
  Backend& backend() { return backend_; }

  // An idle pooled connection of this worker (or, failing that, taken over from another is not done:
  // a connection stays with its worker), or a new one. `key` keeps apart connections that must not be
  // mixed (source address, PROXY header, destination, SNI hash); 0 for the usual. `may_reuse`: the
  // policy allows this request on a used connection. Waits for the connect; does not queue.
  base::Result<ServerLink, net::IoError> connect(txn::Exchange& exchange, std::uint64_t key,
                                                 bool may_reuse, rt::Instant deadline);
  // Gives a healthy idle connection to the pool of this worker; it is watched there and dropped
  // when the server closes it or it gets too old.
  void release(ServerLink link, std::uint64_t key);
  // Tells about outcomes: observe, passive checks, counters.
  void observed(bool ok, bool layer7);

 private:
  friend class Backend;
  state::Server& state_;
  Backend& backend_;
  std::shared_ptr<const ServerSettings> settings_;
  struct Pools;
  std::unique_ptr<Pools> pools_;  // one a worker
};

// What an algorithm may look at. `key` is the hashed value where it needs one.
struct PickContext {
  txn::Exchange& exchange;
  expr::Context& context;
  std::vector<Server*> tried;    // for retries with redispatch: avoid these if others are there
};

// A balance algorithm: one file each in upstream/balance/. pick() is called by all workers at once;
// it returns null when no server is usable. Servers come and go through update().
class Balancer {
 public:
  virtual ~Balancer() = default;
  virtual Server* pick(PickContext& pick) = 0;
  // Weights, health or the list changed.
  virtual void update() = 0;
  // A server got or lost a slot (leastconn orders by it).
  virtual void load_changed(Server&) {}
};

// The right to use a server: counts in served/scur, obeys maxconn, freed by the destructor, which
// wakes the next in the queue.
class Slot {
 public:
  Slot() = default;
  explicit Slot(Server* server) : server_(server) {}
  Slot(Slot&& other) noexcept : server_(std::exchange(other.server_, nullptr)) {}
  Slot& operator=(Slot&& other) noexcept;
  ~Slot() { free(); }
  void free();
  Server* server() const { return server_; }
  explicit operator bool() const { return server_ != nullptr; }

 private:
  Server* server_ = nullptr;
};

// Why no slot was given.
enum class NoSlot : std::uint8_t { no_server, queue_timeout, queue_full, cancelled };

struct BackendSettings {
  std::string balance = "roundrobin";
  std::vector<std::string> balance_args;
  std::shared_ptr<expr::Expression> hash_expression;
  std::uint8_t hash_type = 0;            // 0 map-based, 1 consistent
  std::uint8_t hash_function = 0;        // sdbm djb2 wt6 crc32 none
  bool hash_avalanche = false;
  std::uint32_t hash_balance_factor = 0;
  bool hash_preserve_affinity_maxconn = false, hash_preserve_affinity_maxqueue = false;
  std::uint32_t retries = 3;
  std::uint32_t retry_on = 0;            // RetryOn bits
  std::vector<std::uint16_t> retry_statuses;
  int redispatch_interval = 0;           // option redispatch: 0 off, -1 last retry only, n every n
  PoolPolicy reuse = PoolPolicy::safe;
  bool persist = true, abort_on_close = false;
  bool all_backups = false;              // option allbackups
  bool transparent = false;
  bool log_health_checks = false;
  net::ConnectOptions connect;           // "source"
  std::int64_t connect_timeout_ms = 0, server_timeout_ms = 0, queue_timeout_ms = 0, check_timeout_ms = 0;
  std::uint32_t full_connections = 0;
  // cookie persistence
  std::string cookie_name;
  std::uint32_t cookie_flags = 0;        // CookieFlag bits
  std::string cookie_domain, cookie_attributes, dynamic_cookie_key;
  std::int64_t cookie_max_idle_s = 0, cookie_max_life_s = 0;
};

// Bits of retry-on (manual). all-retryable-errors sets several.
enum RetryOn : std::uint32_t {
  kRetryConnFailure = 1, kRetryEmptyResponse = 2, kRetryJunkResponse = 4, kRetryResponseTimeout = 8,
  kRetry0rttRejected = 16, kRetryStatus = 32,
};

class Backend {
 public:
  Backend(state::Registry& registry, state::Proxy& st);
  ~Backend();

  state::Proxy& state() { return state_; }
  state::Registry& registry() { return registry_; }
  BackendSettings settings;              // frozen by start()

  Server& add_server(std::shared_ptr<const ServerSettings> settings, config::Diagnostics& diagnostics);
  Server* find(std::string_view name) const;
  Server* of(const state::Server& st) const;
  const std::vector<std::unique_ptr<Server>>& servers() const { return servers_; }

  // Builds the balancer, resolves addresses as init-addr says. Reports errors.
  bool prepare(config::Diagnostics& diagnostics);
  // Starts health checks on the workers. After Runtime exists.
  void start();

  // Picks a server and waits for a slot of it: forced server (stickiness, use-server), else the
  // algorithm; queues on the server or the backend as the manual's maxconn section says. Sets
  // exchange.server, queue times and positions.
  base::Result<Slot, NoSlot> acquire(PickContext& pick, rt::Instant deadline);
  // Called whenever weights or states changed; wakes queued requests as well.
  void servers_changed();

 private:
  friend class Slot;
  state::Registry& registry_;
  state::Proxy& state_;
  std::vector<std::unique_ptr<Server>> servers_;
  std::unique_ptr<Balancer> balancer_;
  struct Queue;
  std::unique_ptr<Queue> queue_;
};

// Runtime changes that balancers, queues and checks must hear of; used by admin/, lua/ and checks.
// Any worker. Return an error text for the command's answer.
namespace control {
base::Result<void> set_weight(Server& server, std::string_view weight);   // "10" or "50%"
base::Result<void> set_state(Server& server, std::string_view state);     // ready drain maint
base::Result<void> set_health(Server& server, std::string_view health);   // up stopping down
base::Result<void> set_address(Server& server, std::string_view address, std::string_view port);
base::Result<void> set_maximum(Server& server, std::uint32_t maximum);
void enable_check(Server& server, bool on);
void enable_agent(Server& server, bool on);
void shutdown_sessions(Server& server);
}  // namespace control

}  // namespace upstream

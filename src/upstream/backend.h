// A backend as traffic sees it: servers, the algorithm that picks among them, queues, connection
// pools, health checks. Settings are fixed when the configuration is; what moves lives in state/.
// Lives as long as the configuration; everything but prepare() may be called by any worker.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/connection.h"
#include "state/proxy.h"
#include "txn/exchange.h"
#include "upstream/control.h"
#include "upstream/published.h"
#include "upstream/settings.h"

namespace config {
class Diagnostics;
}
namespace obs {
class LogOutlet;
}
namespace state {
class Registry;
}

namespace upstream {

class Backend;
class Checker;
class Server;
class SlotQueue;
bool prepare_checks(Backend& backend, config::Diagnostics& diagnostics);
bool prepare_check(Server& server, config::Diagnostics& diagnostics);

// A pooled or new connection to a server. Destroying it closes; Server::release() gives it back.
class ServerLink {
 public:
  ServerLink() = default;
  ServerLink(ServerLink&& other) noexcept;
  ServerLink& operator=(ServerLink&& other) noexcept;
  ~ServerLink() { drop(); }
  void drop() {
    if (connection != nullptr || owner_ != nullptr) end();
  }

  std::unique_ptr<net::Connection> connection;
  bool reused = false;
  std::uint64_t uses = 0;     // requests it has carried, this one included
  std::uint64_t key = 0;      // what keeps it apart in the pool: where from, where to, as whom
  std::uint64_t session = 0;  // of the client session that it is private to; 0: of none
  std::uint64_t pool_key() const;
  // Bytes read past the last response would be a protocol error, so there is no buffer here.

 private:
  friend class Server;
  void end();
  Server* owner_ = nullptr;  // counts it as used
};

// Which used connections a request may go out on (http-reuse): none, those that have carried a
// request after an idle time already and so are known to survive one, or any.
enum class Reuse : std::uint8_t { none, proven, any };

// Why a held slot was taken away: the second cause letters of the termination state.
enum class Kill : std::uint8_t { none, by_command /* K */, server_down /* D */, server_up /* U */ };

// The right to use a server: counts in served/scur, obeys maxconn, freed by the destructor, which
// wakes the next in the queue. Belongs to the fiber that acquired it.
class Slot {
 public:
  Slot() = default;
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  ~Slot() { free(); }
  void free() {
    if (server_ != nullptr) end();
  }
  Server* server() const { return server_; }
  explicit operator bool() const { return server_ != nullptr; }

  // "shutdown sessions", on-marked-down and the like end whoever holds a slot: by default the fiber
  // that acquired it is cancelled; `kill` replaces that (it runs in the loop of this worker).
  Kill killed() const { return killed_; }
  void cut(Kill why);  // in the loop of this worker; once
  void on_kill(void (*kill)(void*), void* argument) {
    kill_ = kill;
    argument_ = argument;
  }

 private:
  friend class Backend;
  friend class Server;
  // From here on that of `server`, whose slot has been taken for the fiber at hand.
  void hold(Server& server);
  void end();
  void unlink();

  Server* server_ = nullptr;
  Slot* next_ = nullptr;  // list of this server's slots on this worker
  Slot** previous_ = nullptr;
  rt::Fiber* fiber_ = nullptr;
  void (*kill_)(void*) = nullptr;
  void* argument_ = nullptr;
  Kill killed_ = Kill::none;
};

class Server {
 public:
  Server(Backend& backend, state::Server& st, std::shared_ptr<const ServerSettings> settings,
         unsigned index);
  ~Server();

  state::Server& state() { return state_; }
  const state::Server& state() const { return state_; }
  const ServerSettings& settings() const { return *settings_; }
  Backend& backend() { return backend_; }
  unsigned index() const { return index_; }  // in Backend::servers()

  // An idle pooled connection of this worker, else another worker's, else a new one, PROXY header
  // sent. What depends on the client's addresses, the request or `session` (the client session that
  // it is private to, 0 for none) is kept apart. `reuse`: the policy allows this request on a used
  // connection. Waits for the connect, does not queue. Counts connects, reuses and nothing else.
  // `link` is an empty one, and stays so where there is an error.
  base::Result<void, net::IoError> connect(txn::Exchange& exchange, std::uint64_t session,
                                           Reuse reuse, rt::Instant deadline, ServerLink& link);
  // For a check that goes over connections as requests do (check-reuse-pool): a pooled one, if the
  // policy of the backend shares them with a request that is the first of its session, else a new
  // one. Counts as neither.
  base::Result<ServerLink, net::IoError> connect_for_check(const net::ConnectOptions& options,
                                                           rt::Instant deadline);
  // Gives a healthy idle connection to the pool of this worker; it is watched there and dropped
  // when the server closes it or it gets too old. `link` is empty then.
  void release(ServerLink&& link);
  bool has_idle() const;  // on this worker
  std::uint32_t idle_everywhere() const;
  void drop_idle_of(std::uint64_t session);  // closes what is private to it, on this worker

  // Tells about outcomes: "observe", error-limit, on-error.
  void observed(bool ok, bool layer7);

  // Where new connections go; valid until the caller waits. Port 0: the client's destination port.
  const net::Address& address() const { return target_.get()->address; }
  void change_address(const net::Address& address);

  // Slots. limit() is maxconn after minconn/fullconn and slow start, 0 for none.
  std::uint32_t limit() const {
    const std::uint32_t most = state_.maximum.load(std::memory_order_relaxed);
    return most == 0 ? 0 : limit_now(most);
  }
  bool has_room() const;
  bool try_take();                         // false when full or somebody queues for it
  bool try_take_at(std::uint32_t served);  // only while exactly so many are out
  bool queue_full() const;                 // maxqueue reached
  std::uint32_t scaled_weight() const { return scaled_weight_.load(std::memory_order_relaxed); }

  void kill_slots(Kill why);
  void drop_idle();  // closes idle connections of all workers
  Checker* checker() const { return checker_.get(); }
  Checker* agent() const { return agent_.get(); }

 private:
  friend class Backend;
  friend class ServerLink;
  friend class Slot;
  friend class SlotQueue;
  friend class Health;
  friend class IdlePool;
  friend bool prepare_checks(Backend& backend, config::Diagnostics& diagnostics);
  friend bool prepare_check(Server& server, config::Diagnostics& diagnostics);
  struct PerWorker;  // pool and slots

  PerWorker& here();
  bool take_below(std::uint32_t limit);  // 0: no limit
  void take_back();                      // a slot ended
  std::uint32_t limit_now(std::uint32_t most) const;
  void count_taken(const txn::Exchange& exchange, bool chosen);
  void update_weight(rt::Instant now);
  std::uint64_t mix_name(std::uint64_t key, txn::Exchange& exchange);
  struct Way;
  bool line_settles_way(const net::Address& to) const;
  void publish_target(const net::Address& address);
  base::Result<void, net::IoError> connect_some_way(txn::Exchange& exchange, std::uint64_t session,
                                                    Reuse reuse, rt::Instant deadline,
                                                    ServerLink& out);
  void count_reuse(ServerLink& link);
  std::unique_ptr<Way> way_for(txn::Exchange& exchange);
  base::Result<void, net::IoError> open(ServerLink& link, const Way* way, rt::Instant deadline);
  bool take_idle(std::uint64_t key, bool proven, bool shared, rt::Instant deadline,
                 ServerLink& out);
  bool take_from(unsigned other, std::uint64_t key, bool proven, rt::Instant deadline,
                 ServerLink& out);
  void count_used();
  void estimate_need();
  bool wants_idle(bool shared) const;
  bool worth_keeping(const ServerLink& link) const;
  void close_idle_for_new();
  bool make_room(rt::Instant deadline);

  Backend& backend_;
  state::Server& state_;
  std::shared_ptr<const ServerSettings> settings_;
  unsigned index_;
  struct Target {
    net::Address address;
    bool settles_way;  // with the server's line: every connection goes there in the same way
  };
  Published<Target> target_;
  std::atomic<std::uint32_t> scaled_weight_{0};      // 16 is weight 1; 0 takes no traffic
  std::atomic<rt::Instant> started_{rt::Instant{}};  // slow start counts from here
  std::atomic<std::uint32_t> consecutive_errors_{0};
  std::atomic<rt::Instant> estimated_{rt::Instant{}};  // when needed_connections was
  std::shared_ptr<PerWorker[]> workers_;               // shared with tasks on their way to workers
  std::unique_ptr<Checker> checker_, agent_;
  std::vector<Server*> trackers_;  // servers that "track" this one, the latest first
  std::mutex transitions_;         // one change of state at a time
};

// What an algorithm may look at, and what it found.
struct PickContext {
  explicit PickContext(txn::Exchange& e) : exchange(e) {}
  txn::Exchange& exchange;
  std::vector<Server*> tried;  // for retries with redispatch: avoided while others are there
  bool avoids(const Server* server) const;
  // Set by Balancer::pick(): a slot of the returned server was taken; else the request has to
  // queue, for the returned server or, without one, for whichever comes free first.
  bool taken = false;
};

// A balance algorithm: one file each in upstream/balance/. pick() is called by all workers at once.
// It returns null when no server has room. It may wait only before it looks at servers.
class Balancer {
 public:
  virtual ~Balancer() = default;
  virtual Server* pick(PickContext& pick) = 0;
  // Weights, health or the list changed. One caller at a time.
  virtual void update() = 0;
  // Whether weights may change at run time (manual, "balance": static or dynamic).
  virtual bool dynamic() const { return true; }
};

// Why no slot was given.
enum class NoSlot : std::uint8_t { no_server, queue_timeout, queue_full, cancelled };

class Backend {
 public:
  Backend(state::Registry& registry, state::Proxy& st);
  ~Backend();

  state::Proxy& state() { return state_; }
  const state::Proxy& state() const { return state_; }
  state::Registry& registry() { return registry_; }
  BackendSettings settings;  // frozen by start()

  Server& add_server(std::shared_ptr<const ServerSettings> line, config::Diagnostics& diagnostics);
  Server* find(std::string_view name) const;
  Server* of(const state::Server& st) const;
  const std::vector<std::unique_ptr<Server>>& servers() const { return servers_; }
  // Commands, on worker 0. A new server begins in maintenance; one that goes has to be there. The
  // error is the text of the answer.
  base::Result<void> add_at_runtime(std::shared_ptr<ServerSettings> line);
  base::Result<void> remove_at_runtime(Server& server);
  base::Result<void> rename_at_runtime(Server& server, std::string_view name);

  // Builds the balancer and the checks, resolves addresses as init-addr says. Reports errors.
  bool prepare(config::Diagnostics& diagnostics);
  // Starts health checks on the workers. After Runtime exists.
  void start();

  // Picks a server and waits for a slot of it: exchange.forced_server (stickiness, use-server),
  // else the algorithm; queues on the server or the backend as the manual's maxconn section says.
  // Sets exchange.server, the time of queueing and positions. Counts sessions, chosen and queue
  // maxima of both. `slot` is the server's then, and untouched without one.
  base::Result<void, NoSlot> acquire(PickContext& pick, rt::Instant deadline, Slot& slot);
  // Called whenever weights or states changed; wakes queued requests as well.
  void servers_changed();

  Balancer& balancer() { return *balancer_; }
  // Where log lines for this backend go; null unless its mode is log. After prepare().
  const std::shared_ptr<obs::LogOutlet>& log_outlet() const { return log_outlet_; }
  SlotQueue& queue() { return *queue_; }
  // Numbers of usable servers: what messages about state changes end with.
  struct Usable {
    std::uint32_t active = 0, backup = 0;
  };
  Usable usable() const;

 private:
  friend bool prepare_checks(Backend& backend, config::Diagnostics& diagnostics);
  // What the one who asks has to do next.
  enum class Forced : std::uint8_t { taken, refused, pick_again };
  Forced acquire_forced(PickContext& pick, rt::Instant deadline, Slot& slot, NoSlot& why);
  void hand_out(PickContext& pick, Server& server, bool chosen, Slot& slot);
  bool make_algorithm(config::Diagnostics& diagnostics);
  void number_servers();
  void inherit_connection_settings(ServerSettings& line) const;
  base::Result<Server*> tracked_by(const ServerSettings& line) const;
  void unlink(Server& server);
  bool link_tracking(config::Diagnostics& diagnostics);
  void watch_slow_starts();

  state::Registry& registry_;
  state::Proxy& state_;
  std::vector<std::unique_ptr<Server>> servers_;
  std::unique_ptr<Balancer> balancer_;
  std::unique_ptr<SlotQueue> queue_;
  std::shared_ptr<obs::LogOutlet> log_outlet_;
  std::mutex changes_;  // one update of the balancer at a time
  unsigned next_index_ = 0;
  std::vector<std::pair<std::unique_ptr<state::Server>, std::unique_ptr<Server>>> removed_;
  std::deque<std::string> old_names_;
  std::atomic<bool> slow_start_watched_{false};
};

}  // namespace upstream

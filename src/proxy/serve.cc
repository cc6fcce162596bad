#include "proxy/serve.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <utility>

#include "net/listener.h"
#include "proxy/hooks.h"
#include "proxy/session.h"
#include "proxy/thread_set.h"
#include "rt/memory.h"
#include "rt/timer.h"

namespace proxy {

namespace {

StatsFactory factory_for_stats = nullptr;

// What accepts for the running configuration, for runtime commands.
Listening* accepting = nullptr;

}  // namespace

void set_stats_factory(StatsFactory factory) { factory_for_stats = factory; }
StatsFactory stats_factory() { return factory_for_stats; }

// One listening descriptor and the acceptor that each worker has on it. An acceptor that paused
// because a limit was reached looks again after a moment.
struct Listening::Socket {
  struct Door : rt::Timer {
    struct Held {
      int fd;
      net::Address peer;
    };
    explicit Door(Socket& s) : rt::Timer(&Door::look_again), socket(s) {}
    ~Door() { drop_held(); }
    static void look_again(rt::Timer& timer);
    void wait();
    void drop_held() {
      for (const Held& h : held) ::close(h.fd);
      held.clear();
    }

    Socket& socket;
    std::unique_ptr<net::Acceptor> acceptor;
    std::vector<Held> held;  // accepted by this worker while another took the last place
  };

  const Proxy* frontend = nullptr;
  const Bind* bind = nullptr;
  state::ListenerState* state = nullptr;
  std::atomic<int> fd{-1};  // closed by the last worker that leaves
  int backlog = 0;
  net::Address local;       // of all its connections; none where it differs
  bool may_refuse = false;  // a TCP socket of our own: can be taken out of service and back
  std::string path;         // of a unix socket
  std::vector<std::unique_ptr<Door>> doors;
  std::atomic<unsigned> open_doors{0};

  // While its frontend is disabled nobody accepts, and clients are refused where that is possible.
  void close_door(unsigned worker);
  void open_door(unsigned worker);
  // Ends accepting on one worker; the last one closes the descriptor, so that clients are refused.
  void leave(unsigned worker);
  bool has_room() const;
  bool accept(int client, const sockaddr_storage& peer, socklen_t size, Door& door);
};

namespace {

constexpr rt::Duration kLookAgain = rt::milliseconds(10);
thread_local std::vector<rt::Timer*> waiting_doors;  // whose frontend is full

template <class Block>
std::uint64_t rate_of(const obs::PerWorker<Block>& counters, obs::Rate Block::*member) {
  std::uint64_t total = 0, now = obs::rate_clock_ms();
  counters.each([&](const Block& block) { total += (block.*member).per_second(now); });
  return total;
}

bool slower(const state::Process& process, obs::Rate state::ProcessCounters::*member,
            const std::atomic<std::uint32_t>& most) {
  const std::uint32_t limit = most.load(std::memory_order_relaxed);
  return limit == 0 || rate_of(process.counters, member) < limit;
}

// What is bound to one address and takes no others' connections has nothing to ask the kernel.
net::Address address_of_all(int fd, const net::ListenOptions& options) {
  const net::Address bound = net::bound_address(fd);
  const net::Ip ip = bound.ip();
  const bool any = ip.family == AF_INET    ? ip.v4.s_addr == 0
                   : ip.family == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED(&ip.v6)
                                           : true;
  return any || options.transparent ? net::Address() : bound;
}

bool below(const std::atomic<std::uint32_t>& now, std::uint32_t most) {
  return most == 0 || now.load(std::memory_order_relaxed) < most;
}

}  // namespace

bool Listening::Socket::has_room() const {
  const state::Proxy& st = *frontend->state;
  const state::Process& process = running().registry->process();
  if (process.stopping.load(std::memory_order_relaxed) || !rt::memory_left()) return false;
  if (st.paused.load(std::memory_order_relaxed) || st.disabled.load(std::memory_order_relaxed))
    return false;
  if (!below(st.frontend_sessions, st.maximum.load(std::memory_order_relaxed))) return false;
  if (!below(process.connections, process.maximum_connections.load())) return false;
  if (bind->maximum != 0 && state != nullptr &&
      state->current.load(std::memory_order_relaxed) >= bind->maximum)
    return false;
  if (frontend->rate_limit_sessions != 0 &&
      rate_of(st.frontend, &state::ProxyCounters::session_rate) >= frontend->rate_limit_sessions)
    return false;
  return slower(process, &state::ProcessCounters::connection_rate, process.connection_rate_limit) &&
         slower(process, &state::ProcessCounters::session_rate, process.session_rate_limit);
}

void Listening::Socket::close_door(unsigned worker) {
  if (worker >= doors.size() || doors[worker]->acceptor == nullptr) return;
  Door& door = *doors[worker];
  door.disarm();
  std::erase(waiting_doors, &door);
  door.drop_held();
  door.acceptor->pause();
}

void Listening::Socket::open_door(unsigned worker) {
  if (worker < doors.size() && doors[worker]->acceptor != nullptr)
    doors[worker]->acceptor->resume();
}

void Listening::Socket::leave(unsigned worker) {
  if (worker >= doors.size() || doors[worker]->acceptor == nullptr) return;
  Door& door = *doors[worker];
  door.disarm();
  std::erase(waiting_doors, &door);
  door.drop_held();
  door.acceptor.reset();
  if (open_doors.fetch_sub(1) == 1) ::close(fd.exchange(-1));
}

bool Listening::Socket::accept(int client, const sockaddr_storage& peer, socklen_t size,
                               Door& door) {
  net::Address from = net::Address::of(reinterpret_cast<const sockaddr*>(&peer), size);
  if (!has_room()) {
    door.held.push_back({client, std::move(from)});
    door.wait();
    return false;
  }
  Session::accept(client, from, local, *frontend, *bind, state);
  if (has_room()) return true;
  door.wait();
  return false;
}

void Listening::Socket::Door::wait() {
  arm(rt::now() + kLookAgain);
  std::erase(waiting_doors, this);
  waiting_doors.push_back(this);
}

void Listening::Socket::Door::look_again(rt::Timer& timer) {
  auto& door = static_cast<Door&>(timer);
  std::erase(waiting_doors, &door);
  if (door.acceptor == nullptr) return;
  while (!door.held.empty() && door.socket.has_room()) {
    Held next = std::move(door.held.front());
    door.held.erase(door.held.begin());
    Session::accept(next.fd, next.peer, door.socket.local, *door.socket.frontend, *door.socket.bind,
                    door.socket.state);
  }
  if (door.held.empty() && door.socket.has_room())
    door.acceptor->resume();
  else
    door.wait();
}

namespace {

// Lets the fiber that asks for something wait until all workers have done it. Elsewhere nothing
// waits.
class DoneEverywhere {
 public:
  // From any worker.
  static void tell(const std::shared_ptr<DoneEverywhere>& self) {
    if (self->worker_ == nullptr) return;
    self->worker_->post([self] {
      self->done_ = true;
      if (self->fiber_ != nullptr) rt::wake(*self->fiber_);
    });
  }
  void wait() {
    if (fiber_ == nullptr) return;
    while (!done_ && rt::suspend(rt::kNever) != rt::Wait::cancelled) {
    }
    fiber_ = nullptr;
  }

 private:
  rt::Worker* worker_ = rt::this_worker();
  rt::Fiber* fiber_ = rt::current();
  bool done_ = false;
};

}  // namespace

// No need to wait for the timer.
void place_is_free() {
  for (rt::Timer* door : waiting_doors) door->arm(rt::now());
}

Listening::Listening(const Config& config) : config_(config) {}

Listening::~Listening() {
  if (accepting == this) accepting = nullptr;
  for (const auto& socket : sockets_) {
    if (socket->fd >= 0) ::close(socket->fd);
    if (!socket->path.empty()) ::unlink(socket->path.c_str());
  }
}

bool Listening::open(config::Diagnostics& diagnostics) {
  bool good = true;
  for (const auto& proxy : config_.proxies) {
    if (!proxy->is_frontend() || proxy->disabled) continue;
    for (const auto& bind : proxy->binds) {
      for (std::size_t i = 0; i < bind->addresses.size(); ++i) {
        net::ListenOptions options = bind->listen;
        if (options.backlog == 0) options.backlog = static_cast<int>(proxy->backlog);
        auto fd = net::open_listener(bind->addresses[i], options);
        if (!fd) {
          diagnostics.alert(bind->at,
                            fmt::format("Starting frontend {}: {}", proxy->name, fd.error()));
          good = false;
          continue;
        }
        if (!options.congestion_control.empty() && bind->addresses[i].is_ip() &&
            !net::has_congestion_control(*fd, options.congestion_control))
          diagnostics.warning(bind->at,
                              fmt::format("Starting frontend {}: cannot set the TCP congestion "
                                          "control '{}', the default one remains.",
                                          proxy->name, options.congestion_control));
        auto socket = std::make_unique<Socket>();
        socket->frontend = proxy.get();
        socket->bind = bind.get();
        socket->state = i < bind->states.size() ? bind->states[i] : nullptr;
        socket->fd = *fd;
        socket->backlog = options.backlog;
        socket->local = address_of_all(*fd, options);
        socket->may_refuse = bind->addresses[i].is_ip();
        if (bind->addresses[i].kind() == net::Address::Kind::inherited_fd)
          inherited_.insert(bind->addresses[i].fd());
        if (bind->addresses[i].kind() == net::Address::Kind::unix_path)
          socket->path = bind->addresses[i].path();
        sockets_.push_back(std::move(socket));
      }
    }
  }
  return good;
}

void Listening::start() {
  rt::Runtime& runtime = *rt::Runtime::instance();
  accepting = this;
  for (const auto& owned : sockets_) {
    Socket& socket = *owned;
    for (unsigned i = 0; i < runtime.size(); ++i) {
      socket.doors.push_back(std::make_unique<Socket::Door>(socket));
      socket.open_doors += in_thread_set(socket.bind->thread_set, i) ? 1 : 0;
    }
  }
  runtime.post_all([this](rt::Worker& worker) {
    for (const auto& owned : sockets_) {
      Socket::Door& door = *owned->doors[worker.index()];
      Socket& socket = *owned;
      if (!in_thread_set(socket.bind->thread_set, worker.index())) continue;
      door.acceptor = std::make_unique<net::Acceptor>(
          socket.fd, [&socket, &door](int fd, const sockaddr_storage& peer, socklen_t size) {
            return socket.accept(fd, peer, size, door);
          });
    }
  });
}

void Listening::stop() {
  config_.registry->process().stopping_since = rt::precise_now();
  config_.registry->process().stopping = true;
  rt::Runtime::instance()->post_all([this](rt::Worker& worker) {
    for (const auto& socket : sockets_) socket->leave(worker.index());
    Session::close_idle(nullptr);
  });
  for (const int fd : std::exchange(inherited_, {})) ::close(fd);  // copies of them were used
}

std::uint32_t Listening::sessions() { return Session::count(); }

std::vector<Listening::Socket*> Listening::refusing_sockets(const state::Proxy& frontend) {
  std::vector<Socket*> found;
  for (const auto& socket : sockets_)
    if (socket->frontend->state == &frontend && socket->may_refuse && socket->fd >= 0)
      found.push_back(socket.get());
  return found;
}

// Runs `each` on every worker, then `last` on the one that comes last.
void Listening::on_all_workers(std::function<void(unsigned)> each, std::function<void()> last) {
  auto left = std::make_shared<std::atomic<unsigned>>(rt::worker_count());
  rt::Runtime::instance()->post_all(
      [each = std::move(each), last = std::move(last), left](rt::Worker& worker) {
        each(worker.index());
        if (left->fetch_sub(1) == 1) last();
      });
}

void Listening::pause(state::Proxy& frontend) {
  frontend.paused = true;
  if (accepting == nullptr) return;
  const auto done = std::make_shared<DoneEverywhere>();
  on_all_workers(
      [&frontend](unsigned worker) {
        for (Socket* socket : accepting->refusing_sockets(frontend)) socket->close_door(worker);
      },
      [&frontend, done] {
        for (Socket* socket : accepting->refusing_sockets(frontend))
          ::shutdown(socket->fd, SHUT_RD);
        DoneEverywhere::tell(done);
      });
  done->wait();
}

void Listening::resume(state::Proxy& frontend) {
  frontend.paused = false;
  if (accepting == nullptr) return;
  const auto open_doors = [&frontend](unsigned worker) {
    for (Socket* socket : accepting->refusing_sockets(frontend)) socket->open_door(worker);
  };
  const auto done = std::make_shared<DoneEverywhere>();
  const auto listen_again = [&frontend, open_doors, done] {
    for (Socket* socket : accepting->refusing_sockets(frontend))
      ::listen(socket->fd, socket->backlog > 0 ? socket->backlog : SOMAXCONN);
    on_all_workers(open_doors, [done] { DoneEverywhere::tell(done); });
  };
  on_all_workers([](unsigned) {}, listen_again);  // once a pause before is over everywhere
  done->wait();
}

void Listening::shut(state::Proxy& frontend) {
  frontend.disabled = true;
  if (accepting == nullptr) return;
  rt::Runtime::instance()->post_all([&frontend](rt::Worker& worker) {
    for (const auto& socket : accepting->sockets_)
      if (socket->frontend->state == &frontend) socket->leave(worker.index());
    Session::close_idle(&frontend);
  });
}

}  // namespace proxy

#include <xxhash.h>

#include <algorithm>
#include <system_error>

#include "state/registry.h"
#include "upstream/per_worker.h"

namespace upstream {

IdlePool::~IdlePool() { clear(); }

void IdlePool::retire_special(Entry& entry) {
  KeyList& list = *of_key_.find(entry.pool_key)->second;
  list.erase(list.iterator_to(entry));
  special_.erase(special_.iterator_to(entry));
  --special_size_;
  set_present(entry.pool_key, --keys_[entry.pool_key % 64] != 0);
}

bool IdlePool::take_of(KeyList& list, bool proven, ServerLink& out) {
  for (auto at = list.begin(); at != list.end();) {
    Entry& entry = *at++;
    const bool good = entry.good();
    if (good && proven && entry.uses < 2) continue;
    retire(entry);
    if (good) {
      entry.give(out);
      return true;
    }
    entry.connection.reset();
  }
  return false;
}

bool IdlePool::take_special(std::uint64_t key, bool proven, ServerLink& out) {
  const auto found = of_key_.find(key);
  return found != of_key_.end() && take_of(*found->second, proven, out);
}

IdlePool::Entry* IdlePool::oldest() {
  if (special_size_ == 0) return usual_size_ == 0 ? nullptr : &usual_.back();
  Entry& special = special_.front();
  if (usual_size_ == 0) return &special;
  Entry& usual = usual_.back();
  return static_cast<std::int32_t>(usual.returned - special.returned) < 0 ? &usual : &special;
}

bool IdlePool::drop_oldest() {
  Entry* entry = oldest();
  if (entry == nullptr) return false;
  lost(*entry);
  return true;
}

void IdlePool::drop(std::uint64_t key) {
  const auto found = of_key_.find(key);
  if (found == of_key_.end()) return;
  while (!found->second->empty()) lost(found->second->front());
  of_key_.erase(found);
}

IdlePool::Entry& IdlePool::make_entry() {
  entries_.push_back(std::make_unique<Entry>());
  entries_.back()->pool = this;
  return *entries_.back();
}

inline IdlePool::Entry& IdlePool::spare() {
  if (spare_ != nullptr) {
    Entry& entry = *spare_;
    spare_ = entry.next_spare;
    return entry;
  }
  return make_entry();
}

inline void IdlePool::put(ServerLink& link) {
  Entry& entry = spare();
  rt::Descriptor& io = link.connection->io();
  entry.connection.swap(link.connection);
  entry.uses = link.uses;
  entry.returned = ++returned_;
  const std::uint64_t pool_key = link.pool_key();
  entry.special = pool_key != 0;
  if (entry.special) [[unlikely]] {
    put_special(entry, link, pool_key);
  } else {
    usual_.push_front(entry);
    if (usual_size_++ == 0) [[unlikely]] {
      set_present(0, true);
      start_purging();
    }
  }
  rt::add(number_of(entry), 1);
  io.park(&entry);
}

void IdlePool::put_special(Entry& entry, const ServerLink& link, std::uint64_t pool_key) {
  entry.link_key = link.key;
  entry.session = link.session;
  entry.pool_key = pool_key;
  std::unique_ptr<KeyList>& list = of_key_[pool_key];
  if (list == nullptr) list = std::make_unique<KeyList>();
  list->push_front(entry);
  special_.push_back(entry);
  ++keys_[pool_key % 64];
  set_present(pool_key, true);
  if (special_size_++ == 0) start_purging();
}

void IdlePool::lost(Entry& entry) {
  retire(entry);
  entry.connection.reset();
}

void IdlePool::start_purging() {
  if (purge_.armed()) return;
  purge_.pool = this;
  purge_.arm(rt::now() + rt::milliseconds(server_->settings().pool_purge_delay_ms));
}

void IdlePool::on_purge(rt::Timer& timer) { static_cast<PurgeTimer&>(timer).pool->purge(); }

// Each delay, half of the connections that were not needed lately are closed, by each worker its
// share of them, the longest idle first (manual, "pool-purge-delay" and "http-reuse").
void IdlePool::purge() {
  server_->estimate_need();
  const state::Server& state = server_->state();
  const std::uint64_t idle = server_->idle_everywhere();
  const std::uint64_t held = idle + state.used_connections.load(std::memory_order_relaxed);
  const std::uint64_t need = state.needed_connections.load(std::memory_order_relaxed);
  if (held > need && idle != 0) {
    const std::uint64_t leaving = (size() * (held - need) / idle + 1) / 2;
    for (std::uint64_t i = 0; i < leaving && drop_oldest(); ++i) {
    }
  }
  boost::unordered::erase_if(of_key_, [](const auto& item) { return item.second->empty(); });
  if (size() != 0) start_purging();
}

void IdlePool::clear() {
  while (drop_oldest()) {
  }
}

ServerLink::ServerLink(ServerLink&& other) noexcept
    : connection(std::move(other.connection)),
      reused(other.reused),
      uses(other.uses),
      key(other.key),
      session(other.session),
      owner_(std::exchange(other.owner_, nullptr)) {}

ServerLink& ServerLink::operator=(ServerLink&& other) noexcept {
  if (this == &other) return *this;
  drop();
  connection = std::move(other.connection);
  reused = other.reused;
  uses = other.uses;
  key = other.key;
  session = other.session;
  owner_ = std::exchange(other.owner_, nullptr);
  return *this;
}

void ServerLink::end() {
  connection.reset();
  if (owner_ != nullptr) rt::subtract(std::exchange(owner_, nullptr)->state().used_connections, 1);
}

std::uint64_t ServerLink::pool_key() const {
  return session == 0 ? key : XXH3_64bits_withSeed(&session, sizeof session, key) | 1;
}

bool Server::has_idle() const { return workers_[rt::worker_index()].idle.size() != 0; }

std::uint32_t Server::idle_everywhere() const {
  return state_.idle.load(std::memory_order_relaxed) +
         state_.idle_safe.load(std::memory_order_relaxed);
}

// How many connections the server's traffic takes: the most that were busy at once in the last
// delay, or what is left of an older peak. By one worker each delay.
void Server::estimate_need() {
  const rt::Instant now = rt::now();
  rt::Instant last = estimated_.load(std::memory_order_relaxed);
  if (now - last < rt::milliseconds(settings_->pool_purge_delay_ms) ||
      !estimated_.compare_exchange_strong(last, now, std::memory_order_relaxed))
    return;
  const std::uint32_t peak = state_.used_highest.exchange(
      state_.used_connections.load(std::memory_order_relaxed), std::memory_order_relaxed);
  const std::uint32_t need = state_.needed_connections.load(std::memory_order_relaxed);
  state_.needed_connections.store(std::max(peak, (need + peak) / 2), std::memory_order_relaxed);
}

// Whether the pool takes one more: within the process's descriptors and, unless it is a session's
// own, pool-max-conn and what the traffic needs.
inline bool Server::wants_idle(bool shared) const {
  const bool below =
      rt::Runtime::instance()->open_descriptors() <= backend_.registry().process().idle_keep_below;
  if (!below || !shared) return below;
  const std::uint64_t idle = idle_everywhere();
  if (settings_->pool_max >= 0 && idle >= static_cast<std::uint64_t>(settings_->pool_max))
    return false;
  const std::uint64_t used = state_.used_connections.load(std::memory_order_relaxed);
  const std::uint64_t need = state_.needed_connections.load(std::memory_order_relaxed);
  return used + idle <= std::max(used, need) + settings_->pool_low;
}

// The loop saw an edge that may have been for bytes already read: asks once.
[[gnu::noinline]] static bool silent(net::Connection& connection) {
  char byte = 0;
  const auto got = connection.read_now({&byte, 1});
  return !got && got.error() == net::IoError::would_block;
}

inline bool Server::worth_keeping(const ServerLink& link) const {
  if (!link.connection || !settings_->pool_purge_delay_ms || link.uses > settings_->max_reuse)
    return false;
  rt::Descriptor& io = link.connection->io();
  if (io.hung_up() || io.failed() || state_.in_maintenance()) return false;
  if (io.readable() && !silent(*link.connection)) return false;
  return wants_idle(link.session == 0);
}

void Server::release(ServerLink&& link) {
  if (!worth_keeping(link)) return link.drop();
  rt::subtract(state_.used_connections, 1);
  link.owner_ = nullptr;
  here().idle.put(link);
}

void Server::drop_idle_of(std::uint64_t session) {
  ServerLink link;
  link.session = session;
  here().idle.drop(link.pool_key());
}

// Rather than opening one descriptor more (tune.pool-high-fd-ratio).
void Server::close_idle_for_new() {
  if (rt::Runtime::instance()->open_descriptors() <= backend_.registry().process().idle_close_above)
    return;
  if (here().idle.drop_oldest()) return;
  for (const auto& server : backend_.servers())
    if (server->here().idle.drop_oldest()) return;
}

// "strict-maxconn": idle connections make way for the one that is about to be opened. False when
// those that are there serve requests, or are kept for clients of their own by other workers.
bool Server::make_room(rt::Instant deadline) {
  const auto held = [this] {
    return state_.used_connections.load(std::memory_order_relaxed) + idle_everywhere();
  };
  while (held() > settings_->maximum) {
    if (here().idle.drop_oldest()) continue;
    if (idle_everywhere() == 0 || rt::now() >= deadline) return false;
    drop_idle();
    if (rt::sleep_for(rt::milliseconds(1)) == rt::Wait::cancelled) return false;
  }
  return true;
}

void Server::drop_idle() {
  rt::Runtime* runtime = rt::Runtime::instance();
  if (runtime == nullptr) return;
  runtime->post_all([workers = std::weak_ptr(workers_)](rt::Worker& worker) {
    if (const auto alive = workers.lock()) alive[worker.index()].idle.clear();
  });
}

namespace {

// One worker's question to another. Its fields belong to the asking worker, except that the asked
// one fills `link` on the way.
struct Request {
  rt::Fiber* waiting = nullptr;  // null once nobody waits
  bool answered = false;
  ServerLink link;
};

constexpr rt::Duration kPatience = rt::milliseconds(10);  // with another worker

}  // namespace

bool Server::take_from(unsigned other, std::uint64_t key, bool proven, rt::Instant deadline,
                       ServerLink& out) {
  const auto request = std::make_shared<Request>();
  request->waiting = rt::current();
  const std::weak_ptr<PerWorker[]> pools = workers_;
  rt::Worker* const asker = rt::this_worker();
  const auto bring_back = [request, pools, asker] {
    request->answered = true;
    if (request->link.connection) {
      try {
        request->link.connection->io().join();
      } catch (const std::system_error&) {
        request->link.connection.reset();
      }
    }
    if (request->waiting != nullptr) return rt::wake(*request->waiting);
    const auto alive = pools.lock();  // too late: kept for the next one
    if (alive && request->link.connection) alive[asker->index()].idle.put(request->link);
  };
  rt::Runtime::instance()->worker(other).post([=] {
    const auto alive = pools.lock();
    if (alive && alive[other].idle.take(key, proven, request->link))
      request->link.connection->io().leave();
    asker->post(bring_back);
  });
  const rt::Instant until = std::min(deadline, rt::now() + kPatience);
  while (!request->answered)
    if (rt::suspend(until) != rt::Wait::ready) break;
  request->waiting = nullptr;
  if (!request->answered || !request->link.connection) return false;
  out = std::move(request->link);
  return true;
}

bool Server::take_idle(std::uint64_t key, bool proven, bool shared, rt::Instant deadline,
                       ServerLink& out) {
  if (here().idle.take(key, proven, out)) return true;
  const unsigned workers = rt::worker_count(), mine = rt::worker_index();
  if (workers == 1 || !shared || !backend_.registry().process().share_idle) return false;
  const std::uint32_t idle = idle_everywhere();
  if (idle == 0 || idle < settings_->pool_low) return false;
  for (unsigned step = 1; step < workers; ++step) {
    const unsigned other = (mine + step) % workers;
    if (!workers_[other].idle.may_have(key)) continue;
    if (take_from(other, key, proven, deadline, out)) return true;
    if (rt::cancelled()) return false;
  }
  return false;
}

}  // namespace upstream

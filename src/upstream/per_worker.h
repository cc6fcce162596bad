// What one worker keeps about one server: the slots its fibers hold and its idle connections.
// Touched by that worker alone, except may_have() and at the end of the process: a worker that has
// no idle connection asks another by message, which hands one over.
#pragma once

#include <array>
#include <atomic>
#include <boost/intrusive/list.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <memory>
#include <vector>

#include "rt/io.h"
#include "rt/shared_number.h"
#include "rt/timer.h"
#include "upstream/backend.h"

namespace upstream {

// Idle connections of one server on one worker, in order of their return. Entries are recycled, so
// that a steady load allocates nothing.
class IdlePool {
 public:
  IdlePool() : purge_(&IdlePool::on_purge) {}
  ~IdlePool();
  IdlePool(const IdlePool&) = delete;
  IdlePool& operator=(const IdlePool&) = delete;

  void attach(Server& server) { server_ = &server; }
  // The most recently returned one of `key` that is still good; false when there is none. `proven`:
  // only one that was reused before.
  bool take(std::uint64_t key, bool proven, ServerLink& out) {
    if (key != 0) return take_special(key, proven, out);
    return usual_size_ != 0 && take_of(usual_, proven, out);
  }
  bool take_usual(ServerLink& out);  // of key 0, proven or not
  // Any thread: false where take() would find nothing.
  bool may_have(std::uint64_t key) const {
    return (present_.load(std::memory_order_relaxed) >> (key % 64) & 1) != 0;
  }
  bool drop_oldest();  // false when there is none
  void drop(std::uint64_t key);
  void put(ServerLink& link);  // which is empty then
  std::size_t size() const { return std::size_t{usual_size_} + special_size_; }
  void clear();

 private:
  using Hook = boost::intrusive::list_member_hook<
      boost::intrusive::link_mode<boost::intrusive::normal_link>>;
  // What every request touches of one stands in its first cache line.
  struct alignas(64) Entry final : rt::Watcher {
    void on_ready() override { pool->lost(*this); }
    bool good() const;
    void give(ServerLink& out);  // which is an empty one

    Hook same_key;
    IdlePool* pool = nullptr;
    std::unique_ptr<net::Connection> connection;
    std::uint64_t uses = 0;
    Entry* next_spare = nullptr;
    std::uint32_t returned = 0;  // counted in order
    bool special = false;
    // Of special ones: what of the link makes them so, and what comes of that.
    std::uint64_t link_key = 0, session = 0, pool_key = 0;
    Hook by_age;
  };
  template <Hook Entry::*hook>
  using ListBy = boost::intrusive::list<Entry, boost::intrusive::member_hook<Entry, Hook, hook>,
                                        boost::intrusive::constant_time_size<false>>;
  using KeyList = ListBy<&Entry::same_key>;
  using AgeList = ListBy<&Entry::by_age>;
  struct PurgeTimer : rt::Timer {
    using rt::Timer::Timer;
    IdlePool* pool = nullptr;
  };

  static void on_purge(rt::Timer& timer);
  bool take_of(KeyList& list, bool proven, ServerLink& out);
  bool take_special(std::uint64_t key, bool proven, ServerLink& out);
  Entry* oldest();            // null when there is none
  void lost(Entry& entry);    // the server closed it
  void retire(Entry& entry);  // out of the lists, its connection to be moved away or closed
  void retire_special(Entry& entry);
  void put_special(Entry& entry, const ServerLink& link, std::uint64_t pool_key);
  Entry& spare();
  Entry& make_entry();
  std::atomic<std::uint32_t>& number_of(const Entry& entry);
  void set_present(std::uint64_t key, bool any);
  void start_purging();
  void purge();

  Server* server_ = nullptr;
  KeyList usual_;  // key 0, newest first
  Entry* spare_ = nullptr;
  std::atomic<std::uint64_t> present_{0};  // which low bits of keys there are
  // Where one is not 0, the timer is armed.
  std::uint32_t usual_size_ = 0, special_size_ = 0;
  std::uint32_t returned_ = 0;  // in all
  AgeList special_;             // all of other keys, oldest first
  boost::unordered_flat_map<std::uint64_t, std::unique_ptr<KeyList>> of_key_;
  std::array<std::uint32_t, 64> keys_{};  // special ones by the low bits of their (odd) key
  std::vector<std::unique_ptr<Entry>> entries_;
  PurgeTimer purge_;
};

struct alignas(64) Server::PerWorker {
  Slot* slots = nullptr;
  IdlePool idle;
};

inline bool IdlePool::Entry::good() const {
  const rt::Descriptor& io = connection->io();
  return !io.hung_up() && !io.failed() && !io.readable();
}

inline std::atomic<std::uint32_t>& IdlePool::number_of(const Entry& entry) {
  state::Server& state = server_->state();
  return entry.uses > 1 ? state.idle_safe : state.idle;
}

// What other workers look at.
inline void IdlePool::set_present(std::uint64_t key, bool any) {
  const std::uint64_t bit = std::uint64_t{1} << (key % 64);
  const std::uint64_t present = present_.load(std::memory_order_relaxed);
  present_.store(any ? present | bit : present & ~bit, std::memory_order_relaxed);
}

inline void IdlePool::retire(Entry& entry) {
  entry.connection->io().park(nullptr);
  if (entry.special) [[unlikely]] {
    retire_special(entry);
  } else {
    usual_.erase(usual_.iterator_to(entry));
    if (--usual_size_ == 0) [[unlikely]]
      set_present(0, false);
  }
  rt::subtract(number_of(entry), 1);
  entry.next_spare = std::exchange(spare_, &entry);
}

inline void IdlePool::Entry::give(ServerLink& out) {
  out.connection.swap(connection);
  out.uses = uses;
  out.key = special ? link_key : 0;
  out.session = special ? session : 0;
}

inline bool IdlePool::take_usual(ServerLink& out) {
  if (usual_size_ == 0) return false;
  Entry& entry = usual_.front();
  if (!entry.good()) [[unlikely]]
    return take_of(usual_, false, out);
  retire(entry);
  entry.give(out);
  return true;
}

inline void Server::count_used() {
  const std::uint32_t used = rt::add(state_.used_connections, 1) + 1;
  if (used > state_.used_highest.load(std::memory_order_relaxed))
    state_.used_highest.store(used, std::memory_order_relaxed);
  if (used > state_.needed_connections.load(std::memory_order_relaxed))
    state_.needed_connections.store(used, std::memory_order_relaxed);
}

inline Server::PerWorker& Server::here() { return workers_[rt::worker_index()]; }

}  // namespace upstream

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
  bool take(std::uint64_t key, bool proven, ServerLink& out);
  // Any thread: false where take() would find nothing.
  bool may_have(std::uint64_t key) const {
    return (present_.load(std::memory_order_relaxed) >> (key % 64) & 1) != 0;
  }
  bool drop_oldest();  // false when there is none
  void drop(std::uint64_t key);
  void put(ServerLink link);
  std::size_t size() const { return by_age_.size(); }
  void clear();

 private:
  struct ByAge;
  struct ByKey;
  using AgeHook = boost::intrusive::list_base_hook<boost::intrusive::tag<ByAge>>;
  using KeyHook = boost::intrusive::list_base_hook<boost::intrusive::tag<ByKey>>;
  struct Entry final : AgeHook, KeyHook, rt::Watcher {
    IdlePool* pool = nullptr;
    ServerLink link;
    void on_ready() override { pool->lost(*this); }
  };
  using AgeList = boost::intrusive::list<Entry, boost::intrusive::base_hook<AgeHook>>;
  using KeyList = boost::intrusive::list<Entry, boost::intrusive::base_hook<KeyHook>>;
  struct PurgeTimer : rt::Timer {
    using rt::Timer::Timer;
    IdlePool* pool = nullptr;
  };

  static void on_purge(rt::Timer& timer);
  KeyList& list_of(std::uint64_t key);
  void lost(Entry& entry);    // the server closed it
  void retire(Entry& entry);  // out of the lists, its connection moved away or closed
  void count(const ServerLink& link, int step);
  void purge();

  Server* server_ = nullptr;
  AgeList by_age_;  // oldest first
  KeyList usual_;   // key 0, newest first
  boost::unordered_flat_map<std::uint64_t, std::unique_ptr<KeyList>> others_;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::vector<Entry*> spare_;
  std::array<std::uint32_t, 64> keys_{};   // entries by the low bits of their key
  std::atomic<std::uint64_t> present_{0};  // which of these are not zero
  PurgeTimer purge_;
};

struct alignas(64) Server::PerWorker {
  Slot* slots = nullptr;
  IdlePool idle;
};

}  // namespace upstream

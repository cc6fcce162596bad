// Requests that wait for a slot of a server, or of whichever server of the backend comes free
// first. Ordered by priority class, then by arrival time plus priority offset (manual,
// "set-priority-class"). A slot that ends is handed to the best waiter under the lock: who comes
// later cannot overtake. The lock is taken only by waiters and where somebody waits.
#pragma once

#include <boost/intrusive/set.hpp>
#include <mutex>
#include <vector>

#include "upstream/backend.h"

namespace upstream {

class SlotQueue {
 public:
  explicit SlotQueue(Backend& backend) : backend_(backend) {}
  ~SlotQueue() = default;

  struct Granted {
    Server* server = nullptr;  // its slot was taken for the caller
    bool pick_again = false;   // the server waited for went away: ask the algorithm again
    NoSlot why = NoSlot::queue_timeout;
  };
  // Waits for `wanted`, or for any server when it is null. `bound`: persistence ties the request to
  // the server, so that its going down does not send it elsewhere.
  Granted wait(PickContext& pick, Server* wanted, bool bound, rt::Instant deadline);

  // A slot of `server` may be free.
  void serve(Server& server);
  // Servers came, went or changed limits.
  void serve_all();
  // `server` goes down: its unbound waiters pick again. Returns how many.
  unsigned requeue(Server& server);
  // Whether anybody waits at all. Paired with the counts in `served`: a waiter announces itself
  // before it looks for room, a slot is given up before it looks for waiters.
  bool waiting() const { return waiting_.load(std::memory_order_seq_cst) != 0; }
  // Whether somebody waits for any server.
  bool waiting_for_any() const { return waiting_any_.load(std::memory_order_seq_cst) != 0; }
  void add_server() { of_server_.emplace_back(new Line); }

 private:
  struct Waiter : boost::intrusive::set_base_hook<> {
    std::int32_t priority_class = 0;
    std::int64_t due_ms = 0;  // arrival plus offset
    std::uint64_t arrival = 0;
    Server* wanted = nullptr;
    bool bound = false;
    bool done = false;
    Granted granted;
    const rt::WakeHandle* handle = nullptr;
    bool operator<(const Waiter& other) const;
  };
  using Line = boost::intrusive::multiset<Waiter, boost::intrusive::constant_time_size<true>>;

  Line& line_of(Server* wanted) { return wanted == nullptr ? any_ : *of_server_[wanted->index()]; }
  void enter(Waiter& waiter, PickContext& pick);
  void leave(Waiter& waiter);
  void finish(Waiter& waiter, Granted how);
  void serve_locked(Server& server);

  Backend& backend_;
  std::mutex mutex_;  // guards the lines
  Line any_;
  std::vector<std::unique_ptr<Line>> of_server_;
  std::uint64_t arrivals_ = 0;
  std::atomic<std::uint32_t> waiting_{0}, waiting_any_{0};
};

}  // namespace upstream

#include "upstream/queue.h"

#include <chrono>

#include "upstream/counting.h"

namespace upstream {

bool SlotQueue::Waiter::operator<(const Waiter& other) const {
  if (priority_class != other.priority_class) return priority_class < other.priority_class;
  if (due_ms != other.due_ms) return due_ms < other.due_ms;
  return arrival < other.arrival;
}

void SlotQueue::enter(Waiter& waiter, PickContext& pick) {
  const txn::Exchange& exchange = pick.exchange;
  const auto since_epoch = rt::now().time_since_epoch();
  waiter.priority_class = exchange.priority_class;
  waiter.due_ms =
      std::chrono::duration_cast<rt::milliseconds>(since_epoch).count() + exchange.priority_offset;
  waiter.arrival = ++arrivals_;
  Line& line = line_of(waiter.wanted);
  if (waiter.wanted != nullptr) {
    pick.exchange.server_queue_position = static_cast<std::uint32_t>(line.size());
    state::Server& server = waiter.wanted->state();
    raise(server.queued_highest, server.queued.fetch_add(1, std::memory_order_seq_cst) + 1);
  } else {
    pick.exchange.backend_queue_position = static_cast<std::uint32_t>(line.size());
    state::Proxy& proxy = backend_.state();
    raise(proxy.queued_highest, proxy.queued.fetch_add(1, std::memory_order_seq_cst) + 1);
    waiting_any_.fetch_add(1, std::memory_order_seq_cst);
  }
  waiting_.fetch_add(1, std::memory_order_seq_cst);
  line.insert(waiter);
}

void SlotQueue::leave(Waiter& waiter) {
  Line& line = line_of(waiter.wanted);
  line.erase(line.iterator_to(waiter));
  waiting_.fetch_sub(1, std::memory_order_seq_cst);
  if (waiter.wanted != nullptr) {
    waiter.wanted->state().queued.fetch_sub(1, std::memory_order_seq_cst);
  } else {
    backend_.state().queued.fetch_sub(1, std::memory_order_seq_cst);
    waiting_any_.fetch_sub(1, std::memory_order_seq_cst);
  }
}

void SlotQueue::finish(Waiter& waiter, Granted how) {
  leave(waiter);
  waiter.granted = how;
  waiter.done = true;
  // The waiter needs the lock to see `done`, so that it cannot be gone yet.
  waiter.handle->wake();
}

void SlotQueue::serve_locked(Server& server) {
  Line& own = *of_server_[server.index()];
  while (!own.empty() || !any_.empty()) {
    const bool open = server.scaled_weight() != 0;
    Waiter* best = own.empty() ? nullptr : &*own.begin();
    if (open && !any_.empty() && (best == nullptr || *any_.begin() < *best)) best = &*any_.begin();
    if (best == nullptr || !server.take_below(server.limit())) return;
    finish(*best, {&server, false, {}});
  }
}

void SlotQueue::serve(Server& server) {
  if (!waiting()) return;
  const std::lock_guard guard(mutex_);
  serve_locked(server);
}

void SlotQueue::serve_all() {
  if (!waiting()) return;
  const std::lock_guard guard(mutex_);
  for (const auto& server : backend_.servers())
    if (server->scaled_weight() != 0 || !of_server_[server->index()]->empty())
      serve_locked(*server);
}

unsigned SlotQueue::requeue(Server& server) {
  if (!waiting()) return 0;
  const std::lock_guard guard(mutex_);
  Line& line = *of_server_[server.index()];
  unsigned moved = 0;
  for (auto at = line.begin(); at != line.end();) {
    Waiter& waiter = *at++;
    if (waiter.bound) continue;
    finish(waiter, {nullptr, true, {}});
    ++moved;
  }
  return moved;
}

SlotQueue::Granted SlotQueue::wait(PickContext& pick, Server* wanted, bool bound,
                                   rt::Instant deadline) {
  const rt::WakeHandle handle;
  Waiter waiter;
  waiter.wanted = wanted;
  waiter.bound = bound;
  waiter.handle = &handle;
  std::unique_lock lock(mutex_);
  enter(waiter, pick);
  // A slot may have ended between the look of the caller and the entry.
  if (wanted != nullptr) {
    serve_locked(*wanted);
  } else {
    for (const auto& server : backend_.servers())
      if (server->scaled_weight() != 0 && !waiter.done) serve_locked(*server);
  }
  while (!waiter.done) {
    lock.unlock();
    const rt::Wait how = rt::suspend(deadline);
    lock.lock();
    if (waiter.done || how == rt::Wait::ready) continue;
    leave(waiter);
    return {nullptr, false, how == rt::Wait::cancelled ? NoSlot::cancelled : NoSlot::queue_timeout};
  }
  return waiter.granted;
}

}  // namespace upstream

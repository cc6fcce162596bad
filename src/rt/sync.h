// A lock for fibers, and a way to call what blocks. A fiber that finds the lock taken parks; its
// thread goes on with other work. Grants are in order of arrival across all workers.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include "rt/fiber.h"

namespace rt {

// FIFO lock across workers. unlock() hands over to the longest waiter; it may be called by another
// fiber than the one that locked. Also usable from a thread that runs no fiber (start-up, helper
// threads), where waiting spins: never in a worker's loop where it may be contended.
class FiberMutex {
 public:
  FiberMutex() = default;
  FiberMutex(const FiberMutex&) = delete;
  FiberMutex& operator=(const FiberMutex&) = delete;

  // `ready` when taken. With kNever it can only end otherwise by cancel().
  [[nodiscard]] Wait lock(Instant deadline = kNever) {
    return try_lock() ? Wait::ready : lock_slow(deadline);
  }
  // Waits even where the fiber was cancelled: for code that needs the lock to unwind.
  void lock_uninterruptibly() {
    if (!try_lock()) lock_even_cancelled();
  }
  bool try_lock() {
    std::uint32_t free = kFree;
    return state_.compare_exchange_strong(free, kTaken, std::memory_order_acquire,
                                          std::memory_order_relaxed);
  }
  void unlock() {
    std::uint32_t taken = kTaken;
    if (!state_.compare_exchange_strong(taken, kFree, std::memory_order_release,
                                        std::memory_order_relaxed))
      hand_over();
  }
  // Somebody waits: a polite owner gives way.
  bool contended() const { return state_.load(std::memory_order_relaxed) == kWaitedFor; }

 private:
  struct Waiter;
  static constexpr std::uint32_t kFree = 0, kTaken = 1, kWaitedFor = 2;
  Wait lock_slow(Instant deadline);
  void lock_even_cancelled();
  bool take_or_queue(Waiter& waiter);
  void hand_over();
  void remove(Waiter& waiter);

  std::atomic<std::uint32_t> state_{kFree};
  std::mutex mutex_;  // guards the queue and the state kWaitedFor, held for nanoseconds
  Waiter* head_ = nullptr;
  Waiter* tail_ = nullptr;
};

// Runs `work` on a helper thread while the calling fiber waits: blocking file and name look-ups.
// Not cancellable: it returns when the work is done. What the work throws is thrown here. Outside
// a fiber it just runs the work.
void offload(base::Function<void()> work);

// Runs `work`, which must not throw, on a helper thread without waiting for it; it answers through
// Worker::post(). On a worker's thread only. The Runtime ends no sooner than the work.
void run_on_helper(base::Function<void()> work);

}  // namespace rt

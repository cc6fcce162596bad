// Locks and channels for fibers. A fiber that finds the lock taken parks; its thread goes on with
// other work. Grants are in order of arrival across all workers.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "rt/fiber.h"
#include "rt/worker.h"

namespace rt {

// FIFO lock across workers. unlock() hands over to the longest waiter. Also usable from a thread
// that runs no fiber (start-up), where it must not be contended.
class FiberMutex {
 public:
  FiberMutex() = default;
  FiberMutex(const FiberMutex&) = delete;
  FiberMutex& operator=(const FiberMutex&) = delete;
  ~FiberMutex();

  // `ready` when taken. With kNever it can only end otherwise by cancel().
  [[nodiscard]] Wait lock(Instant deadline = kNever);
  bool try_lock();
  void unlock();
  bool contended() const;  // somebody waits: a polite owner gives way

 private:
  struct Waiter;
  mutable std::mutex mutex_;  // guards the fields below, held for nanoseconds
  bool taken_ = false;
  Waiter* head_ = nullptr;
  Waiter* tail_ = nullptr;
};

// Runs `work` on a helper thread while the calling fiber waits: blocking file and name look-ups.
// Not cancellable: it returns when the work is done. Outside a fiber it just runs the work.
void offload(base::Function<void()> work);

}  // namespace rt

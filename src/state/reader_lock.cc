#include "state/reader_lock.h"

#include <sched.h>

namespace state {

unsigned ReaderLock::stripe() {
  static std::atomic<unsigned> next{0};
  thread_local const unsigned mine = next.fetch_add(1, std::memory_order_relaxed) % kStripes;
  return mine;
}

void ReaderLock::enter_slow(std::atomic<std::int32_t>& value) {
  for (;;) {
    std::int32_t seen = value.load(std::memory_order_relaxed);
    if (seen < 0) {
      sched_yield();
    } else if (value.compare_exchange_weak(seen, seen + 1, std::memory_order_acquire)) {
      return;
    }
  }
}

void ReaderLock::lock() {
  for (Stripe& s : stripes_) {
    std::int32_t free = 0;
    while (!s.value.compare_exchange_weak(free, kEdited, std::memory_order_acquire)) {
      free = 0;
      sched_yield();
    }
  }
}

void ReaderLock::unlock() {
  for (Stripe& s : stripes_) s.value.store(0, std::memory_order_release);
}

}  // namespace state

// A lock for a few instructions on data that rarely more than one worker wants at once: one byte,
// no system call unless its holder was put aside. Never held across a wait.
#pragma once

#include <sched.h>

#include <atomic>

namespace state {

class SpinLock {
 public:
  void lock() {
    for (int tries = 0; held_.exchange(true, std::memory_order_acquire);)
      while (held_.load(std::memory_order_relaxed))
        if (++tries % 64 == 0) sched_yield();
  }
  void unlock() { held_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> held_{false};
};

}  // namespace state

// How much of its time a worker does not sleep, and the sums of what its fibers cost. Kept by its
// thread, read by any.
#pragma once

#include <atomic>
#include <cstdint>

#include "rt/cost.h"
#include "rt/time.h"

namespace rt {

class Usage {
 public:
  void fall_asleep(Instant now);
  void awake(Instant now);
  void restart() {
    window_start_ = {};
    slept_ = {};
    percent_.store(0, std::memory_order_relaxed);
    asleep_since_.store(0, std::memory_order_relaxed);
  }
  unsigned percent(Instant now) const;  // who has been asleep for long is not busy

 private:
  Instant window_start_{};
  Duration slept_{};
  std::atomic<unsigned> percent_{0};
  std::atomic<std::int64_t> asleep_since_{0};  // 0: it is not
};

class Costs {
 public:
  void add(Duration computing, Duration waiting) {
    add_to(runs_, 1);
    add_to(computing_, computing.count());
    add_to(waiting_, waiting.count());
  }
  void clear() {
    for (auto* sum : {&runs_, &computing_, &waiting_}) sum->store(0, std::memory_order_relaxed);
  }
  Cost sum() const {
    return {static_cast<std::uint64_t>(runs_.load(std::memory_order_relaxed)),
            Duration(computing_.load(std::memory_order_relaxed)),
            Duration(waiting_.load(std::memory_order_relaxed))};
  }

 private:
  using Sum = std::atomic<std::int64_t>;
  static void add_to(Sum& sum, std::int64_t n) {
    sum.store(sum.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  Sum runs_{0}, computing_{0}, waiting_{0};
};

}  // namespace rt

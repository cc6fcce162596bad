// The sums of what the fibers of a worker cost. Kept by its thread, read by any.
#pragma once

#include <atomic>
#include <cstdint>

#include "rt/cost.h"
#include "rt/time.h"

namespace rt {

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

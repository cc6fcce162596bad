// Numbers counted by every worker without contention: one slot a worker, summed when somebody asks.
// A slot has one writer (its worker); readers may be a few increments behind.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "rt/time.h"
#include "rt/worker.h"

namespace obs {

// One number of one slot. Written by its worker only.
class Count {
 public:
  void add(std::uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void raise_to(std::uint64_t n) {
    if (n > get()) value_.store(n, std::memory_order_relaxed);
  }
  void set(std::uint64_t n) { value_.store(n, std::memory_order_relaxed); }
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// The clock of all rates: the worker's time of this turn, in milliseconds.
inline std::uint64_t rate_clock_ms() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<rt::milliseconds>(rt::now().time_since_epoch()).count());
}

// Events a second: those of the running second plus the share of the one before that still lies in
// the last 1000 ms. Written by its worker only; `now_ms` is rate_clock_ms().
class Rate {
 public:
  void add(std::uint64_t now_ms, std::uint64_t n = 1);
  std::uint64_t per_second(std::uint64_t now_ms) const;
  // Adds one; what per_second() says then.
  std::uint64_t count(std::uint64_t now_ms);

 private:
  void begin(std::uint64_t second);

  std::atomic<std::uint64_t> second_{0};
  std::atomic<std::uint64_t> current_{0};
  std::atomic<std::uint64_t> previous_{0};
};

// A block of counts for each worker. Block must be default-constructible.
template <class Block>
class PerWorker {
 public:
  PerWorker() : count_(rt::worker_count()), slots_(new Slot[count_]) {}
  Block& mine() { return slots_[rt::worker_index()].block; }
  template <class Member>
  std::uint64_t sum(Member member) const {  // sum(&Block::bytes_in)
    std::uint64_t total = 0;
    for (unsigned i = 0; i < count_; ++i) total += (slots_[i].block.*member).get();
    return total;
  }
  template <class F>
  void each(F f) const {
    for (unsigned i = 0; i < count_; ++i) f(slots_[i].block);
  }
  template <class F>
  void each(F f) {
    for (unsigned i = 0; i < count_; ++i) f(slots_[i].block);
  }

 private:
  struct alignas(64) Slot {
    Block block;
  };
  unsigned count_;
  std::unique_ptr<Slot[]> slots_;
};

}  // namespace obs

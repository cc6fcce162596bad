// A lock for data that every worker reads on each request and that is edited rarely: a reader
// touches one cache line that few other threads touch, an editor takes all of them. Never held
// across a wait.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace state {

class ReaderLock {
 public:
  void lock_shared() { enter(stripes_[stripe()].value); }
  void unlock_shared() { stripes_[stripe()].value.fetch_sub(1, std::memory_order_release); }
  void lock();
  void unlock();

 private:
  static constexpr unsigned kStripes = 16;
  static constexpr std::int32_t kEdited = -1;
  struct alignas(64) Stripe {
    std::atomic<std::int32_t> value{0};  // readers inside, or kEdited
  };
  static unsigned stripe();
  static void enter(std::atomic<std::int32_t>& value) {
    std::int32_t seen = value.load(std::memory_order_relaxed);
    if (seen >= 0 && value.compare_exchange_weak(seen, seen + 1, std::memory_order_acquire)) return;
    enter_slow(value);
  }
  static void enter_slow(std::atomic<std::int32_t>& value);

  std::array<Stripe, kStripes> stripes_;
};

}  // namespace state

// The fibers of one worker with their stacks, used ones and free ones. The last one freed is used
// next, its top page being warm. What was not needed for some seconds goes back to the system.
// Lives as long as its worker; touched by its thread alone.
#pragma once

#include <cstddef>
#include <vector>

#include "rt/fiber_object.h"

namespace rt {

class StackPool {
 public:
  explicit StackPool(Loop& loop) : loop_(loop), trim_(&StackPool::on_trim) {}
  ~StackPool();
  StackPool(const StackPool&) = delete;
  StackPool& operator=(const StackPool&) = delete;

  // Throws std::bad_alloc when the system gives no more memory.
  Fiber& take() {
    if (free_ == nullptr) return map();
    Fiber& fiber = *free_;
    free_ = fiber.next_fiber;
    __builtin_prefetch(free_);
    if (--free_count_ < least_free_) least_free_ = free_count_;
    return fiber;
  }
  void give(Fiber& fiber) {
    fiber.next_fiber = free_;
    free_ = &fiber;
    if (++free_count_ > kAlwaysKept && !trim_.armed()) watch_surplus();
  }

  std::size_t in_use() const { return all_.size() - free_count_; }
  std::size_t mapped() const { return all_.size(); }
  const std::vector<Fiber*>& all() const { return all_; }
  // Unmaps half of what no one needed since the last time; true when there may be more.
  bool trim();

 private:
  static constexpr std::size_t kAlwaysKept = 16;
  static void on_trim(Timer& timer);
  Fiber& map();
  void unmap(Fiber& fiber);
  void watch_surplus();

  Loop& loop_;
  Fiber* free_ = nullptr;
  std::size_t free_count_ = 0;
  std::size_t least_free_ = 0;  // since the last trim
  std::vector<Fiber*> all_;
  Timer trim_;
};

}  // namespace rt

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
    if (free_.empty()) return map();
    Fiber& fiber = *free_.back();
    free_.pop_back();
    if (!free_.empty()) free_.back()->fetch();
    if (free_.size() < least_free_) least_free_ = free_.size();
    return fiber;
  }
  void give(Fiber& fiber) {
    free_.push_back(&fiber);  // for which map() has made room
    if (free_.size() > kAlwaysKept && !trim_.armed()) watch_surplus();
  }

  std::size_t in_use() const { return all_.size() - free_.size(); }
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
  std::vector<Fiber*> free_;
  std::size_t least_free_ = 0;  // since the last trim
  std::vector<Fiber*> all_;
  Timer trim_;
};

}  // namespace rt

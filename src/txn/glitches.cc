#include "txn/glitches.h"

#include <atomic>
#include <mutex>
#include <unordered_map>

namespace txn {

namespace {

GlitchLimits the_limits;

struct Counts {
  std::mutex mutex;
  std::unordered_map<const net::Connection*, std::uint32_t> of;
  std::atomic<std::size_t> size{0};  // nobody takes the lock while there are none
};
Counts& counts() {
  static Counts all;
  return all;
}

}  // namespace

void set_glitch_limits(const GlitchLimits& limits) { the_limits = limits; }
const GlitchLimits& glitch_limits() { return the_limits; }

std::uint32_t glitches_of(const net::Connection* connection) {
  Counts& all = counts();
  if (all.size.load(std::memory_order_relaxed) == 0) return 0;
  std::lock_guard lock(all.mutex);
  const auto found = all.of.find(connection);
  return found == all.of.end() ? 0 : found->second;
}

std::uint32_t add_glitch(const net::Connection* connection) {
  Counts& all = counts();
  std::lock_guard lock(all.mutex);
  const std::uint32_t count = ++all.of[connection];
  all.size.store(all.of.size(), std::memory_order_relaxed);
  return count;
}

void forget_glitches(const net::Connection* connection) {
  Counts& all = counts();
  if (all.size.load(std::memory_order_relaxed) == 0) return;
  std::lock_guard lock(all.mutex);
  all.of.erase(connection);
  all.size.store(all.of.size(), std::memory_order_relaxed);
}

}  // namespace txn

// Small steps of counting that several files of this room share.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace upstream {

inline void raise(std::atomic<std::uint32_t>& highest, std::uint32_t value) {
  std::uint32_t seen = highest.load(std::memory_order_relaxed);
  while (seen < value && !highest.compare_exchange_weak(seen, value, std::memory_order_relaxed)) {
  }
}

inline std::int64_t wall_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}
inline std::int64_t wall_seconds() { return wall_ms() / 1000; }

}  // namespace upstream

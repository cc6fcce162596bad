// Wall-clock time for numbers that people read.
#pragma once

#include <chrono>
#include <cstdint>

namespace admin {

inline std::int64_t wall_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}
inline std::uint64_t wall_ms() { return static_cast<std::uint64_t>(wall_us() / 1000); }
inline std::int64_t wall_seconds() { return wall_us() / 1000000; }

}  // namespace admin

// Time as the loop knows it: monotonic nanoseconds, read once a turn of the loop.
#pragma once

#include <chrono>

namespace rt {

using Duration = std::chrono::nanoseconds;
using Instant = std::chrono::time_point<std::chrono::steady_clock, Duration>;
using std::chrono::milliseconds;

inline constexpr Instant kNever = Instant::max();
inline constexpr Duration kForever = Duration::max();  // "no timeout" in settings

namespace detail {
// Where the loop of this thread keeps the time of its turn; null while none turns.
extern constinit thread_local const Instant* turn_time;
}  // namespace detail

// The clock itself, about 20 ns.
Instant precise_now();
// The worker's time of this turn of the loop; outside a worker, the clock itself.
inline Instant now() {
  const Instant* const time = detail::turn_time;
  return time != nullptr ? *time : precise_now();
}
// `timeout` from now on; kNever for kForever and for zero (an unset timeout in the configuration).
inline Instant deadline(Duration timeout) {
  return timeout == kForever || timeout == Duration::zero() ? kNever : now() + timeout;
}

}  // namespace rt

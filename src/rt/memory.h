// The memory that connections take, where it has a ceiling (command line -m): buffers and stacks in
// use by all workers. What would begin something new asks memory_left() and waits; what has begun
// goes on. Without a ceiling nothing is counted. Any thread.
#pragma once

#include <atomic>
#include <cstddef>

namespace rt {

namespace detail {
inline std::ptrdiff_t memory_limit = 0;  // set before traffic
inline std::atomic<std::ptrdiff_t> memory_used{0};
}  // namespace detail

inline void set_memory_limit(std::size_t bytes) {
  detail::memory_limit = static_cast<std::ptrdiff_t>(bytes);
}
inline bool memory_limited() { return detail::memory_limit != 0; }
inline bool memory_left() {
  return !memory_limited() ||
         detail::memory_used.load(std::memory_order_relaxed) < detail::memory_limit;
}
inline void memory_taken(std::size_t bytes) {
  if (memory_limited())
    detail::memory_used.fetch_add(static_cast<std::ptrdiff_t>(bytes), std::memory_order_relaxed);
}
inline void memory_given_back(std::size_t bytes) {
  if (memory_limited())
    detail::memory_used.fetch_sub(static_cast<std::ptrdiff_t>(bytes), std::memory_order_relaxed);
}

}  // namespace rt

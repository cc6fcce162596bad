// Numbers that all workers change, and exactly: sessions, slots, idle connections. A locked
// instruction waits until every store before it has reached the cache; where one worker is all
// there is, only its thread changes them and a plain addition does.
#pragma once

#include <atomic>
#include <type_traits>
#include <utility>

namespace rt {

namespace detail {
inline constinit bool one_worker = false;  // set by the Runtime, before traffic
}

// Adds `step` and returns what was there before. On threads of workers only.
template <typename T>
T add(std::atomic<T>& number, std::type_identity_t<T> step,
      std::memory_order order = std::memory_order_relaxed) {
  if (!detail::one_worker) [[unlikely]]
    return number.fetch_add(step, order);
  const T before = number.load(std::memory_order_relaxed);
  number.store(static_cast<T>(before + step), std::memory_order_relaxed);
  return before;
}
template <typename T>
T subtract(std::atomic<T>& number, std::type_identity_t<T> step,
           std::memory_order order = std::memory_order_relaxed) {
  return add(number, static_cast<T>(T{} - step), order);
}
// Puts `next` there while `seen` is what is there; else `seen` becomes what is. As the above.
template <typename T>
bool replace(std::atomic<T>& number, T& seen, std::type_identity_t<T> next) {
  if (!detail::one_worker) [[unlikely]]
    return number.compare_exchange_strong(seen, next);
  const T there = number.load(std::memory_order_relaxed);
  if (there == seen) number.store(next, std::memory_order_relaxed);
  return std::exchange(seen, there) == there;
}

}  // namespace rt

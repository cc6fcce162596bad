#include "obs/counter.h"

namespace obs {

void Rate::begin(std::uint64_t second) {
  std::uint64_t last = second_.load(std::memory_order_relaxed);
  if (second == last) return;
  std::uint64_t ended = current_.load(std::memory_order_relaxed);
  previous_.store(second == last + 1 ? ended : 0, std::memory_order_relaxed);
  current_.store(0, std::memory_order_relaxed);
  second_.store(second, std::memory_order_relaxed);
}

void Rate::add(std::uint64_t now_ms, std::uint64_t n) {
  if (now_ms - second_.load(std::memory_order_relaxed) * 1000 >= 1000) begin(now_ms / 1000);
  current_.store(current_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

std::uint64_t Rate::count(std::uint64_t now_ms) {
  std::uint64_t into = now_ms - second_.load(std::memory_order_relaxed) * 1000;
  if (into >= 1000) [[unlikely]] {
    begin(now_ms / 1000);
    into = now_ms % 1000;
  }
  const std::uint64_t current = current_.load(std::memory_order_relaxed) + 1;
  current_.store(current, std::memory_order_relaxed);
  return current + previous_.load(std::memory_order_relaxed) * (1000 - into) / 1000;
}

std::uint64_t Rate::per_second(std::uint64_t now_ms) const {
  std::uint64_t second = now_ms / 1000;
  std::uint64_t last = second_.load(std::memory_order_relaxed);
  std::uint64_t current = current_.load(std::memory_order_relaxed);
  std::uint64_t previous = previous_.load(std::memory_order_relaxed);
  if (second != last) {
    previous = second == last + 1 ? current : 0;
    current = 0;
  }
  // One event a second must not flicker between 0 and 1.
  if (previous <= 1 && current == 0) return previous;
  return current + previous * (1000 - now_ms % 1000) / 1000;
}

}  // namespace obs

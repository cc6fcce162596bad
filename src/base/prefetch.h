// Fetches memory into the first-level cache, line by line; a hint, for any address. Worth it where
// the kernel has used the cache since, and something else is done before the memory is used.
#pragma once

#include <cstddef>

namespace base {

inline void prefetch(const void* memory, std::size_t size) {
  constexpr std::size_t kLine = 64;
  for (std::size_t at = 0; at < size; at += kLine)
    __builtin_prefetch(static_cast<const char*>(memory) + at);
}

}  // namespace base

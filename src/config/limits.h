// How much of a configuration is looked at before it is given up.
#pragma once

#include <cstddef>

namespace config {

// What is no configuration at all could fill a disk with messages: no more are kept.
inline constexpr std::size_t kMostMessages = 500;
// In bytes, of what has no size, such as a pipe or a device.
inline constexpr std::size_t kLongestInput = 10U << 20;

}  // namespace config

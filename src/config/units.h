// Times and sizes as the manual's section 2.5 writes them.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace config {

enum class TimeUnit : std::uint8_t { us, ms, s, m, h, d };

// "10", "10s", "1500us": in `to` units, rounded up; `bare` is the unit of a number without one.
// The error names what is wrong (overflow, underflow, unit).
base::Result<std::int64_t> parse_time(std::string_view text, TimeUnit bare, TimeUnit to);
base::Result<std::uint64_t> parse_size(std::string_view text);  // bytes; "16k"

}  // namespace config

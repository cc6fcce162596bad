// A comparison on what an entry of a stick table holds, as "show table" and scripts filter by.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "state/stick_table.h"

namespace state {

enum class StickComparison : std::uint8_t { eq, ne, le, ge, lt, gt };
std::optional<StickComparison> find_stick_comparison(std::string_view name);

inline constexpr std::size_t kMostStickFilters = 4;

struct StickFilter {
  StickData data = StickData::server_id;
  unsigned index = 0;
  StickComparison comparison = StickComparison::eq;
  std::int64_t number = 0;

  bool holds(const StickRow& row, std::int64_t now_ms) const;
};

}  // namespace state

#include "state/stick_filter.h"

#include <array>

namespace state {

std::optional<StickComparison> find_stick_comparison(std::string_view name) {
  constexpr std::array<std::string_view, 6> kNames{"eq", "ne", "le", "ge", "lt", "gt"};
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (kNames[i] == name) return static_cast<StickComparison>(i);
  return std::nullopt;
}

bool StickFilter::holds(const StickRow& row, std::int64_t now_ms) const {
  const auto value = row.get(data, index, now_ms);
  if (!value) return false;
  const auto have = static_cast<std::int64_t>(*value);
  switch (comparison) {
    case StickComparison::eq:
      return have == number;
    case StickComparison::ne:
      return have != number;
    case StickComparison::le:
      return have <= number;
    case StickComparison::ge:
      return have >= number;
    case StickComparison::lt:
      return have < number;
    case StickComparison::gt:
      return have > number;
  }
  return false;
}

}  // namespace state

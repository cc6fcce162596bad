// Reading and rewriting parts of a request's target.
#pragma once

#include <cstdint>
#include <string_view>

#include "expr/context.h"

namespace rules::action {

enum class TargetPart : std::uint8_t { path, path_and_query, query, whole };

std::string_view part_of_target(std::string_view target, TargetPart part);
// Puts `text` in place of the part; false when there is no room left in the head. Without a path
// ("*") the text replaces the whole target; a query that is set keeps or gets its question mark.
bool change_target(expr::Context& context, TargetPart part, std::string_view text);

}  // namespace rules::action

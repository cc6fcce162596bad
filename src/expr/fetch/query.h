// The walk over "name=value" pairs that queries and form bodies share.
#pragma once

#include <string_view>

#include "expr/context.h"

namespace expr::fetch {

// The value of the first pair of the name (any with an empty one); with `at`, the next one.
bool find_parameter(std::string_view text, std::string_view name, std::string_view delimiters,
                    bool ignore_case, Occurrences* at, std::string_view& out);

}  // namespace expr::fetch

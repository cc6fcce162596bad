// Conditions of .if and -cc (the manual's section 2.4): an expression is parsed in whole, so that
// mistakes show even where a short circuit would not look, and evaluated as it is parsed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/load.h"

namespace config {

struct ConditionResult {
  int value = 0;  // 1, 0, or -1: an error
  std::string error;
  std::size_t offset = 0;  // of the error in the expression
};

// `expression` is one text: words already unquoted and joined with single spaces. Empty is false.
ConditionResult evaluate(std::string_view expression, const Predicates* predicates);

// The arguments of a call, from just after its '(': quotes and backslashes as in section 2.2
// without
// \#, \$ and \xNN. Stops before the ')' and returns its offset, or npos when none comes.
std::size_t split_call(std::string_view text, std::vector<std::string>& arguments);

}  // namespace config

// What a text must contain for a regular expression to match it, told from the expression alone, so
// that a set of expressions runs only those that can match. Careful: what it does not understand it
// takes to require nothing. Called while patterns are read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace expr::match {

// Texts of which one must be contained, in lower case.
using AnyOf = std::vector<std::string>;

// Each must hold, without regard to case. Empty: nothing is known.
std::vector<AnyOf> required_literals(std::string_view expression);

}  // namespace expr::match

// Expressions in the words of a line.
#pragma once

#include <string>

#include "config/arguments.h"
#include "expr/keyword.h"

namespace expr {

// Takes the words of one expression, all of them below `end`: behind a comma at the end of a word
// it goes on in the next one, where that begins with a converter ("path, lower").
std::string take_expression(config::Arguments& args, std::size_t end, const Catalogue& catalogue);

}  // namespace expr

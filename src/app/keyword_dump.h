// -dK: keywords by class, in the words of the reference, for tools that compare them.
#pragma once

#include <string>
#include <string_view>

#include "expr/keyword.h"
#include "rules/action.h"

namespace app {

// `classes`: "all", "help", or names joined by commas; "doc" for what the reference pages are made
// of.
std::string dump_keywords(std::string_view classes, const expr::Catalogue& expressions,
                          const rules::Catalogue& actions);

}  // namespace app

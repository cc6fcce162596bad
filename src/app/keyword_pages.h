// -dKdoc: every keyword with its sentence, one a line, as tools/reference_pages.py makes the pages
// of docs/reference/ from them: page, group, name, arguments, what it gives and the sentence,
// between tabulators.
#pragma once

#include <string>

#include "expr/keyword.h"
#include "rules/action.h"

namespace app {

std::string dump_pages(const expr::Catalogue& expressions, const rules::Catalogue& actions);

}  // namespace app

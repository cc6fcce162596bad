// The "redirect" statement of a section: as "http-request redirect", with plain texts instead of
// formats.
#pragma once

#include <memory>

#include "rules/action.h"

namespace rules {

// The words after "redirect", up to "if"/"unless". Null with a report.
std::unique_ptr<Action> parse_redirect(config::Arguments& args, ParseContext& context);

}  // namespace rules

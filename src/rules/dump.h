// The actions as "-dKcfg" prints them.
#pragma once

#include <string>

#include "rules/action.h"

namespace rules {

std::string dump_actions(const Catalogue& catalogue);   // "\thttp-request set-header\n" …
std::string dump_services(const Catalogue& catalogue);  // "-dKsvc"

}  // namespace rules

// "healthcheck" sections (manual, section 12.9): checks with a name, which servers of any backend
// may use in place of their backend's. Read by the loading thread, constant afterwards.
#pragma once

#include "upstream/check_rules.h"
#include "upstream/parse.h"

namespace upstream {

// A line of such a section; false with a report. The rules come into parse.settings.check.
bool parse_health_check_line(BackendParse& parse, bool& typed);

}  // namespace upstream

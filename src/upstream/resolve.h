// From the address on a "server" line to the address that is connected to, at start-up.
#pragma once

#include "upstream/backend.h"
#include "upstream/state_file.h"

namespace upstream {

// Follows init-addr for names. False with a report.
bool resolve_at_start(Server& server, const StateFile& file, config::Diagnostics& diagnostics);

}  // namespace upstream

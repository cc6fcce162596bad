// From a tree of sections to what the engine runs on. Every mistake is reported; nothing is
// started. Loading thread, after the Runtime exists (counters have one slot a worker).
#pragma once

#include "app/command_line.h"
#include "app/global/settings.h"
#include "config/diagnostics.h"
#include "config/source.h"

namespace app {

// Reads every `global` section.
GlobalSettings read_settings(const config::Tree& tree, const CommandLine& line,
                             config::Diagnostics& diagnostics);

// Reads all other sections.
void assemble(const config::Tree& tree, const GlobalSettings& settings,
              config::Diagnostics& diagnostics);

}  // namespace app

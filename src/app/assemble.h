// From a tree of sections to what the engine runs on. Every mistake is reported; nothing is
// started. Loading thread; where traffic follows, after the Runtime exists (counters have one slot
// a worker).
#pragma once

#include "app/command_line.h"
#include "app/generation.h"
#include "config/diagnostics.h"

namespace app {

// Reads every `global` section; the command line has the last word.
GlobalSettings read_settings(const config::Tree& tree, const CommandLine& line,
                             config::Diagnostics& diagnostics);

// Loads the scripts and reads all other sections into `generation`, whose tree and settings are
// set.
void assemble(Generation& generation, const CommandLine& line, config::Diagnostics& diagnostics);

}  // namespace app

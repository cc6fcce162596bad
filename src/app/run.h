// A configuration brought to life: listeners, checks, scripts, the runtime socket, signals, and the
// orderly end. Main thread; the Runtime exists.
#pragma once

#include <memory>

#include "app/command_line.h"
#include "app/generation.h"
#include "app/process.h"
#include "config/diagnostics.h"
#include "rt/worker.h"

namespace app {

// Opens everything, serves until told to stop. Returns the exit status; ends by the signal that
// stopped it, if it was SIGINT or SIGTERM.
int serve(rt::Runtime& runtime, Generation& generation, const CommandLine& line, Daemon daemon,
          unsigned warnings);

}  // namespace app

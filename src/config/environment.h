// setenv, presetenv, unsetenv and resetenv act while a configuration is read, because later words
// may use what they set. They change the environment of the process: loading thread only, before
// other threads run or while they do not look.
#pragma once

#include "config/diagnostics.h"
#include "config/source.h"

namespace config {

// Carries `line` out when it is one of the four; false when it is not.
bool change_environment(const Line& line, Diagnostics& diagnostics);

}  // namespace config

// The sections of a configuration by name, and how each is read. A section's reader gets all its
// lines; what it does not know it reports. Loading thread only.
#pragma once

#include <span>
#include <string_view>

#include "config/diagnostics.h"
#include "config/keyword.h"
#include "config/source.h"

namespace app {

struct GlobalSettings;

// Names that begin a section, as the loader wants them.
std::span<const std::string_view> section_names();

void read_global(const config::Section& section, GlobalSettings& settings,
                 config::Diagnostics& diagnostics);

}  // namespace app

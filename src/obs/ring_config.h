// The lines of a "ring" section (manual section 12.5). Start-up only.
#pragma once

#include "config/source.h"
#include "obs/ring.h"

namespace config {
class Diagnostics;
}

namespace obs {

// Reads the section and adds the ring; reports what is wrong.
void read_ring(const config::Section& section, config::Diagnostics& diagnostics);

// A ring of its own that forwards to one server; its name gets a number where it is taken.
std::shared_ptr<Ring> add_forwarding_ring(RingSettings settings, RingServer server);

// "tcp@address", "uxst@path" and the like as a log target: a ring of its own that forwards there.
// Null with an error text.
std::shared_ptr<Ring> make_forwarding_ring(std::string_view address, LogFormatKind format,
                                           std::size_t longest, std::string& error);

}  // namespace obs

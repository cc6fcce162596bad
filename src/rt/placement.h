// On which processors the workers run, and whether they ever leave them. Said once, before the
// Runtime runs.
#pragma once

#include <vector>

namespace rt {

using Processors = std::vector<unsigned>;  // by number; none: any

// Of each worker, from its start on. What the machine does not have is passed over; helper threads
// run wherever the caller may.
void place_workers(std::vector<Processors> workers);

// Has workers ask for events without a pause, at the price of a processor each.
void poll_busily();

}  // namespace rt

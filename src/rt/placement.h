// On which processors the workers run, and when they leave them. Said once, before the Runtime
// runs.
#pragma once

#include <vector>

namespace rt {

using Processors = std::vector<unsigned>;  // by number; none: any

// Of each worker, from its start on. What the machine does not have is passed over; helper threads
// run wherever the caller may.
void place_workers(std::vector<Processors> workers);

// Has workers ask for events without a pause, at the price of a processor each.
void poll_busily();

// Has busy workers ask for the next events at once. As a rule they rest for 50 microseconds where
// that brings several of them and few connections would notice (docs/decisions/0010).
void never_rest();

}  // namespace rt

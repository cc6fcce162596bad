// On which processors the workers run. Said once, before the Runtime runs.
#pragma once

#include <vector>

namespace rt {

using Processors = std::vector<unsigned>;  // by number; none: any

// Of each worker, from its start on. What the machine does not have is passed over; helper threads
// run wherever the caller may.
void place_workers(std::vector<Processors> workers);

}  // namespace rt

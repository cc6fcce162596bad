// What it costs to run fibers. Nothing is measured, and nothing is spent on it, until somebody asks
// for it; from then on clocks are read around every run.
#pragma once

#include <cstdint>

#include "rt/time.h"

namespace rt {

struct Cost {
  std::uint64_t runs = 0;  // times that the fiber was given the thread
  Duration computing{};    // in them
  Duration waiting{};      // from a wake-up until the fiber ran
};

// The user's word ("profiling.tasks"): `automatic` measures where something needs it, `off` hides
// the times. Any thread, before and after the Runtime exists; workers follow with their next turn.
enum class Profiling : std::uint8_t { automatic, on, off };
void set_profiling(Profiling mode);  // `on` starts the sums of all fibers anew
Profiling profiling();
void need_costs();  // from now on
bool costs_measured();

// Of the running fiber since it was spawned or restart_cost(), the present run included. Nothing
// outside fibers.
Cost cost();
void restart_cost();

// Of all fibers that ran on the worker.
Cost total_cost(unsigned worker);

}  // namespace rt

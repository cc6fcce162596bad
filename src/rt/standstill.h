// Changes that no reader must see half done, to things that all workers read without a lock: rare
// ones, such as servers that come and go.
#pragma once

#include "base/function.h"

namespace rt {

// Runs `work` while every other worker stands still between two turns of its loop. Fibers may be
// asleep in the middle of anything, so what they may have kept across a wait must stay valid.
// Called on worker 0 only; the thread waits. False, with nothing done, when some worker did not
// come in time (it is at its end, or busy with a script).
[[nodiscard]] bool at_standstill(base::Function<void()> work);

}  // namespace rt

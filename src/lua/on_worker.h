// Connections belong to the worker that opened them, scripts of the shared state run on all. What
// concerns a connection therefore runs where it lives.
#pragma once

#include "base/function.h"

namespace lua {

// Runs `work` in a fiber of that worker while this one waits; right here when it is the same.
// Without the state (see Unlocked).
void run_on(unsigned worker, base::Function<void()> work);
// As above, without waiting: for destructors.
void leave_to(unsigned worker, base::Function<void()> work);

}  // namespace lua

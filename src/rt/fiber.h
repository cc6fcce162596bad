// Waiting is a function call. A fiber is a stack of its own on one worker thread: code in it reads
// top to bottom and may wait at any depth. A fiber never changes its thread. Stacks are pooled
// mmaps of 1 MiB with a guard page, of which only what was touched costs memory; the switch keeps
// C++ exception state apart and tells AddressSanitizer and ThreadSanitizer.
#pragma once

#include <cstdint>

#include "base/function.h"
#include "rt/time.h"

namespace rt {

class Fiber;

// Why a wait ended. `cancelled`: somebody called cancel(fiber), and the fiber should unwind: every
// further wait of it ends at once the same way.
enum class Wait : std::uint8_t { ready, timed_out, cancelled };

// Starts `body` as a fiber of the calling worker thread; it first runs when the current fiber waits
// or the loop gets its turn. An exception out of it is a broken invariant: std::terminate.
Fiber& spawn(base::Function<void()> body);

// The running fiber; null in the loop itself and outside workers.
Fiber* current();

// Puts the running fiber to sleep until wake(), `deadline` or cancel(). A wake() that came since
// the last suspend() returns at once (no lost wake-ups). Only inside a fiber. All waits of a fiber
// share its wake-ups, so look at what you wait for before and after, as with a condition variable.
[[nodiscard]] Wait suspend(Instant deadline);

// Makes `fiber` ready to run; same thread only. From other threads use WakeHandle.
void wake(Fiber& fiber);

// Ends the fiber's present wait and all later ones with Wait::cancelled; same thread only.
void cancel(Fiber& fiber);
bool cancelled();  // whether the running fiber was
// Takes a cancel() of the running fiber back: for whoever asked for it to end a part of the work.
void forget_cancel();

// Lets other ready fibers and the loop run, then goes on.
void yield();

// Sleeps; `cancelled` when cut short. (rt::sleep_for(milliseconds(10)))
Wait sleep_for(Duration duration);

// Data that must follow the running fiber rather than the thread (the Lua room keeps the state it
// holds here): one pointer, null at the start of each fiber.
void*& fiber_local();

// Wakes a fiber from any thread. The fiber must not end before the handle was used or dropped:
// take it in the fiber that waits.
class WakeHandle {
 public:
  WakeHandle();  // for the running fiber
  void wake() const;

 private:
  class Worker* worker_;
  Fiber* fiber_;
};

}  // namespace rt

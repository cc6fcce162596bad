// Workers that are busy with one thing for so long that everything else on them waits. A thread of
// its own looks at a number that each worker's loop moves on and measures how busy it is; the loop
// itself never reads a clock for it. Said before Runtime::run(), in force while that runs.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "rt/time.h"

namespace rt {

struct Overdue {
  unsigned worker;
  Duration busy;     // with one thing, so far; what others take from it does not make it overdue
  Duration on_cpu;   // of it
  std::string what;  // from describe(); empty when nobody knew
};

// `tell` is called on the watchdog's thread, once when a worker has been busy for `limit` and each
// time that has doubled.
void watch_workers(Duration limit, std::function<void(const Overdue&)> tell);

// For signal handlers on a worker: whether somebody wants to know what it is busy with, and the
// answer, which is cut where it is too long.
bool asked_what() noexcept;
void describe(std::string_view what) noexcept;

// The share of the last tenth of a second and more, in percent, that this thread's worker computed,
// and that all of them did on average; 0 without the watchdog.
unsigned worker_load();
unsigned load_of_all();

// What a worker is doing, for any thread.
struct Activity {
  bool asleep = true;
  std::uint64_t steps = 0;  // turns of the loop and fibers resumed
  Duration on_cpu{};        // since its start
  unsigned load = 0;
};
Activity activity_of(unsigned worker);

}  // namespace rt

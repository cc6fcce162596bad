// What the calls of one registered function cost so far. Each worker counts for itself; "show lua"
// adds up. Lives as long as the process.
#pragma once

#include <cstdint>
#include <string>

#include "obs/counter.h"

namespace lua {

struct UsageCounters {
  obs::Count calls, errors;
  obs::Count time_ns;  // within the script, without waits
  obs::Count waits, wait_ns;
  obs::Count lock_waits, lock_wait_ns;  // for the state that others held
  obs::Count allocated;                 // bytes
};

using Usage = obs::PerWorker<UsageCounters>;

// Lines of "show lua".
struct UsageLine {
  std::string name;
  const char* kind;
  std::uint64_t calls, errors, time_us, waits, wait_us, lock_waits, lock_wait_us, allocated;
};
struct MemoryLine {
  std::string state;  // "shared", "worker 1"
  std::uint64_t bytes, limit;
};

}  // namespace lua

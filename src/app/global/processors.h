// The machine's processors, and which of them the workers take where cpu-map does not say (the
// manual's cpu-set, cpu-policy and cpu-affinity in section 3.1). Loading thread only.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace app {

struct Processor {
  unsigned number = 0;
  unsigned package = 0, node = 0;
  unsigned ccx = 0;       // those that share the last level of cache: its first processor
  unsigned cluster = 0;   // alike ones of a ccx, numbered through the machine
  unsigned core = 0;      // as the kernel numbers them, of its package
  unsigned thread = 0;    // of its core
  unsigned capacity = 0;  // against others; 0: the kernel does not know
  bool allowed = true;    // taskset and the like
};

// `root` is /sys/devices/system/cpu. Nothing where it cannot be read.
std::vector<Processor> read_processors(const std::string& root, const std::set<unsigned>& allowed);
// Those this process may run on.
std::set<unsigned> allowed_processors();

// "0-3,8": the numbers in order; an open end goes to `last`. False: this is no such list.
bool read_ranges(std::string_view list, unsigned last, std::set<unsigned>& numbers);

struct CpuSetStep {
  std::string directive;  // "drop-cpu" …; "reset" has no numbers
  std::set<unsigned> numbers;
};

struct PlacementWords {
  std::vector<CpuSetStep> cpu_set;
  std::string policy = "performance";
  bool one_thread_per_core = false;
  std::string affinity = "auto";
  bool inspects = true;      // numa-cpu-mapping
  bool count_fixed = false;  // nbthread: there is no policy then
};

struct Seats {
  unsigned count = 0;                         // of workers, unless that is fixed; 0: not known
  std::vector<std::vector<unsigned>> places;  // taken in turn; none: workers run anywhere
};

// What cpu-set leaves.
std::vector<Processor> usable_processors(std::vector<Processor> all, const PlacementWords& words);
Seats choose_processors(std::vector<Processor> all, const PlacementWords& words);

}  // namespace app

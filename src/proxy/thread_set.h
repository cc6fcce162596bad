// Which workers "thread" of a bind line names (the manual's section 5.1): "odd", "1-2,4", "1/3-".
// All workers are of group 1, where numbers of a group and of the process are the same.
#pragma once

#include <string_view>

#include "base/text.h"

namespace proxy {

// Of one range, without its group.
inline bool in_thread_range(std::string_view range, unsigned number) {
  if (range == "all") return true;
  if (range == "odd" || range == "even") return (number % 2 == 1) == (range == "odd");
  const std::size_t dash = range.find('-');
  const unsigned first = base::parse_int<unsigned>(range.substr(0, dash)).value_or(1);
  if (dash == range.npos) return number == first;
  const unsigned last = base::parse_int<unsigned>(range.substr(dash + 1)).value_or(1024);
  return first <= last ? number >= first && number <= last : number >= last && number <= first;
}

// Of a set that was checked before; an empty one holds all. `worker` counts from 0.
inline bool in_thread_set(std::string_view set, unsigned worker) {
  if (set.empty()) return true;
  while (!set.empty()) {
    std::string_view range = set.substr(0, set.find(','));
    set.remove_prefix(range.size() < set.size() ? range.size() + 1 : set.size());
    unsigned group = 1;
    if (const std::size_t slash = range.find('/'); slash != range.npos) {
      group = base::parse_int<unsigned>(range.substr(0, slash)).value_or(0);
      range.remove_prefix(slash + 1);
    }
    if (group == 1 && in_thread_range(range, worker + 1)) return true;
  }
  return false;
}

}  // namespace proxy

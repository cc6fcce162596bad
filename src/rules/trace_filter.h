// "filter trace" (manual section 9.1): tells on stderr of every call a filter gets, and may hold
// back a part of what passes. Shared by all workers, constant once the configuration is read.
#pragma once

#include <string>

#include "rules/filter.h"

namespace rules {

struct TraceFilterSettings {
  std::string name = "TRACE";
  bool quiet = false;              // no messages
  bool random_forwarding = false;  // only a random part of what could pass goes on
  bool hexdump = false;
  std::uint32_t most = 0;  // bytes that go on at a time ("max-fwd"); 0: all
};

// The row of "filter trace".
const FilterRow& trace_filter();

}  // namespace rules

// What other rooms hand to the engine; set through serve.h.
#pragma once

#include "proxy/serve.h"

namespace proxy {

StatsFactory stats_factory();

// A client connection of this worker has ended.
void place_is_free();

}  // namespace proxy

// What a fiber will use when it goes on: fetched into the first-level cache while the fiber before
// it runs, for meanwhile the kernel has used that cache. A hint; see docs/decisions/0009.
#pragma once

#include <cstddef>

#include "rt/fiber.h"

namespace rt {

// Until its body ends, or another call. The memory need not live as long. Loop of the fiber only.
void fetch_ahead(Fiber& fiber, const void* memory, std::size_t size);

}  // namespace rt

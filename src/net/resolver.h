// Names to addresses without stopping a thread. At start-up the system's resolver (getaddrinfo) is
// used directly; at run time the fiber waits while c-ares or a helper thread asks.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "net/address.h"
#include "rt/time.h"

namespace net {

// `family` AF_UNSPEC, AF_INET or AF_INET6. Outside a fiber it blocks. Empty on failure -> error
// text.
[[nodiscard]] base::Result<std::vector<Ip>> resolve(const std::string& name, int family,
                                                    rt::Instant deadline);

}  // namespace net

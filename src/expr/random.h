// Random numbers that are good enough for choices and identifiers, not for secrets. One generator a
// thread, seeded from the kernel.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/arena.h"

namespace expr {

std::uint64_t random_number();
// RFC 9562: version 4, or version 7 (ordered by time). 36 characters in the arena.
std::string_view make_uuid(bool version7, base::Arena& arena);

}  // namespace expr

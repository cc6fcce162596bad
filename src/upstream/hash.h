// The hash functions of "hash-type": the same keys must choose the same servers as everywhere else
// this configuration runs.
#pragma once

#include <cstdint>
#include <string_view>

#include "upstream/settings.h"

namespace upstream {

// HashFunction::none takes the number that the text begins with.
std::uint32_t hash_of(HashFunction function, std::string_view bytes);

}  // namespace upstream

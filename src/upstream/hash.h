// The hash functions of "hash-type": the same keys must choose the same servers as everywhere else
// this configuration runs.
#pragma once

#include <cstdint>
#include <string_view>

#include "upstream/settings.h"

namespace upstream {

std::uint32_t hash_sdbm(std::string_view bytes);
std::uint32_t hash_djb2(std::string_view bytes);
std::uint32_t hash_wt6(std::string_view bytes);
std::uint32_t hash_crc32(std::string_view bytes);
// HashFunction::none takes the number that the text begins with.
std::uint32_t hash_of(HashFunction function, std::string_view bytes);
// Bob Jenkins' full avalanche of an integer, spread over 32 bits ("avalanche").
std::uint32_t avalanche(std::uint32_t value);

}  // namespace upstream

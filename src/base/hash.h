// Hash functions that configurations name: they must give what they give everywhere else the same
// configuration runs. Not for security.
#pragma once

#include <cstdint>
#include <string_view>

namespace base {

std::uint32_t hash_crc32(std::string_view bytes);   // Ethernet, gzip
std::uint32_t hash_crc32c(std::string_view bytes);  // RFC 4960 appendix B
std::uint32_t hash_djb2(std::string_view bytes);
std::uint32_t hash_sdbm(std::string_view bytes);
std::uint32_t hash_wt6(std::string_view bytes);
// Bob Jenkins' full avalanche of an integer, spread over 32 bits.
std::uint32_t avalanche(std::uint32_t value);

}  // namespace base

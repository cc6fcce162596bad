// Which algorithms encrypted tokens may use (jwt.decrypt_alg_list, jwt.decrypt_enc_list).
#pragma once

#include <cstdint>
#include <string_view>

namespace expr {

using AlgorithmSet = std::uint32_t;  // a bit for each that is known
// RSA1_5 is weak and must be asked for (RFC 8725 section 3.2).
inline constexpr AlgorithmSet kUsualKeyManagement = ~AlgorithmSet{1};
inline constexpr AlgorithmSet kUsualContentEncryption = ~AlgorithmSet{0};

// Names between colons: "ALL", a name, or "!" and a name. What is not named is not in the set.
// Gives the first name that is unknown, else an empty text.
std::string_view read_key_management(std::string_view list, AlgorithmSet& out);
std::string_view read_content_encryption(std::string_view list, AlgorithmSet& out);

// The same for the whole process; said once the settings are known.
void allow_in_tokens(AlgorithmSet key_management, AlgorithmSet content_encryption);

}  // namespace expr

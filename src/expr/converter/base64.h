// Base64 and base64url (RFC 4648) into an arena.
#pragma once

#include <string_view>

#include "base/arena.h"

namespace expr::converter {

// With padding unless `url`.
std::string_view base64_encode(std::string_view bytes, bool url, base::Arena& arena);
// Padding is required unless `url`; false on anything else than the alphabet.
bool base64_decode(std::string_view text, bool url, base::Arena& arena, std::string_view& out);

}  // namespace expr::converter

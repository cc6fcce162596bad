// The cookie of the connection request that RDP clients send first (MS-RDPBCGR section 2.2.1.1:
// TPKT, X.224 CR, "Cookie: <name>=<value>" CR LF). Pure; any thread.
#pragma once

#include <optional>
#include <string_view>

#include "net/address.h"

namespace upstream {

std::optional<std::string_view> rdp_cookie(std::string_view bytes, std::string_view name);

// The server that a terminal server's token names, "<address>.<port>.0000": both numbers are
// decimal, of the network's bytes with the first one lowest. None when it is no such token.
net::Address address_of_rdp_token(std::string_view value);

}  // namespace upstream

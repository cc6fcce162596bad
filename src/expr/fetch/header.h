// What other readers of header fields share with the fetches of headers.
#pragma once

#include <string_view>

#include "net/address.h"

namespace expr::fetch {

// An address as X-Forwarded-For and Forwarded write it (RFC 7239 section 6): IPv6 possibly in
// brackets, possibly a port behind. Family 0 when it is none.
net::Ip parse_forwarded_ip(std::string_view text);

}  // namespace expr::fetch

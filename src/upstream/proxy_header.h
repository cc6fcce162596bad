// The PROXY header that a server with send-proxy gets in front of the bytes.
#pragma once

#include <string>

#include "upstream/backend.h"

namespace upstream {

// For traffic of `exchange`. Evaluates set-proxy-v2-tlv-fmt.
std::string proxy_header_for(const Server& server, txn::Exchange& exchange);
// For a check over `connection`: the proxy speaks for itself (LOCAL, or PROXY UNKNOWN).
// `as_client`: as if it were a client of its own (pp2-never-send-local).
std::string proxy_header_for_check(int version, const net::Connection& connection, bool as_client);

}  // namespace upstream

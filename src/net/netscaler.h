// The NetScaler client IP insertion protocol (haproxy's
// doc/netscaler-client-ip-insertion-protocol.txt), in its legacy and its standard form. Sans I/O.
#pragma once

#include <cstdint>
#include <string_view>

#include "net/address.h"

namespace net {

struct NetscalerHeader {
  Address source, destination;
};

enum class NetscalerParse : std::uint8_t { complete, need_more, wrong_magic, wrong_protocol };

// `magic` is what both sides have agreed upon. `consumed` is set when complete.
NetscalerParse parse_netscaler_header(std::string_view bytes, std::uint32_t magic,
                                      NetscalerHeader& out, std::size_t& consumed);

}  // namespace net

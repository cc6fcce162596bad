// The PROXY protocol, versions 1 and 2 with TLVs (haproxy's doc/proxy-protocol.txt). Sans I/O.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "net/address.h"

namespace net {

struct ProxyTlv {
  std::uint8_t type;
  std::string value;
};

struct ProxyHeader {
  bool local = false;            // LOCAL / UNKNOWN: keep the connection's own addresses
  Address source, destination;
  std::vector<ProxyTlv> tlvs;    // version 2
};

enum class ProxyParse : std::uint8_t { complete, need_more, malformed };
// `consumed` is set when complete. CRC32c TLVs are verified.
ProxyParse parse_proxy_header(std::string_view bytes, ProxyHeader& out, std::size_t& consumed);
std::string write_proxy_v1(const ProxyHeader& header);
std::string write_proxy_v2(const ProxyHeader& header);

}  // namespace net

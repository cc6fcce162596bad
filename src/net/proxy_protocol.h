// The PROXY protocol, versions 1 and 2 with TLVs (haproxy's doc/proxy-protocol.txt). Sans I/O.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "net/address.h"

namespace net {

// Section 2.2: the registered types.
enum ProxyTlvType : std::uint8_t {
  kProxyAlpn = 0x01,
  kProxyAuthority = 0x02,
  kProxyCrc32c = 0x03,
  kProxyNoop = 0x04,
  kProxyUniqueId = 0x05,
  kProxySsl = 0x20,
  kProxyNetns = 0x30,
};

struct ProxyTlv {
  std::uint8_t type;
  std::string value;
};

struct ProxyHeader {
  bool local = false;  // LOCAL / UNKNOWN: keep the connection's own addresses
  Address source, destination;
  std::vector<ProxyTlv> tlvs;  // version 2
};

enum class ProxyParse : std::uint8_t { complete, need_more, malformed };
// `consumed` is set when complete. CRC32c TLVs are verified.
ProxyParse parse_proxy_header(std::string_view bytes, ProxyHeader& out, std::size_t& consumed);

// Without two IP addresses version 1 says UNKNOWN; an IPv4 address beside an IPv6 one is written as
// a mapped IPv6 address (RFC 4291 section 2.5.5.2).
std::string write_proxy_v1(const ProxyHeader& header);
// A TLV of type kProxyCrc32c, whatever its value, has the checksum written.
std::string write_proxy_v2(const ProxyHeader& header);

}  // namespace net

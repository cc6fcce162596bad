#include "net/netscaler.h"

#include <cstring>

namespace net {

namespace {

constexpr std::size_t kMagic = 4, kLength = 4;
constexpr std::size_t kLegacy = kMagic + kLength;
constexpr std::size_t kStandard = kLegacy + 4;  // type and length of the headers
constexpr std::size_t kLeast4 = 20, kWhole6 = 40, kLeastTcp = 20;
constexpr unsigned kTcp = 6;
constexpr std::size_t kMost = 8192;  // beyond any pair of headers, below any buffer

unsigned byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}
std::uint16_t short_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}
std::uint32_t word_at(std::string_view bytes, std::size_t at) {
  return std::uint32_t{short_at(bytes, at)} << 16 | short_at(bytes, at + 2);
}

unsigned ip_version(std::string_view bytes, std::size_t at) { return byte_at(bytes, at) >> 4; }

template <class Raw>
Ip ip_at(std::string_view bytes, std::size_t at) {
  Raw raw;
  std::memcpy(&raw, bytes.data() + at, sizeof raw);
  return Ip::from(raw);
}

// The client's IP header and the beginning of its TCP header.
bool read_headers(std::string_view headers, NetscalerHeader& out) {
  const bool six = ip_version(headers, 0) == 6;
  const std::size_t size = six ? kWhole6 : (byte_at(headers, 0) & 15) * std::size_t{4};
  if (size < kLeast4 || headers.size() < size + kLeastTcp) return false;
  if (byte_at(headers, six ? 6 : 9) != kTcp) return false;
  const Ip from = six ? ip_at<in6_addr>(headers, 8) : ip_at<in_addr>(headers, 12);
  const Ip to = six ? ip_at<in6_addr>(headers, 24) : ip_at<in_addr>(headers, 16);
  out.source = Address::of(from, short_at(headers, size));
  out.destination = Address::of(to, short_at(headers, size + 2));
  return true;
}

}  // namespace

NetscalerParse parse_netscaler_header(std::string_view bytes, std::uint32_t magic,
                                      NetscalerHeader& out, std::size_t& consumed) {
  if (bytes.size() < kMagic) return NetscalerParse::need_more;
  if (word_at(bytes, 0) != magic) return NetscalerParse::wrong_magic;
  if (bytes.size() <= kLegacy) return NetscalerParse::need_more;
  // The legacy form has the IP header there, the standard one the high byte of its type.
  const bool legacy = ip_version(bytes, kLegacy) == 4 || ip_version(bytes, kLegacy) == 6;
  const std::size_t start = legacy ? kLegacy : kStandard;
  if (bytes.size() <= start) return NetscalerParse::need_more;
  const unsigned version = ip_version(bytes, start);
  const std::size_t length = legacy ? word_at(bytes, kMagic) : short_at(bytes, kStandard - 2);
  if ((version != 4 && version != 6) || length < kLeast4 + kLeastTcp || length > kMost)
    return NetscalerParse::wrong_protocol;
  if (bytes.size() - start < length) return NetscalerParse::need_more;
  if (!read_headers(bytes.substr(start, length), out)) return NetscalerParse::wrong_protocol;
  consumed = start + length;
  return NetscalerParse::complete;
}

}  // namespace net

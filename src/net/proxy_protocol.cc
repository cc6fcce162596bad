#include "net/proxy_protocol.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "base/hash.h"
#include "base/text.h"

namespace net {

namespace {

constexpr std::string_view kLine = "PROXY ";
constexpr std::string_view kSignature{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::size_t kLongestLine = 107;  // section 2.1
constexpr std::size_t kFixed = 16;         // of a binary header, section 2.2
constexpr std::size_t kUnixPath = 108;
constexpr std::uint32_t kChecksumSize = 4;

// ---- version 1 ----

std::string_view next_word(std::string_view& line) {
  const std::size_t space = line.find(' ');
  const std::string_view word = line.substr(0, space);
  line.remove_prefix(space == line.npos ? line.size() : space + 1);
  return word;
}

std::optional<std::uint16_t> strict_port(std::string_view text) {
  if (text.size() > 1 && text[0] == '0') return std::nullopt;
  return base::parse_int<std::uint16_t>(text);
}

bool parse_line(std::string_view line, ProxyHeader& out) {
  line.remove_prefix(kLine.size());
  const std::string_view protocol = next_word(line);
  if (protocol == "UNKNOWN") {
    out.local = true;
    return true;
  }
  const int family = protocol == "TCP4" ? AF_INET : protocol == "TCP6" ? AF_INET6 : 0;
  const Ip source = Ip::parse(next_word(line));
  const Ip destination = Ip::parse(next_word(line));
  const auto source_port = strict_port(next_word(line));
  const auto destination_port = strict_port(line);
  if (family == 0 || source.family != family || destination.family != family || !source_port ||
      !destination_port)
    return false;
  out.source = Address::of(source, *source_port);
  out.destination = Address::of(destination, *destination_port);
  return true;
}

ProxyParse parse_v1(std::string_view bytes, ProxyHeader& out, std::size_t& consumed) {
  const std::size_t end = bytes.substr(0, kLongestLine).find('\n');
  if (end == bytes.npos)
    return bytes.size() >= kLongestLine ? ProxyParse::malformed : ProxyParse::need_more;
  if (bytes[end - 1] != '\r' || !parse_line(bytes.substr(0, end - 1), out))
    return ProxyParse::malformed;
  consumed = end + 1;
  return ProxyParse::complete;
}

// ---- version 2 ----

unsigned byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}
std::uint16_t number_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}
void put_number(std::string& out, std::size_t number) {
  out += static_cast<char>(number >> 8);
  out += static_cast<char>(number);
}

Ip ip_at(std::string_view bytes, std::size_t at, std::size_t size) {
  if (size == sizeof(in_addr)) {
    in_addr four;
    std::memcpy(&four, bytes.data() + at, sizeof four);
    return Ip::from(four);
  }
  in6_addr six;
  std::memcpy(&six, bytes.data() + at, sizeof six);
  return Ip::from(six);
}

Address unix_at(std::string_view bytes, std::size_t at) {
  std::string_view path = bytes.substr(at, kUnixPath);
  auto kind = Address::Kind::unix_path;
  if (path.size() > 1 && path[0] == 0 && path[1] != 0) {
    kind = Address::Kind::abstract;
    path.remove_prefix(1);
  }
  return Address::unix_socket(kind, path.substr(0, path.find('\0')));
}

// The size of the address block of `family` (the high half of the 14th byte).
std::size_t block_size(unsigned family) {
  return family == 1 ? 12 : family == 2 ? 36 : family == 3 ? 2 * kUnixPath : 0;
}

void read_addresses(std::string_view block, unsigned family, ProxyHeader& out) {
  if (family == 3) {
    out.source = unix_at(block, 0);
    out.destination = unix_at(block, kUnixPath);
    return;
  }
  const std::size_t size = family == 1 ? sizeof(in_addr) : sizeof(in6_addr);
  out.source = Address::of(ip_at(block, 0, size), number_at(block, 2 * size));
  out.destination = Address::of(ip_at(block, size, size), number_at(block, 2 * size + 2));
}

bool checksum_matches(std::string_view header, std::size_t at) {
  std::uint32_t told = 0;
  for (std::size_t i = 0; i < kChecksumSize; ++i) told = told << 8 | byte_at(header, at + i);
  std::string copy(header);
  std::fill_n(copy.begin() + static_cast<std::ptrdiff_t>(at), kChecksumSize, '\0');
  return base::hash_crc32c(copy) == told;
}

bool read_tlvs(std::string_view header, std::size_t at, ProxyHeader& out) {
  while (at < header.size()) {
    if (header.size() - at < 3) return false;
    const auto type = static_cast<std::uint8_t>(byte_at(header, at));
    const std::size_t size = number_at(header, at + 1);
    at += 3;
    if (header.size() - at < size) return false;
    if (type == kProxyCrc32c && (size != kChecksumSize || !checksum_matches(header, at)))
      return false;
    if (type != kProxyNoop) out.tlvs.push_back({type, std::string(header.substr(at, size))});
    at += size;
  }
  return true;
}

ProxyParse parse_v2(std::string_view bytes, ProxyHeader& out, std::size_t& consumed) {
  if (bytes.size() < kFixed) return ProxyParse::need_more;
  const unsigned version = byte_at(bytes, 12) >> 4, command = byte_at(bytes, 12) & 15;
  const unsigned family = byte_at(bytes, 13) >> 4, transport = byte_at(bytes, 13) & 15;
  if (version != 2 || command > 1 || family > 3 || transport > 2) return ProxyParse::malformed;
  const std::size_t size = kFixed + number_at(bytes, 14);
  if (bytes.size() < size) return ProxyParse::need_more;
  const std::string_view header = bytes.substr(0, size);
  consumed = size;
  if (command == 0 || family == 0 || transport != 1) {
    out.local = true;
    return ProxyParse::complete;
  }
  const std::size_t block = block_size(family);
  if (size < kFixed + block) return ProxyParse::malformed;
  read_addresses(header.substr(kFixed, block), family, out);
  return read_tlvs(header, kFixed + block, out) ? ProxyParse::complete : ProxyParse::malformed;
}

bool could_become(std::string_view bytes, std::string_view start) {
  const std::size_t size = std::min(bytes.size(), start.size());
  return bytes.substr(0, size) == start.substr(0, size);
}

// ---- writing ----

in6_addr mapped(const Ip& ip) {
  if (ip.family == AF_INET6) return ip.v6;
  in6_addr six{};
  six.s6_addr[10] = six.s6_addr[11] = 0xff;
  std::memcpy(&six.s6_addr[12], &ip.v4, sizeof ip.v4);
  return six;
}

// Both addresses in one family.
std::pair<Ip, Ip> of_one_family(const Address& a, const Address& b) {
  if (a.kind() == b.kind()) return {a.ip(), b.ip()};
  return {Ip::from(mapped(a.ip())), Ip::from(mapped(b.ip()))};
}

void put_ip(std::string& out, const Ip& ip) {
  if (ip.family == AF_INET)
    out.append(reinterpret_cast<const char*>(&ip.v4), sizeof ip.v4);
  else
    out.append(reinterpret_cast<const char*>(&ip.v6), sizeof ip.v6);
}

void put_unix(std::string& out, const Address& address) {
  std::string field(address.kind() == Address::Kind::unix_path ? "" : std::string(1, '\0'));
  field += address.path();
  field.resize(kUnixPath);
  out += field;
}

char put_addresses(std::string& out, const ProxyHeader& header) {
  const Address &source = header.source, &destination = header.destination;
  if (source.is_ip() && destination.is_ip()) {
    const auto [from, to] = of_one_family(source, destination);
    put_ip(out, from);
    put_ip(out, to);
    put_number(out, source.port());
    put_number(out, destination.port());
    return from.family == AF_INET ? '\x11' : '\x21';
  }
  if (!source.is_unix() || !destination.is_unix()) return '\0';
  put_unix(out, source);
  put_unix(out, destination);
  return '\x31';
}

}  // namespace

ProxyParse parse_proxy_header(std::string_view bytes, ProxyHeader& out, std::size_t& consumed) {
  out = {};
  if (could_become(bytes, kLine))
    return bytes.size() < kLine.size() ? ProxyParse::need_more : parse_v1(bytes, out, consumed);
  if (could_become(bytes, kSignature)) return parse_v2(bytes, out, consumed);
  return ProxyParse::malformed;
}

std::string write_proxy_v1(const ProxyHeader& header) {
  if (header.local || !header.source.is_ip() || !header.destination.is_ip())
    return "PROXY UNKNOWN\r\n";
  const auto [from, to] = of_one_family(header.source, header.destination);
  return fmt::format("PROXY TCP{} {} {} {} {}\r\n", from.family == AF_INET ? 4 : 6, from.text(),
                     to.text(), header.source.port(), header.destination.port());
}

std::string write_proxy_v2(const ProxyHeader& header) {
  std::string out(kSignature);
  out += header.local ? '\x20' : '\x21';
  out.append(3, '\0');
  if (!header.local) out[13] = put_addresses(out, header);
  std::optional<std::size_t> checksum;
  for (const ProxyTlv& tlv : header.tlvs) {
    const bool is_checksum = tlv.type == kProxyCrc32c;
    const std::size_t size =
        is_checksum ? kChecksumSize : std::min<std::size_t>(tlv.value.size(), 65535);
    out += static_cast<char>(tlv.type);
    put_number(out, size);
    if (is_checksum) checksum = out.size();
    out += is_checksum ? std::string(kChecksumSize, '\0') : tlv.value.substr(0, size);
  }
  const std::size_t length = out.size() - kFixed;
  out[14] = static_cast<char>(length >> 8);
  out[15] = static_cast<char>(length);
  if (checksum) {
    const std::uint32_t sum = base::hash_crc32c(out);
    for (unsigned i = 0; i < kChecksumSize; ++i)
      out[*checksum + i] = static_cast<char>(sum >> (24 - 8 * i));
  }
  return out;
}

}  // namespace net

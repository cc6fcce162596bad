#include "upstream/rdp_cookie.h"

#include <endian.h>

#include "base/text.h"

namespace upstream {

namespace {

constexpr std::size_t kHeaders = 4 + 7;  // TPKT and X.224 connection request

}  // namespace

std::optional<std::string_view> rdp_cookie(std::string_view bytes, std::string_view name) {
  if (bytes.size() <= kHeaders || bytes[0] != 3) return std::nullopt;
  bytes.remove_prefix(kHeaders);
  if (!base::istarts_with(bytes, "Cookie:")) return std::nullopt;
  bytes.remove_prefix(7);
  while (!bytes.empty() && bytes.front() == ' ') bytes.remove_prefix(1);
  const std::size_t equals = bytes.find('=');
  if (equals == std::string_view::npos || !base::iequals(bytes.substr(0, equals), name))
    return std::nullopt;
  bytes.remove_prefix(equals + 1);
  const std::size_t end = bytes.find_first_of("\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  return bytes.substr(0, end);
}

net::Address address_of_rdp_token(std::string_view value) {
  const std::size_t dot = value.find('.');
  if (dot == std::string_view::npos) return {};
  const auto address = base::parse_int<std::uint32_t>(value.substr(0, dot));
  std::string_view rest = value.substr(dot + 1);
  const auto port = base::parse_int<std::uint16_t>(rest.substr(0, rest.find('.')));
  if (!address || !port) return {};
  const auto ip = net::Ip::from(in_addr{htole32(*address)});
  return net::Address::of(ip, be16toh(htole16(*port)));
}

}  // namespace upstream

#include "lua/destination.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "net/resolver.h"

namespace lua {

base::Result<Destination> Destination::parse(const std::string& text, int port) {
  // With a port of its own an address of IPv6 needs no brackets.
  const net::Ip plain = port < 0 ? net::Ip() : net::Ip::parse(text);
  if (plain.family != 0) {
    Destination out;
    out.port_ = static_cast<std::uint16_t>(port);
    out.address_ = net::Address::of(plain, out.port_);
    return out;
  }
  auto spec = net::parse_address(text);
  if (!spec) return base::fail(fmt::format("cannot parse destination address '{}'", text));
  Destination out;
  const bool is_ip = spec->kind == net::Address::Kind::none ||
                     spec->kind == net::Address::Kind::ipv4 ||
                     spec->kind == net::Address::Kind::ipv6;
  if (!is_ip) {
    if (spec->kind == net::Address::Kind::inherited_fd) {
      const auto fd = base::parse_int<int>(spec->host);
      if (!fd) return base::fail(fmt::format("cannot parse destination address '{}'", text));
      out.address_ = net::Address::inherited(*fd);
    } else {
      out.address_ = net::Address::unix_socket(spec->kind, spec->host);
    }
    return out;
  }
  if (port >= 0)
    out.port_ = static_cast<std::uint16_t>(port);
  else if (spec->has_port && !spec->has_offset)
    out.port_ = spec->port_low;
  else
    return base::fail(std::string("port missing"));
  const net::Ip ip = net::Ip::parse(spec->host);
  if (ip.family != 0) {
    out.address_ = net::Address::of(ip, out.port_);
  } else {
    if (spec->host.empty())
      return base::fail(fmt::format("cannot parse destination address '{}'", text));
    out.name_ = spec->host;
    out.family_ = spec->family;
  }
  return out;
}

base::Result<std::unique_ptr<net::Connection>, net::IoError> Destination::connect(rt::Instant until,
                                                                                  int first) const {
  if (name_.empty()) return net::connect(address_, {}, until);
  auto found = net::resolve(name_, family_, until);
  if (!found || found->empty()) return tl::unexpected(net::IoError::unreachable);
  if (first != 0)
    std::stable_partition(found->begin(), found->end(),
                          [first](const net::Ip& ip) { return ip.family == first; });
  base::Result<std::unique_ptr<net::Connection>, net::IoError> last =
      tl::unexpected(net::IoError::unreachable);
  for (const net::Ip& ip : *found) {
    last = net::connect(net::Address::of(ip, port_), {}, until);
    if (last || last.error() == net::IoError::timed_out || last.error() == net::IoError::cancelled)
      return last;
  }
  return last;
}

}  // namespace lua

#include "upstream/resolve.h"

#include <fmt/format.h>

#include "config/diagnostics.h"
#include "net/resolver.h"

namespace upstream {

namespace {

net::Address address_of(const net::AddressSpec& spec) {
  using Kind = net::Address::Kind;
  switch (spec.kind) {
    case Kind::unix_path:
    case Kind::abstract:
    case Kind::abstract_z:
      return net::Address::unix_socket(spec.kind, spec.host);
    case Kind::inherited_fd:
      break;
    case Kind::ipv4:
    case Kind::ipv6:
      return net::Address::of(net::Ip::parse(spec.host), spec.port_low);
    case Kind::none:
      break;
  }
  return {};
}

// One way of init-addr; true when it gave an address.
bool try_way(const std::string& way, Server& server, const StateFile& file, net::Ip& out) {
  const net::AddressSpec& spec = server.settings().spec;
  if (way == "last") {
    const std::string text = file.address_of(server);
    if (!text.empty()) out = net::Ip::parse(text);
    return out.family != 0;
  }
  if (way == "libc") {
    const auto found = net::resolve(spec.host, spec.family, rt::kNever);
    if (!found || found->empty()) return false;
    out = found->front();
    return true;
  }
  out = net::Ip::parse(way);
  return out.family != 0;
}

}  // namespace

bool resolve_at_start(Server& server, const StateFile& file, config::Diagnostics& diagnostics) {
  const ServerSettings& settings = server.settings();
  const net::AddressSpec& spec = settings.spec;
  state::Server& st = server.state();
  if (spec.any) {
    const bool six = spec.family == AF_INET6;
    const net::Ip any = net::Ip::parse(six ? "::" : "0.0.0.0");
    server.change_address(net::Address::of(any, spec.port_low));
    return true;
  }
  const net::Ip numeric = net::Ip::parse(spec.host);
  if (spec.kind != net::Address::Kind::none || numeric.family != 0) {
    server.change_address(spec.kind == net::Address::Kind::none
                              ? net::Address::of(numeric, spec.port_low)
                              : address_of(spec));
    return true;
  }
  st.hostname = spec.host;
  static const std::vector<std::string> kUsual{"last", "libc"};
  const auto& ways = settings.init_addr.empty() ? kUsual : settings.init_addr;
  for (const std::string& way : ways) {
    if (way == "none") {
      st.admin |= state::kResolutionMaintenance;
      st.oper = state::OperState::stopped;
      return true;
    }
    net::Ip ip;
    if (!try_way(way, server, file, ip)) continue;
    server.change_address(net::Address::of(ip, spec.port_low));
    return true;
  }
  diagnostics.alert(settings.at, fmt::format("server '{}/{}': could not resolve address '{}'",
                                             server.backend().state().name, st.name, spec.host));
  return false;
}

}  // namespace upstream

#include <fmt/format.h>

#include <cstdlib>

#include "base/text.h"
#include "net/address.h"

namespace net {

namespace {

enum class Form : unsigned char { ip, unix_path, abstract, abstract_z, descriptor };
enum class Transport : unsigned char { unsaid, stream, multipath, datagram };

struct Prefix {
  std::string_view text;
  Form form;
  int family;
  Transport transport;
};

constexpr Prefix kPrefixes[] = {
    {"ip@", Form::ip, AF_UNSPEC, Transport::unsaid},
    {"ipv4@", Form::ip, AF_INET, Transport::unsaid},
    {"ipv6@", Form::ip, AF_INET6, Transport::unsaid},
    {"unix@", Form::unix_path, AF_UNIX, Transport::unsaid},
    {"abns@", Form::abstract, AF_UNIX, Transport::unsaid},
    {"abnsz@", Form::abstract_z, AF_UNIX, Transport::unsaid},
    {"fd@", Form::descriptor, AF_UNSPEC, Transport::unsaid},
    {"tcp@", Form::ip, AF_UNSPEC, Transport::stream},
    {"tcp4@", Form::ip, AF_INET, Transport::stream},
    {"tcp6@", Form::ip, AF_INET6, Transport::stream},
    {"mptcp@", Form::ip, AF_UNSPEC, Transport::multipath},
    {"mptcp4@", Form::ip, AF_INET, Transport::multipath},
    {"mptcp6@", Form::ip, AF_INET6, Transport::multipath},
    {"udp@", Form::ip, AF_UNSPEC, Transport::datagram},
    {"udp4@", Form::ip, AF_INET, Transport::datagram},
    {"udp6@", Form::ip, AF_INET6, Transport::datagram},
    {"uxst@", Form::unix_path, AF_UNIX, Transport::stream},
    {"uxdg@", Form::unix_path, AF_UNIX, Transport::datagram},
};

constexpr std::string_view kUnsupported[] = {
    "quic4@", "quic6@", "quic+", "rhttp@", "sockpair@",
};

constexpr std::size_t kLongestPath = 107;

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

base::Result<std::uint16_t> parse_port(std::string_view text) {
  for (const char c : text)
    if (!base::is_digit(c))
      return base::fail(fmt::format("invalid character '{}' in port number '{}'", c, text));
  const auto port = base::parse_int<std::uint16_t>(text);
  if (!port) return base::fail(fmt::format("invalid port '{}'", text));
  return *port;
}

base::Result<void> parse_ports(std::string_view text, AddressSpec& spec) {
  if (text.empty()) return {};
  if (text[0] == '+' || text[0] == '-') {
    const std::string_view number = text.substr(1);
    auto offset = number.empty() ? base::Result<std::uint16_t>(0) : parse_port(number);
    if (!offset) return base::fail(std::move(offset.error()));
    spec.has_offset = true;
    spec.port_offset = text[0] == '+' ? *offset : -*offset;
    return {};
  }
  const std::size_t dash = text.find('-');
  auto low = parse_port(text.substr(0, dash));
  if (!low) return base::fail(std::move(low.error()));
  auto high = dash == text.npos ? low : parse_port(text.substr(dash + 1));
  if (!high) return base::fail(std::move(high.error()));
  if (*high < *low) return base::fail(fmt::format("invalid port range '{}'", text));
  spec.has_port = true;
  spec.port_low = *low;
  spec.port_high = *high;
  return {};
}

// The port is what follows the last colon, also after an IPv6 address without brackets.
base::Result<void> parse_ip(std::string_view text, AddressSpec& spec) {
  std::string_view host = text;
  const std::size_t colon = text.rfind(':');
  const bool bracketed = text.ends_with(']') && text.starts_with('[');
  if (colon != text.npos && !bracketed) {
    host = text.substr(0, colon);
    if (auto ok = parse_ports(text.substr(colon + 1), spec); !ok) return ok;
  }
  const std::string_view as_written = host;
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  spec.any = host.empty() || host == "*";
  if (spec.any) return {};
  const Ip ip = Ip::parse(host);
  const bool wrong_family = ip.family != 0 && spec.family != AF_UNSPEC && spec.family != ip.family;
  if (wrong_family || (ip.family == 0 && host.find_first_of(":[]%@/ ") != host.npos))
    return base::fail(fmt::format("invalid address: '{}'", as_written));
  spec.host = host;
  if (ip.family == 0) return {};
  spec.kind = ip.family == AF_INET ? Address::Kind::ipv4 : Address::Kind::ipv6;
  spec.family = ip.family;
  return {};
}

base::Result<void> parse_unix(std::string_view path, Form form, AddressSpec& spec) {
  if (path.size() > kLongestPath)
    return base::fail(fmt::format("socket path '{}' too long (max {})", path, kLongestPath));
  if (form == Form::unix_path && path.empty()) return base::fail(std::string("empty socket path"));
  spec.family = AF_UNIX;
  spec.host = path;
  spec.kind = form == Form::unix_path  ? Address::Kind::unix_path
              : form == Form::abstract ? Address::Kind::abstract
                                       : Address::Kind::abstract_z;
  return {};
}

base::Result<void> parse_descriptor(std::string_view number, AddressSpec& spec) {
  const auto fd = base::parse_int<int>(number);
  if (!fd || *fd < 0)
    return base::fail(fmt::format("file descriptor '{}' is not a valid integer", number));
  spec.kind = Address::Kind::inherited_fd;
  spec.host = number;
  return {};
}

// "$NAME" and "${NAME}" stand for variables of the environment; those not set are empty.
std::string expand(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t dollar = text.find('$');
    out += text.substr(0, dollar);
    if (dollar == text.npos) break;
    text.remove_prefix(dollar + 1);
    const bool braces = take(text, "{");
    std::size_t size = 0;
    while (size < text.size() &&
           (base::is_alpha(text[size]) || base::is_digit(text[size]) || text[size] == '_'))
      ++size;
    if (const char* value = std::getenv(std::string(text.substr(0, size)).c_str())) out += value;
    text.remove_prefix(size);
    if (braces) take(text, "}");
  }
  return out;
}

}  // namespace

base::Result<AddressSpec> parse_address(std::string_view written) {
  std::string expanded;
  std::string_view text = written;
  if (written.find('$') != written.npos) text = expanded = expand(written);
  for (const std::string_view prefix : kUnsupported)
    if (text.starts_with(prefix))
      return base::fail(fmt::format("address prefix '{}' is not supported", prefix));

  AddressSpec spec;
  std::string_view rest = text;
  spec.is_stream = take(rest, "stream+");
  spec.is_datagram = !spec.is_stream && take(rest, "dgram+");
  Form form = rest.starts_with('/') ? Form::unix_path : Form::ip;
  for (const Prefix& prefix : kPrefixes)
    if (take(rest, prefix.text)) {
      form = prefix.form;
      spec.family = prefix.family;
      spec.is_multipath = prefix.transport == Transport::multipath;
      if (prefix.transport == Transport::stream || spec.is_multipath) spec.is_stream = true;
      if (prefix.transport == Transport::datagram) spec.is_datagram = true;
      break;
    }
  if (spec.is_stream && spec.is_datagram)
    return base::fail(std::string("stream and datagram prefixes exclude each other"));
  const base::Result<void> parsed = form == Form::ip           ? parse_ip(rest, spec)
                                    : form == Form::descriptor ? parse_descriptor(rest, spec)
                                                               : parse_unix(rest, form, spec);
  if (!parsed) return base::fail(parsed.error());
  return spec;
}

Address literal_address(const AddressSpec& spec, std::uint16_t port) {
  switch (spec.kind) {
    case Address::Kind::none:
      break;
    case Address::Kind::ipv4:
    case Address::Kind::ipv6:
      return Address::of(Ip::parse(spec.host), port);
    case Address::Kind::unix_path:
    case Address::Kind::abstract:
    case Address::Kind::abstract_z:
      return Address::unix_socket(spec.kind, spec.host);
    case Address::Kind::inherited_fd:
      return Address::inherited(base::parse_int<int>(spec.host).value_or(-1));
  }
  if (!spec.any) return {};
  return Address::of(spec.family == AF_INET6 ? Ip::from(in6addr_any) : Ip::from(in_addr{}), port);
}

}  // namespace net

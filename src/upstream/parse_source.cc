#include "upstream/parse_source.h"

#include <fmt/format.h>

#include "base/text.h"

namespace upstream {

namespace {

bool to_address(config::Arguments& args, std::string_view text, net::Address& out,
                std::shared_ptr<net::SourcePorts>* ports = nullptr) {
  const auto spec = net::parse_address(text);
  if (!spec) return args.error_at_previous(fmt::format("'source': {}", spec.error()));
  if (spec->port_high > spec->port_low) {
    if (ports == nullptr)
      return args.error_at_previous(
          fmt::format("'source': port range not permitted here in '{}'", text));
    *ports = std::make_shared<net::SourcePorts>(spec->port_low, spec->port_high);
  }
  if (spec->kind != net::Address::Kind::none && spec->kind != net::Address::Kind::ipv4 &&
      spec->kind != net::Address::Kind::ipv6) {
    out = net::Address::unix_socket(spec->kind, spec->host);
    return true;
  }
  const net::Ip ip =
      net::Ip::parse(spec->any ? (spec->family == AF_INET6 ? "::" : "0.0.0.0") : spec->host);
  if (ip.family == 0)
    return args.error_at_previous(fmt::format("'source' expects an IP address, not '{}'", text));
  // 0.0.0.0 leaves the choice to the system.
  const bool any = spec->any || ip == net::Ip::parse("0.0.0.0") || ip == net::Ip::parse("::");
  out = any && spec->port_low == 0 ? net::Address() : net::Address::of(ip, spec->port_low);
  return true;
}

bool parse_usesrc(config::Arguments& args, SourceSettings& source) {
  using From = SourceSettings::From;
  const auto text = args.text("usesrc");
  if (!text) return false;
  if (*text == "client") {
    source.use = From::client;
  } else if (*text == "clientip") {
    source.use = From::client_ip;
  } else if (text->starts_with("hdr_ip(") && text->ends_with(')')) {
    std::string_view inside = text->substr(7, text->size() - 8);
    const std::size_t comma = inside.find(',');
    source.use = From::header;
    source.header = base::to_lower(base::trim(inside.substr(0, comma)));
    source.occurrence = -1;
    if (comma != std::string_view::npos) {
      const auto occurrence = base::parse_int<int>(base::trim(inside.substr(comma + 1)));
      if (!occurrence) return args.error_at_previous("'hdr_ip' expects a header name and a number");
      source.occurrence = *occurrence;
    }
    if (source.header.empty()) return args.error_at_previous("'hdr_ip' expects a header name");
  } else {
    source.use = From::address;
    return to_address(args, *text, source.transparent);
  }
  return true;
}

}  // namespace

bool parse_source(config::Arguments& args, net::ConnectOptions& connect, SourceSettings& source,
                  bool ranges) {
  const auto text = args.text("source");
  connect.source_ports.reset();
  // Of a server only, whose connections are few enough for it (manual, "source").
  if (!text || !to_address(args, *text, connect.source, ranges ? &connect.source_ports : nullptr))
    return false;
  source = {};
  connect.interface.clear();
  while (!args.done()) {
    if (args.accept("usesrc")) {
      if (!parse_usesrc(args, source)) return false;
    } else if (args.accept("interface")) {
      const auto name = args.text("interface");
      if (!name) return false;
      connect.interface = *name;
    } else {
      break;  // on a server's line other settings follow
    }
  }
  return true;
}

}  // namespace upstream

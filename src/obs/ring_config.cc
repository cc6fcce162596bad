#include "obs/ring_config.h"

#include <fmt/format.h>

#include "config/arguments.h"
#include "net/resolver.h"
#include "obs/log_config.h"

namespace obs {
namespace {

constexpr std::size_t kForwardingSize = 65536;

// An address of a stream server: TCP with a port, or a unix path.
base::Result<net::Address> parse_stream_address(std::string_view text) {
  if (text.starts_with("uxst@")) text = text.substr(5);
  auto spec = net::parse_address(text);
  if (!spec) return base::fail(spec.error());
  if (spec->kind >= net::Address::Kind::unix_path && spec->kind <= net::Address::Kind::abstract_z)
    return net::Address::unix_socket(spec->kind, spec->host);
  if (!spec->has_port || spec->port_low != spec->port_high || spec->has_offset)
    return base::fail(fmt::format("exactly one port is needed in '{}'", text));
  net::Ip ip = net::Ip::parse(spec->host);
  if (ip.family == 0) {
    auto found =
        net::resolve(spec->host, spec->family, rt::precise_now() + std::chrono::seconds(10));
    if (!found || found->empty())
      return base::fail(fmt::format("invalid address: '{}' in '{}'", spec->host, text));
    ip = found->front();
  }
  return net::Address::of(ip, spec->port_low);
}

struct Reader {
  config::Arguments& args;
  RingSettings& ring;
  rt::Duration connect_timeout = std::chrono::seconds(5);

  bool server() {
    RingServer server;
    server.name = args.next();
    if (server.name.empty() || args.done())
      return args.error("'server' expects a name and an address.");
    auto address = parse_stream_address(args.next());
    if (!address) return args.error_at_previous("'server' : " + address.error());
    server.address = *address;
    while (!args.done()) {
      if (!args.accept("log-proto"))
        return args.error(
            fmt::format("'server' : '{}' is unknown or not supported in a ring.", args.peek()),
            "supported: log-proto");
      std::string_view proto = args.next();
      if (proto != "legacy" && proto != "octet-count")
        return args.error_at_previous("'log-proto' expects 'legacy' or 'octet-count'.");
      server.octet_count = proto == "octet-count";
    }
    ring.servers.push_back(std::move(server));
    return true;
  }

  bool timeout() {
    std::string_view which = args.next();
    auto ms = args.time_ms("timeout");
    if (!ms) return false;
    if (which == "connect")
      connect_timeout = rt::milliseconds(*ms);
    else if (which != "server")
      return args.error_at_previous(
          fmt::format("'timeout' supports 'connect' and 'server', not '{}'.", which));
    return true;
  }

  bool backing_file() {
    if (ring.file != nullptr)
      return args.error(fmt::format("'backing-file' already specified for ring '{}' (was '{}').",
                                    ring.name, ring.file->path()));
    const std::string path(args.next());
    auto file = RingFile::open(path, ring.size);
    if (!file)
      return args.error_at_previous(fmt::format("cannot open backing-file '{}' for ring '{}': {}.",
                                                path, ring.name, file.error()));
    ring.file = std::move(*file);
    return true;
  }

  bool line(std::string_view keyword) {
    if (keyword == "description") {
      for (ring.description.clear(); !args.done();)
        ring.description += (ring.description.empty() ? "" : " ") + std::string(args.next());
      return true;
    }
    if (keyword == "format") {
      if (parse_log_format(args.next(), ring.format)) return true;
      return args.error_at_previous("unknown log format.");
    }
    if (keyword == "maxlen") {
      auto longest = args.number("maxlen", 1, 1 << 30);
      if (longest) ring.longest = static_cast<std::size_t>(*longest);
      return longest.has_value();
    }
    if (keyword == "size") {
      if (ring.file != nullptr)
        return args.error(
            "cannot resize an already mapped file, please specify 'size' before 'backing-file'.");
      auto size = args.size("size");
      if (size && *size < 64) return args.error_at_previous("'size' must be at least 64 bytes.");
      if (size) ring.size = static_cast<std::size_t>(*size);
      return size.has_value();
    }
    if (keyword == "server") return server();
    if (keyword == "timeout") return timeout();
    if (keyword == "backing-file") return backing_file();
    args.seek(0);
    return args.error(fmt::format("unknown statement '{}' in 'ring' section.", keyword));
  }
};

}  // namespace

void read_ring(const config::Section& section, config::Diagnostics& diagnostics) {
  RingSettings settings;
  settings.name = section.head[1];
  settings.description = settings.name;
  if (settings.name.empty()) {
    diagnostics.alert(section.head.at(1), "missing ring name.");
    return;
  }
  rt::Duration connect_timeout = std::chrono::seconds(5);
  for (const config::Line& line : section.lines) {
    config::Arguments args(line, diagnostics);
    Reader reader{args, settings, connect_timeout};
    if (reader.line(line[0])) args.expect_end();
    connect_timeout = reader.connect_timeout;
  }
  for (RingServer& server : settings.servers) server.connect_timeout = connect_timeout;
  std::string name = settings.name;
  if (!add_ring(std::move(settings)))
    diagnostics.alert(section.head.at(1), fmt::format("ring '{}' already exists.", name));
}

std::shared_ptr<Ring> add_forwarding_ring(RingSettings settings, RingServer server) {
  const std::string name = settings.name;
  settings.servers.push_back(std::move(server));
  for (unsigned copy = 2; find_ring(settings.name); ++copy)
    settings.name = fmt::format("{}#{}", name, copy);
  return add_ring(std::move(settings));
}

std::shared_ptr<Ring> make_forwarding_ring(std::string_view address, LogFormatKind format,
                                           std::size_t longest, std::string& error) {
  auto parsed = parse_stream_address(address);
  if (!parsed) {
    error = parsed.error();
    return nullptr;
  }
  RingSettings settings;
  settings.name = address;
  settings.description = fmt::format("lines for {}", address);
  settings.format = format;
  settings.longest = longest;
  settings.size = kForwardingSize;
  RingServer server;
  server.name = address;
  server.address = *parsed;
  return add_forwarding_ring(std::move(settings), std::move(server));
}

}  // namespace obs

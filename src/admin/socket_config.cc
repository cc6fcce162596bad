#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>

#include <algorithm>

#include "admin/cli.h"
#include "base/text.h"
#include "net/resolver.h"

namespace admin {
namespace {

bool parse_address(config::Arguments& args, CliSocket& out) {
  std::string_view text = args.next();
  auto refuse = [&](std::string why) {
    return args.error_at_previous("stats socket: " + std::move(why));
  };
  auto spec = net::parse_address(text);
  if (!spec) return refuse(spec.error());
  out.text = text.starts_with('/') ? fmt::format("unix@{}", text) : std::string(text);
  if (spec->is_datagram || spec->has_offset)
    return refuse(fmt::format("'{}' cannot be listened on", text));
  if (spec->kind == net::Address::Kind::inherited_fd) {
    out.addresses.push_back(net::Address::inherited(base::parse_int<int>(spec->host).value_or(-1)));
    return true;
  }
  if (spec->kind >= net::Address::Kind::unix_path && spec->kind <= net::Address::Kind::abstract_z) {
    out.addresses.push_back(net::Address::unix_socket(spec->kind, spec->host));
    return true;
  }
  if (!spec->has_port) return refuse(fmt::format("missing port number in '{}'", text));
  std::string host = !spec->any ? spec->host : spec->family == AF_INET6 ? "::" : "0.0.0.0";
  net::Ip ip = net::Ip::parse(host);
  if (ip.family == 0) {
    auto found = net::resolve(host, spec->family, rt::precise_now() + std::chrono::seconds(10));
    if (!found || found->empty()) return refuse(fmt::format("could not resolve '{}'", host));
    ip = found->front();
  }
  for (unsigned port = spec->port_low; port <= spec->port_high; ++port)
    out.addresses.push_back(net::Address::of(ip, static_cast<std::uint16_t>(port)));
  return true;
}

struct SocketOption {
  std::string_view name;
  bool (*parse)(config::Arguments& args, std::string_view value, CliSocket& out);
};

bool parse_mode(config::Arguments& args, std::string_view value, CliSocket& out) {
  auto mode = base::parse_int<int>(value, 8);
  if (!mode || *mode < 0 || *mode > 07777)
    return args.error_at_previous(fmt::format("'mode' expects an octal number, not '{}'", value));
  out.listen.unix_mode = *mode;
  return true;
}

bool parse_id(config::Arguments& args, std::string_view value, int& out) {
  auto id = base::parse_int<int>(value);
  if (!id || *id < 0) return args.error_at_previous(fmt::format("'{}' is not a numeric id", value));
  out = *id;
  return true;
}

bool parse_user(config::Arguments& args, std::string_view value, CliSocket& out) {
  passwd* entry = ::getpwnam(std::string(value).c_str());
  if (entry == nullptr)
    return args.error_at_previous(fmt::format("'user' : '{}' : user not found", value));
  out.listen.unix_uid = static_cast<int>(entry->pw_uid);
  return true;
}

bool parse_group(config::Arguments& args, std::string_view value, CliSocket& out) {
  group* entry = ::getgrnam(std::string(value).c_str());
  if (entry == nullptr)
    return args.error_at_previous(fmt::format("'group' : '{}' : group not found", value));
  out.listen.unix_gid = static_cast<int>(entry->gr_gid);
  return true;
}

bool parse_level(config::Arguments& args, std::string_view value, CliSocket& out) {
  if (parse_access(value, out.access)) return true;
  return args.error_at_previous(fmt::format("'level' : '{}' is not a valid level", value),
                                "expected 'user', 'operator' or 'admin'");
}

bool parse_severity(config::Arguments& args, std::string_view value, CliSocket& out) {
  if (value != "none" && value != "number" && value != "string")
    return args.error_at_previous(
        fmt::format("'severity-output' expects 'none', 'number', or 'string', not '{}'", value));
  out.severity = value == "none"     ? SeverityOutput::none
                 : value == "number" ? SeverityOutput::number
                                     : SeverityOutput::string;
  return true;
}

bool parse_expose(config::Arguments& args, std::string_view value, CliSocket&) {
  if (value != "listeners")
    return args.error_at_previous(fmt::format("'expose-fd' expects 'listeners', not '{}'", value));
  args.diagnostics().notice(
      args.previous(), "'expose-fd' has no effect yet: no newer process can take sockets over.");
  return true;
}

// As on bind lines; commands run on worker 0, which alone may change what all of them read.
bool parse_threads(config::Arguments& args, std::string_view value, CliSocket&) {
  const bool sound = std::all_of(value.begin(), value.end(), [](char c) {
    return base::is_digit(c) || c == ',' || c == '-' || c == '/';
  });
  std::string_view named = value.substr(value.find('/') == value.npos ? 0 : value.find('/') + 1);
  if (!sound && named != "all" && named != "odd" && named != "even")
    return args.error_at_previous(fmt::format("'thread' : '{}' is no thread set", value));
  args.diagnostics().diagnostic(
      args.previous(), "'thread' has no effect: thread 1 carries out the commands of all sockets.");
  return true;
}

bool parse_nice(config::Arguments& args, std::string_view value, CliSocket&) {
  const auto nice = base::parse_int<int>(value);
  if (!nice || *nice < -1024 || *nice > 1024)
    return args.error_at_previous("'nice' expects a number from -1024 to 1024");
  args.diagnostics().diagnostic(args.previous(),
                                "'nice' has no effect: commands are carried out in turn.");
  return true;
}

bool parse_backlog(config::Arguments& args, std::string_view value, CliSocket& out) {
  return parse_id(args, value, out.listen.backlog);
}

constexpr SocketOption kOptions[] = {
    {"mode", parse_mode},
    {"uid", [](config::Arguments& args, std::string_view value,
               CliSocket& out) { return parse_id(args, value, out.listen.unix_uid); }},
    {"gid", [](config::Arguments& args, std::string_view value,
               CliSocket& out) { return parse_id(args, value, out.listen.unix_gid); }},
    {"user", parse_user},
    {"group", parse_group},
    {"level", parse_level},
    {"severity-output", parse_severity},
    {"expose-fd", parse_expose},
    {"backlog", parse_backlog},
    {"thread", parse_threads},
    {"nice", parse_nice},
};

}  // namespace

bool parse_stats_socket(config::Arguments& args, CliSocket& out) {
  out.at = args.here();
  if (args.done()) return args.error("'stats socket' requires a path or an address.");
  if (!parse_address(args, out)) return false;
  while (!args.done()) {
    std::string_view name = args.next();
    if (name == "v4v6" || name == "v6only") {
      (name == "v4v6" ? out.listen.v4v6 : out.listen.v6only) = true;
      continue;
    }
    const SocketOption* found = nullptr;
    for (const SocketOption& option : kOptions)
      if (option.name == name) found = &option;
    if (found == nullptr)
      return args.error_at_previous(
          fmt::format("'stats socket' : '{}' is unknown or not supported here", name),
          "supported: mode, uid, gid, user, group, level, severity-output, expose-fd, backlog, "
          "thread, nice");
    if (args.done()) return args.error(fmt::format("'stats socket' : '{}' expects a value", name));
    if (!found->parse(args, args.next(), out)) return false;
  }
  return true;
}

}  // namespace admin

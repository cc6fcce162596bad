#include "obs/log_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "net/resolver.h"
#include "obs/log_header.h"
#include "obs/ring.h"
#include "obs/ring_config.h"

namespace obs {
namespace {

constexpr std::array<std::string_view, 24> kFacilities = {
    "kern",   "user",   "mail",   "daemon", "auth",   "syslog", "lpr",    "news",
    "uucp",   "cron",   "auth2",  "ftp",    "ntp",    "audit",  "alert",  "cron2",
    "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"};

struct FormatName {
  std::string_view name;
  LogFormatKind kind;
};
constexpr std::array<FormatName, 8> kFormats = {{{"local", LogFormatKind::local},
                                                 {"rfc3164", LogFormatKind::rfc3164},
                                                 {"rfc5424", LogFormatKind::rfc5424},
                                                 {"priority", LogFormatKind::priority},
                                                 {"short", LogFormatKind::short_},
                                                 {"timed", LogFormatKind::timed},
                                                 {"iso", LogFormatKind::iso},
                                                 {"raw", LogFormatKind::raw}}};

constexpr std::uint16_t kSyslogPort = 514;

bool to_descriptor(int fd, LogTarget& out) {
  out.kind = LogTarget::Kind::descriptor;
  out.fd = fd;
  return true;
}

bool parse_datagram(config::Arguments& args, std::string_view text, LogTarget& out) {
  auto refuse = [&](std::string why) { return args.error_at_previous("log : " + std::move(why)); };
  auto spec = net::parse_address(text);
  if (!spec) return refuse(spec.error());
  if (spec->port_low != spec->port_high)
    return refuse(fmt::format("port range not permitted here in '{}'", text));
  if (spec->has_offset) return refuse(fmt::format("port offset not permitted here in '{}'", text));
  if (spec->kind == net::Address::Kind::inherited_fd)
    return to_descriptor(base::parse_int<int>(spec->host).value_or(-1), out);
  if (spec->kind >= net::Address::Kind::unix_path && spec->kind <= net::Address::Kind::abstract_z) {
    out.address = net::Address::unix_socket(spec->kind, spec->host);
    return true;
  }
  net::Ip ip = net::Ip::parse(spec->any ? "127.0.0.1" : spec->host);
  if (ip.family == 0) {
    auto found =
        net::resolve(spec->host, spec->family, rt::precise_now() + std::chrono::seconds(10));
    if (!found || found->empty())
      return refuse(fmt::format("invalid address: '{}' in '{}'", spec->host, text));
    ip = found->front();
  }
  out.address = net::Address::of(ip, spec->has_port ? spec->port_low : kSyslogPort);
  return true;
}

bool is_stream(std::string_view text) {
  for (std::string_view prefix : {"tcp@", "tcp4@", "tcp6@", "uxst@", "stream+"})
    if (text.starts_with(prefix)) return true;
  return false;
}

bool parse_target(config::Arguments& args, LogTarget& out) {
  std::string_view text = args.next();
  auto refuse = [&](std::string why) { return args.error_at_previous("log : " + std::move(why)); };
  if (text == "stdout") return to_descriptor(1, out);
  if (text == "stderr") return to_descriptor(2, out);
  if (text.starts_with("fd@")) {
    auto fd = base::parse_int<int>(text.substr(3));
    if (!fd || *fd < 0)
      return refuse(
          fmt::format("file descriptor '{}' is not a valid integer in '{}'", text.substr(3), text));
    return to_descriptor(*fd, out);
  }
  if (text.starts_with("ring@")) {
    out.kind = LogTarget::Kind::ring;
    out.name = text.substr(5);
    return true;
  }
  if (text.starts_with("backend@")) {
    out.kind = LogTarget::Kind::backend;
    out.name = text.substr(8);
    return true;
  }
  if (is_stream(text)) {
    // Its ring is made when the format and length are known.
    out.kind = LogTarget::Kind::ring;
    return true;
  }
  return parse_datagram(args, text, out);
}

// "1,2-3:5"
bool parse_sample(config::Arguments& args, LogTarget& out) {
  std::string_view text = args.next();
  auto refuse = [&](std::string why) { return args.error_at_previous("log : " + std::move(why)); };
  std::size_t colon = text.find(':');
  if (colon == text.npos) return refuse("Missing sample size");
  std::string_view ranges = text.substr(0, colon), size = text.substr(colon + 1);
  std::uint32_t highest = 0;
  for (std::string_view rest = ranges;;) {
    std::size_t comma = rest.find(',');
    std::string_view range = rest.substr(0, comma);
    std::size_t dash = range.find('-');
    auto low = base::parse_int<std::uint32_t>(range.substr(0, dash));
    auto high = dash == range.npos ? low : base::parse_int<std::uint32_t>(range.substr(dash + 1));
    if (!low || !high || *low == 0 || *high < *low)
      return refuse(fmt::format("wrong sample range '{}'", range));
    for (const SampleRange& known : out.sample)
      if (*low <= known.high && known.low <= *high)
        return refuse(fmt::format("sample ranges are overlapping in '{}'", ranges));
    out.sample.push_back({*low, *high});
    highest = std::max(highest, *high);
    if (comma == rest.npos) break;
    rest.remove_prefix(comma + 1);
  }
  auto number = base::parse_int<std::uint32_t>(size);
  if (!number || *number == 0)
    return refuse(fmt::format("wrong sample size '{}' for sample range '{}'", size, ranges));
  if (*number < highest)
    return refuse(
        fmt::format("sample size {} should be greater or equal to {} the maximum of the "
                    "high ranges limits",
                    *number, highest));
  out.sample_size = *number;
  return true;
}

// [len <n>] [format <f>] [sample <s>] [profile <p>], in this order.
bool parse_options(config::Arguments& args, LogTarget& out) {
  auto refuse = [&](std::string why) { return args.error_at_previous("log : " + std::move(why)); };
  if (args.accept("len")) {
    std::string_view text = args.next();
    auto length = base::parse_int<std::size_t>(text);
    if (!length || *length < 80 || *length > 65535)
      return refuse(fmt::format("invalid log length '{}', must be between 80 and 65535", text));
    out.length = *length;
  }
  if (args.accept("format")) {
    std::string_view text = args.next();
    if (!parse_log_format(text, out.format))
      return refuse(fmt::format("unknown log format '{}'", text));
  }
  if (args.accept("sample") && !parse_sample(args, out)) return false;
  if (args.accept("profile")) out.profile = args.next();
  return true;
}

bool parse_levels(config::Arguments& args, LogTarget& out) {
  auto refuse = [&](std::string why) { return args.error_at_previous("log : " + std::move(why)); };
  std::string_view facility = args.next();
  int number = parse_facility(facility);
  if (number < 0) {
    std::string_view near = base::nearest(facility, kFacilities.data(), kFacilities.size());
    return args.error_at_previous(fmt::format("log : unknown log facility '{}'", facility),
                                  near.empty() ? "" : fmt::format("did you mean '{}'?", near));
  }
  out.facility = static_cast<std::uint8_t>(number);
  if (args.done()) return true;
  std::string_view level = args.next();
  if (!parse_level(level, out.maximum))
    return refuse(fmt::format("unknown optional log level '{}'", level));
  if (args.done()) return true;
  level = args.next();
  if (!parse_level(level, out.minimum))
    return refuse(fmt::format("unknown optional minimum log level '{}'", level));
  if (args.done()) return true;
  return args.error(fmt::format("log : cannot handle unexpected argument '{}'", args.peek()));
}

bool parse_global_or_no(config::Arguments& args, LogPlace place, bool negated, LogSettings& into) {
  if (negated) {
    if (!args.done()) return args.error("log : 'no log' does not expect arguments");
    into = {};
    return true;
  }
  args.next();  // "global"
  if (place == LogPlace::global)
    return args.error_at_previous("log : 'global' is not supported for a global syslog server");
  into.global = true;
  return true;
}

}  // namespace

int parse_facility(std::string_view name) {
  auto found = std::find(kFacilities.begin(), kFacilities.end(), name);
  return found == kFacilities.end() ? -1 : static_cast<int>(found - kFacilities.begin());
}

bool parse_log_format(std::string_view name, LogFormatKind& out) {
  for (const FormatName& row : kFormats) {
    if (row.name != name) continue;
    out = row.kind;
    return true;
  }
  return false;
}

bool parse_log(config::Arguments& args, LogPlace place, bool negated, LogSettings& into) {
  bool only_global = args.peek() == "global" && args.peek(1).empty();
  if (negated || only_global) return parse_global_or_no(args, place, negated, into);
  if (args.done() || args.peek(1).empty())
    return args.error("log : expects <address> and <facility>  as arguments");
  auto target = std::make_shared<LogTarget>();
  const config::Position at = args.here();
  const std::string_view text = args.peek();
  if (!parse_target(args, *target) || !parse_options(args, *target) || !parse_levels(args, *target))
    return false;
  if (is_stream(text)) {
    std::string error;
    target->ring =
        make_forwarding_ring(text, effective_format(target->format, ""), target->length, error);
    if (!target->ring) {
      args.diagnostics().alert(at, "log : " + error);
      return false;
    }
  }
  prepare(*target);
  into.targets.push_back(std::move(target));
  return true;
}

bool link_targets(const LogSettings& settings, config::Diagnostics& diagnostics) {
  bool ok = true;
  for (const auto& target : settings.targets) {
    if (target->kind != LogTarget::Kind::ring || target->ring) continue;
    target->ring = find_ring(target->name);
    if (target->ring) continue;
    diagnostics.alert({}, fmt::format("log : unknown ring '{}'", target->name));
    ok = false;
  }
  return ok;
}

}  // namespace obs

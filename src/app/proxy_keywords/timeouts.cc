// "timeout …" (the manual's section 4.2).
#include <fmt/format.h>

#include <algorithm>

#include "app/proxy_keywords/keyword.h"
#include "base/text.h"

namespace app {

namespace {

constexpr std::int64_t kMostProbes = 127, kLongestProbeTime = 32767;  // the kernel's

struct TimeoutRow {
  std::string_view name;
  std::uint8_t sides;
  rt::Duration proxy::Timeouts::*field;
};

// clitcpka-* and srvtcpka-*: keep-alive probes towards one side.
net::SocketTuning& tuning_of(ProxyContext& context) {
  return context.row->name.starts_with("cli") ? context.proxy().client_tuning
                                              : context.draft.settings().connect.tuning;
}

bool keep_alive_count(ProxyContext& context) {
  auto value = context.args.number(context.row->name, 1, kMostProbes);
  if (value) tuning_of(context).keep_alive_count = static_cast<int>(*value);
  return value.has_value();
}

template <int net::SocketTuning::*Member>
bool keep_alive_time(ProxyContext& context) {
  auto ms = context.args.time_ms(context.row->name, config::TimeUnit::s);
  if (!ms) return false;
  tuning_of(context).*Member =
      static_cast<int>(std::clamp<std::int64_t>(*ms / 1000, 1, kLongestProbeTime));
  return true;
}

constexpr TimeoutRow kTimeouts[] = {
    {"client", kInFrontend, &proxy::Timeouts::client},
    {"server", kInBackend, &proxy::Timeouts::server},
    {"connect", kInBackend, &proxy::Timeouts::connect},
    {"check", kInBackend, &proxy::Timeouts::check},
    {"queue", kInBackend, &proxy::Timeouts::queue},
    {"client-hs", kInFrontend, &proxy::Timeouts::client_hs},
    {"http-keep-alive", kInListen, &proxy::Timeouts::http_keep_alive},
    {"http-request", kInListen, &proxy::Timeouts::http_request},
    {"tunnel", kInBackend, &proxy::Timeouts::tunnel},
    {"tarpit", kInListen, &proxy::Timeouts::tarpit},
    {"client-fin", kInFrontend, &proxy::Timeouts::client_fin},
    {"server-fin", kInBackend, &proxy::Timeouts::server_fin},
};

// Below this, a number without a unit was probably meant in seconds.
constexpr std::int64_t kSuspicious = 100;

const TimeoutRow* find_row(std::string_view name) {
  for (const TimeoutRow& row : kTimeouts)
    if (row.name == name) return &row;
  return nullptr;
}

bool unknown_timeout(config::Arguments& args) {
  std::string_view names[std::size(kTimeouts)];
  std::string list;
  for (std::size_t i = 0; i < std::size(kTimeouts); ++i) {
    names[i] = kTimeouts[i].name;
    list += fmt::format("{}'{}'", i == 0 ? "" : ", ", names[i]);
  }
  return args.error(fmt::format("'timeout' supports {} (got '{}')", list, args.peek()),
                    args.done() ? "" : did_you_mean(args.peek(), names));
}

bool timeout(ProxyContext& context) {
  auto& args = context.args;
  const TimeoutRow* row = find_row(args.peek());
  if (row == nullptr) return unknown_timeout(args);
  args.next();
  const std::string what = fmt::format("timeout {}", row->name);
  const std::string_view written = args.peek();
  auto value = args.time_ms(what);
  if (!value) return false;
  if (!args.done())
    return args.error(fmt::format("'{}' : unexpected extra argument '{}' after value '{}'.", what,
                                  args.peek(), written));
  ProxyDraft& draft = context.draft;
  auto& diagnostics = context.diagnostics();
  const config::Position at = args.line().at();
  if (!draft.is_defaults() && !(draft.side & row->sides))
    diagnostics.warning(at, fmt::format("'{}' will be ignored because {} '{}' has no {} capability",
                                        what, draft.kind(), draft.name,
                                        draft.side == kInFrontend ? "backend" : "frontend"));
  else if (!draft.seen_timeouts.emplace(row->name, at).second)
    diagnostics.warning(at, fmt::format("overwriting '{}' which was already specified", what));
  if (*value > 0 && *value < kSuspicious && base::is_digit(written.back()))
    diagnostics.warning(
        at,
        fmt::format("'{} {}' in {} '{}' is suspiciously small for a value in milliseconds. Please "
                    "use an explicit unit ('{}ms') if that was the intent.",
                    what, written, draft.kind(), draft.name, written));
  context.proxy().timeouts.*row->field =
      *value == 0 ? rt::kForever : rt::Duration(std::chrono::milliseconds(*value));
  return true;
}

constexpr std::uint8_t kClient = kInDefaults | kInFrontend, kServer = kInDefaults | kInBackend;
using Tuning = net::SocketTuning;

constexpr ProxyKeyword kTable[] = {
    {{"clitcpka-cnt", "<count>", "Keep-alive probes without answer before a client is gone."},
     kClient,
     keep_alive_count},
    {{"clitcpka-idle", "<timeout>", "How long a client is silent before probes begin."},
     kClient,
     keep_alive_time<&Tuning::keep_alive_idle_s>},
    {{"clitcpka-intvl", "<timeout>", "The time between probes of clients."},
     kClient,
     keep_alive_time<&Tuning::keep_alive_interval_s>},
    {{"srvtcpka-cnt", "<count>", "Keep-alive probes without answer before a server is gone."},
     kServer,
     keep_alive_count},
    {{"srvtcpka-idle", "<timeout>", "How long a server is silent before probes begin."},
     kServer,
     keep_alive_time<&Tuning::keep_alive_idle_s>},
    {{"srvtcpka-intvl", "<timeout>", "The time between probes of servers."},
     kServer,
     keep_alive_time<&Tuning::keep_alive_interval_s>},
    {{"timeout", "<event> <time>", "How long to wait for something."},
     kInDefaults | kInListen,
     timeout},
};

}  // namespace

std::span<const ProxyKeyword> timeout_keywords() { return kTable; }

}  // namespace app

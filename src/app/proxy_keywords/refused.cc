// Keywords that are refused: those whose feature is not there yet, and those that the reference has
// dropped. Each says what to do instead, where there is something.
#include <fmt/format.h>

#include "app/proxy_keywords/keyword.h"

namespace app {

namespace {

bool not_yet(ProxyContext& context) {
  return context.args.error_at_previous(
      fmt::format("'{}' is not supported yet.", context.row->name));
}

struct Removed {
  std::string_view name, text;
};

constexpr Removed kRemoved[] = {
    {"appsession", "'appsession' is not supported anymore since HAProxy 1.6."},
    {"block",
     "The 'block' directive is not supported anymore since HAProxy 2.1. Use 'http-request deny' "
     "which "
     "uses the exact same syntax."},
    {"clitimeout",
     "the 'clitimeout' directive is not supported anymore since HAProxy 2.1. Use 'timeout "
     "client'."},
    {"contimeout",
     "the 'contimeout' directive is not supported anymore since HAProxy 2.1. Use 'timeout "
     "connect'."},
    {"srvtimeout",
     "the 'srvtimeout' directive is not supported anymore since HAProxy 2.1. Use 'timeout "
     "server'."},
    {"dispatch",
     "support for 'dispatch' was removed in version 3.5. The modern way to do the same is to "
     "create a "
     "server with the same address."},
    {"monitor-net",
     "'monitor-net' doesn't exist anymore. Please use 'http-request return status 200 if { src ... "
     "}' "
     "instead."},
    {"redispatch",
     "keyword 'redispatch' directive is not supported anymore since HAProxy 2.1. Use 'option "
     "redispatch'."},
    {"transparent",
     "support for 'transparent' was removed in version 3.5. The modern way to do the same is to "
     "create "
     "a server with address 0.0.0.0."},
    {"usesrc", "'usesrc' only allowed after a 'source' statement."},
};

bool removed(ProxyContext& context) {
  for (const Removed& row : kRemoved)
    if (row.name == context.row->name) return context.args.error_at_previous(std::string(row.text));
  return context.args.error_at_previous(fmt::format(
      "The '{}' directive is not supported anymore since HAProxy 2.1. Use 'http-request' or "
      "'http-response' rules instead.",
      context.row->name));
}

constexpr std::uint8_t kAll = kInDefaults | kInListen;
constexpr std::string_view kGone = "Removed.";

constexpr ProxyKeyword kTable[] = {
    {{"appsession", "", kGone}, kAll, removed},
    {{"block", "", kGone}, kAll, removed},
    {{"clitimeout", "", kGone}, kAll, removed},
    {{"compression", "...", "Compresses responses."}, kAll, not_yet},
    {{"contimeout", "", kGone}, kAll, removed},
    {{"crt", "<cert>", "A certificate."}, kInFrontend, not_yet},
    {{"dispatch", "", kGone}, kAll, removed},
    {{"monitor-net", "", kGone}, kAll, removed},
    {{"quic-initial", "...", "Rules for QUIC."}, kInDefaults | kInFrontend, not_yet},
    {{"redispatch", "", kGone}, kAll, removed},
    {{"reqadd", "", kGone}, kAll, removed},
    {{"reqallow", "", kGone}, kAll, removed},
    {{"reqdel", "", kGone}, kAll, removed},
    {{"reqdeny", "", kGone}, kAll, removed},
    {{"reqiallow", "", kGone}, kAll, removed},
    {{"reqidel", "", kGone}, kAll, removed},
    {{"reqideny", "", kGone}, kAll, removed},
    {{"reqipass", "", kGone}, kAll, removed},
    {{"reqirep", "", kGone}, kAll, removed},
    {{"reqitarpit", "", kGone}, kAll, removed},
    {{"reqpass", "", kGone}, kAll, removed},
    {{"reqrep", "", kGone}, kAll, removed},
    {{"reqtarpit", "", kGone}, kAll, removed},
    {{"rspadd", "", kGone}, kAll, removed},
    {{"rspdel", "", kGone}, kAll, removed},
    {{"rspdeny", "", kGone}, kAll, removed},
    {{"rspidel", "", kGone}, kAll, removed},
    {{"rspideny", "", kGone}, kAll, removed},
    {{"rspirep", "", kGone}, kAll, removed},
    {{"rsprep", "", kGone}, kAll, removed},
    {{"srvtimeout", "", kGone}, kAll, removed},
    {{"ssl-f-use", "...", "Certificates of a frontend."}, kInFrontend, not_yet},
    {{"transparent", "", kGone}, kAll, removed},
    {{"use-fcgi-app", "<name>", "A FastCGI application."}, kInBackend, not_yet},
    {{"usesrc", "", kGone}, kAll, removed},
};

}  // namespace

std::span<const ProxyKeyword> refused_keywords() { return kTable; }

}  // namespace app

// Actions of the reference that need what is not there yet: each is refused where it is written,
// with the reason.
#include <fmt/format.h>

#include "rules/action/support.h"
#include "rules/action/tables.h"

namespace rules::action {
namespace {

struct Reason {
  std::string_view name, needs;
};
constexpr Reason kReasons[] = {
    {"cache-", "a cache"},
    {"send-spoe-group", "SPOE"},
    {"attach-srv", "reverse HTTP, which goes over HTTP/2,"},
    {"do-resolve", "'resolvers' sections"},
};

Made parse(config::Arguments& args, ParseContext& context, std::string_view word,
           const ActionRow& row) {
  Reader in(args, context, word);
  for (const Reason& reason : kReasons)
    if (row.name.starts_with(reason.name))
      return in.fail_at_previous(
          fmt::format("'{}' needs {}, which are not supported yet", word, reason.needs));
  return in.fail_at_previous(fmt::format("'{}' is not supported yet", word));
}

// clang-format off
constexpr ActionRow kRows[] = {
    {{"attach-srv", "<srv> [name <expr>]", "Needs reverse HTTP, which goes over HTTP/2."}, kTcpSession, parse},
    {{"cache-store", "<name>", "Needs a cache."}, kHttpResponse, parse},
    {{"cache-use", "<name>", "Needs a cache."}, kHttpRequest, parse},
    {{"do-resolve", "(<var>,<resolvers>[,ipv4|ipv6]) <expr>", "Needs resolvers."},
     kTcpRequestContent | kHttpRequest, parse, true},
    {{"send-spoe-group", "<engine-name> <group-name>", "Needs SPOE."},
     kTcpRequestContent | kTcpResponseContent | kHttpRequest | kHttpResponse, parse},
};
// clang-format on

}  // namespace

std::span<const ActionRow> unavailable_rows() { return kRows; }

}  // namespace rules::action

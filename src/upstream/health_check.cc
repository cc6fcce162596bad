#include "upstream/health_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/diagnostics.h"

namespace upstream {

namespace {

constexpr std::string_view kTypes[] = {"tcp-check",   "httpchk",     "ssl-hello-chk",
                                       "smtpchk",     "pgsql-check", "redis-check",
                                       "mysql-check", "ldap-check",  "spop-check"};

bool parse_type(BackendParse& p, bool& typed) {
  if (p.args.done()) return p.args.error("'type' expects a healthcheck type.");
  const std::string_view word = p.args.next();
  if (std::find(std::begin(kTypes), std::end(kTypes), word) == std::end(kTypes))
    return p.args.error_at_previous(
        fmt::format("unknown healthcheck type '{}' (expects '{}').", word,
                    fmt::join(std::begin(kTypes), std::end(kTypes), "', '")));
  if (typed) return p.args.error_at_previous("healthcheck type already defined.");
  typed = true;
  return config::find(backend_options(), word)->parse(p);
}

}  // namespace

bool parse_health_check_line(BackendParse& p, bool& typed) {
  const std::string_view word = p.args.line()[0];
  if (word == "type") return parse_type(p, typed);
  if (word == "http-check" || word == "tcp-check")
    return config::find(backend_keywords(), word)->parse(p);
  p.context.diagnostics.alert(p.args.line().at(),
                              fmt::format("unknown keyword '{}' in 'healthcheck' section", word));
  return false;
}

}  // namespace upstream

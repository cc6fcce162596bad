// Lines and options of a backend about balancing, persistence, retries and reuse (manual,
// section 4.2).
#include <fmt/format.h>

#include "base/text.h"
#include "config/diagnostics.h"
#include "expr/expression.h"
#include "upstream/check_parse.h"
#include "upstream/check_rules.h"
#include "upstream/parse.h"
#include "upstream/parse_source.h"

namespace upstream {

namespace {

using Parse = BackendParse;

bool needs_http(Parse& p, std::string_view what) {
  if (p.mode == state::Mode::http || p.in_defaults) return true;
  return p.args.error_at_previous(fmt::format("'{}' needs 'mode http'", what));
}

// "name(argument)" -> argument; nothing when `word` has another name.
std::optional<std::string> in_parentheses(std::string_view word, std::string_view name) {
  if (!word.starts_with(name) || word.size() < name.size() + 2 || word[name.size()] != '(' ||
      word.back() != ')')
    return std::nullopt;
  return std::string(base::trim(word.substr(name.size() + 1, word.size() - name.size() - 2)));
}

bool balance_uri(Parse& p) {
  BackendSettings& s = p.settings;
  s.balance_length = s.balance_depth = 0;
  s.balance_whole = s.balance_path_only = false;
  while (!p.args.done()) {
    if (p.args.accept("whole")) {
      s.balance_whole = true;
    } else if (p.args.accept("path-only")) {
      s.balance_path_only = true;
    } else if (p.args.peek() == "len" || p.args.peek() == "depth") {
      const bool is_length = p.args.next() == "len";
      const auto number = p.args.number(is_length ? "len" : "depth", 1, INT32_MAX);
      if (!number) return false;
      (is_length ? s.balance_length : s.balance_depth) = static_cast<std::uint32_t>(*number);
    } else {
      return p.args.error(fmt::format("'balance uri' does not know '{}'", p.args.peek()),
                          "expected 'len', 'depth', 'whole' or 'path-only'");
    }
  }
  return needs_http(p, "balance uri");
}

bool balance_url_param(Parse& p) {
  const auto name = p.args.text("balance url_param");
  if (!name) return false;
  p.settings.balance_name = std::string(*name);
  p.settings.balance_check_post = p.args.accept("check_post");
  // An old wait limit may follow and has no effect (manual, "balance url_param").
  if (p.settings.balance_check_post && base::parse_int<unsigned>(p.args.peek())) p.args.next();
  return needs_http(p, "balance url_param") && p.args.expect_end();
}

bool balance_hash(Parse& p) {
  const config::Position at = p.args.here();
  const auto text = p.args.text("balance hash");
  if (!text) return false;
  auto expression = expr::Expression::parse(*text, p.context, at);
  if (!expression)
    return p.args.error_at_previous(fmt::format("'balance hash': {}", expression.error()));
  p.settings.hash_expression = std::move(*expression);
  return p.args.expect_end();
}

// "log-hash" and "sticky" (manual, "balance"): of log backends only.
bool balance_log(Parse& p) {
  if (p.mode != state::Mode::log && !p.in_defaults) {
    p.context.diagnostics.warning(
        p.args.previous(),
        fmt::format("balance algorithm '{}' needs 'mode log', 'roundrobin' is used instead",
                    p.settings.balance));
    p.settings.balance = "roundrobin";
    while (!p.args.done()) p.args.next();
    return true;
  }
  if (p.settings.balance == "sticky") return p.args.expect_end();
  const auto converters = p.args.text("balance log-hash");
  if (!converters) return p.args.error("balance log-hash requires a converter list.");
  auto expression =
      expr::Expression::parse(fmt::format("str(-),{}", *converters), p.context, p.args.previous());
  if (!expression)
    return p.args.error_at_previous(fmt::format("'balance log-hash': {}", expression.error()));
  p.settings.hash_expression = std::move(*expression);
  return p.args.expect_end();
}

bool balance_hdr(Parse& p, std::string name) {
  if (name.empty())
    return p.args.error_at_previous("'balance hdr' expects a header name in parentheses");
  p.settings.balance = "hdr";
  p.settings.balance_name = base::to_lower(name);
  p.settings.balance_domain_only = p.args.accept("use_domain_only");
  return needs_http(p, "balance hdr") && p.args.expect_end();
}

bool balance_random(Parse& p, std::string_view draws) {
  const auto number = base::parse_int<std::uint32_t>(draws);
  if (!number || *number == 0)
    return p.args.error_at_previous("'balance random' expects a number of draws above zero");
  p.settings.balance = "random";
  p.settings.balance_draws = *number;
  return p.args.expect_end();
}

bool parse_balance(Parse& p) {
  p.settings.balance_given = true;
  if (p.args.done()) {
    p.settings.balance = "roundrobin";
    return true;
  }
  const auto word = p.args.text("balance");
  if (!word) return false;
  if (auto name = in_parentheses(*word, "hdr")) return balance_hdr(p, *name);
  if (auto draws = in_parentheses(*word, "random")) return balance_random(p, *draws);
  if (auto name = in_parentheses(*word, "rdp-cookie")) {
    p.settings.balance = "rdp-cookie";
    p.settings.balance_name = *name;
    return p.args.expect_end();
  }
  const std::string_view simple[] = {"roundrobin", "static-rr", "leastconn", "first",
                                     "random",     "source",    "rdp-cookie"};
  for (const std::string_view name : simple) {
    if (*word != name) continue;
    p.settings.balance = std::string(name);
    p.settings.balance_draws = 2;
    if (name == "rdp-cookie") p.settings.balance_name = "mstshash";
    return p.args.expect_end();
  }
  p.settings.balance = std::string(*word);
  if (*word == "uri") return balance_uri(p);
  if (*word == "url_param") return balance_url_param(p);
  if (*word == "hash") return balance_hash(p);
  if (*word == "log-hash" || *word == "sticky") return balance_log(p);
  if (*word == "hdr")
    return p.args.error_at_previous("'balance hdr' expects a header name in parentheses");
  static constexpr std::string_view kAll[] = {"roundrobin", "static-rr",  "leastconn", "first",
                                              "random",     "source",     "uri",       "url_param",
                                              "hdr",        "rdp-cookie", "hash"};
  const std::string_view near = base::nearest(*word, kAll, std::size(kAll));
  return p.args.error_at_previous(
      fmt::format("'balance' does not know the algorithm '{}'", *word),
      near.empty() ? std::string() : fmt::format("did you mean '{}'?", near));
}

bool parse_hash_type(Parse& p) {
  const auto method = p.args.text("hash-type");
  if (!method) return false;
  if (*method != "map-based" && *method != "consistent" && *method != "avalanche")
    return p.args.error_at_previous(fmt::format("'hash-type' does not know '{}'", *method),
                                    "expected 'map-based' or 'consistent'");
  BackendSettings& s = p.settings;
  s.hash_consistent = *method == "consistent";
  s.hash_function = HashFunction::sdbm;
  s.hash_avalanche = s.hash_consistent || *method == "avalanche";
  if (p.args.done()) return true;
  struct Name {
    std::string_view text;
    HashFunction function;
  };
  static constexpr Name kNames[] = {{"sdbm", HashFunction::sdbm},
                                    {"djb2", HashFunction::djb2},
                                    {"wt6", HashFunction::wt6},
                                    {"crc32", HashFunction::crc32},
                                    {"none", HashFunction::none}};
  const std::string_view word = p.args.next();
  const auto* found = std::find_if(std::begin(kNames), std::end(kNames),
                                   [word](const Name& name) { return name.text == word; });
  if (found == std::end(kNames))
    return p.args.error_at_previous(
        fmt::format("'hash-type' does not know the function '{}'", word),
        "expected sdbm, djb2, wt6, crc32 or none");
  s.hash_function = found->function;
  s.hash_avalanche = p.args.accept("avalanche");
  return p.args.expect_end();
}

bool parse_hash_balance_factor(Parse& p) {
  const auto factor = p.args.number("hash-balance-factor", 0, 65535);
  if (!factor) return false;
  if (*factor != 0 && *factor <= 100)
    return p.args.error_at_previous("'hash-balance-factor' expects 0 or a percentage above 100");
  p.settings.hash_balance_factor = static_cast<std::uint32_t>(*factor);
  return p.args.expect_end();
}

bool parse_hash_preserve_affinity(Parse& p) {
  const auto word = p.args.text("hash-preserve-affinity");
  if (!word) return false;
  if (*word == "always")
    p.settings.hash_affinity = Affinity::always;
  else if (*word == "maxconn")
    p.settings.hash_affinity = Affinity::maxconn;
  else if (*word == "maxqueue")
    p.settings.hash_affinity = Affinity::maxqueue;
  else
    return p.args.error_at_previous(
        fmt::format("'hash-preserve-affinity' does not know '{}'", *word),
        "expected always, maxconn or maxqueue");
  return p.args.expect_end();
}

struct CookieWord {
  std::string_view name;
  std::uint32_t flag;
};
constexpr CookieWord kCookieWords[] = {{"rewrite", kCookieRewrite},   {"insert", kCookieInsert},
                                       {"prefix", kCookiePrefix},     {"indirect", kCookieIndirect},
                                       {"nocache", kCookieNoCache},   {"postonly", kCookiePostOnly},
                                       {"preserve", kCookiePreserve}, {"httponly", kCookieHttpOnly},
                                       {"secure", kCookieSecure},     {"dynamic", kCookieDynamic}};

bool parse_cookie_value(Parse& p, std::string_view word) {
  BackendSettings& s = p.settings;
  if (word == "domain" || word == "attr") {
    const auto text = p.args.text(word);
    if (!text) return false;
    if (text->find_first_of(std::string_view("\0;\r\n\t ", word == "domain" ? 6 : 4)) !=
        std::string_view::npos)
      return p.args.error_at_previous(
          fmt::format("'cookie': '{}' holds a character that it may not", *text));
    (word == "domain" ? s.cookie_domains : s.cookie_attributes).emplace_back(*text);
    return true;
  }
  const auto time = p.args.time_ms(word, config::TimeUnit::s);
  if (!time) return false;
  (word == "maxidle" ? s.cookie_max_idle_s : s.cookie_max_life_s) = (*time + 999) / 1000;
  return true;
}

bool parse_cookie(Parse& p) {
  const auto name = p.args.text("cookie");
  if (!name) return false;
  BackendSettings& s = p.settings;
  s.cookie_name = std::string(*name);
  s.cookie_flags = 0;
  s.cookie_domains.clear();
  s.cookie_attributes.clear();
  s.cookie_max_idle_s = s.cookie_max_life_s = 0;
  while (!p.args.done()) {
    const std::string_view word = p.args.next();
    const auto* flag = std::find_if(std::begin(kCookieWords), std::end(kCookieWords),
                                    [word](const CookieWord& w) { return w.name == word; });
    if (flag != std::end(kCookieWords)) {
      s.cookie_flags |= flag->flag;
    } else if (word == "domain" || word == "attr" || word == "maxidle" || word == "maxlife") {
      if (!parse_cookie_value(p, word)) return false;
    } else {
      return p.args.error_at_previous(fmt::format("'cookie' does not know '{}'", word));
    }
  }
  const std::uint32_t modes = s.cookie_flags & (kCookieRewrite | kCookieInsert | kCookiePrefix);
  if (modes & (modes - 1))
    return p.args.error("'cookie' takes only one of 'rewrite', 'insert' and 'prefix'");
  if ((s.cookie_flags & kCookiePreserve) && !(s.cookie_flags & (kCookieInsert | kCookieIndirect)))
    return p.args.error("'cookie … preserve' needs 'insert' or 'indirect'");
  return true;
}

bool parse_dynamic_cookie_key(Parse& p) {
  const auto key = p.args.text("dynamic-cookie-key");
  if (key) p.settings.dynamic_cookie_key = std::string(*key);
  return key && p.args.expect_end();
}

bool parse_retries(Parse& p) {
  const auto number = p.args.number("retries", 0, INT32_MAX);
  if (number) p.settings.retries = static_cast<std::uint32_t>(*number);
  return number && p.args.expect_end();
}

struct RetryWord {
  std::string_view name;
  std::uint32_t bits;
};
constexpr RetryWord kRetryWords[] = {{"conn-failure", kRetryConnFailure},
                                     {"empty-response", kRetryEmptyResponse},
                                     {"junk-response", kRetryJunkResponse},
                                     {"response-timeout", kRetryResponseTimeout},
                                     {"0rtt-rejected", kRetry0rttRejected}};
constexpr std::uint16_t kRetryStatuses[] = {401, 403, 404, 408, 421, 425,
                                            429, 500, 501, 502, 503, 504};

bool parse_retry_on(Parse& p) {
  BackendSettings& s = p.settings;
  if (p.args.done()) return p.args.error("'retry-on' expects at least one keyword");
  s.retry_on = 0;
  s.retry_statuses.clear();
  while (!p.args.done()) {
    const std::string_view word = p.args.next();
    const auto status = base::parse_int<std::uint16_t>(word);
    const auto* found = std::find_if(std::begin(kRetryWords), std::end(kRetryWords),
                                     [word](const RetryWord& w) { return w.name == word; });
    if (found != std::end(kRetryWords)) {
      s.retry_on |= found->bits;
    } else if (word == "none") {
      if (s.retry_on != 0 || !p.args.done())
        return p.args.error_at_previous("'none' excludes every other keyword of 'retry-on'");
    } else if (word == "all-retryable-errors") {
      s.retry_on |= kRetryConnFailure | kRetryEmptyResponse | kRetryJunkResponse |
                    kRetryResponseTimeout | kRetry0rttRejected | kRetryStatus;
      for (const std::uint16_t one : {500, 502, 503, 504}) s.retry_statuses.push_back(one);
    } else if (status && std::find(std::begin(kRetryStatuses), std::end(kRetryStatuses), *status) !=
                             std::end(kRetryStatuses)) {
      s.retry_on |= kRetryStatus;
      s.retry_statuses.push_back(*status);
    } else {
      return p.args.error_at_previous(fmt::format("'retry-on' does not know '{}'", word));
    }
  }
  return true;
}

bool parse_http_reuse(Parse& p) {
  const auto word = p.args.text("http-reuse");
  if (!word) return false;
  if (*word == "never")
    p.settings.reuse = PoolPolicy::never;
  else if (*word == "safe")
    p.settings.reuse = PoolPolicy::safe;
  else if (*word == "aggressive")
    p.settings.reuse = PoolPolicy::aggressive;
  else if (*word == "always")
    p.settings.reuse = PoolPolicy::always;
  else
    return p.args.error_at_previous(fmt::format("'http-reuse' does not know '{}'", *word),
                                    "expected never, safe, aggressive or always");
  return p.args.expect_end();
}

bool parse_send_name_header(Parse& p) {
  p.settings.name_header.clear();
  if (p.args.done()) return true;  // without a name it is switched off
  const std::string name = base::to_lower(p.args.next());
  for (const std::string_view barred :
       {"connection", "content-length", "host", "transfer-encoding"})
    if (name == barred)
      return p.args.error_at_previous(fmt::format("'http-send-name-header' cannot set '{}'", name));
  p.settings.name_header = name;
  return p.args.expect_end();
}

bool parse_keep_alive_queue(Parse& p) {
  const auto number = p.args.number("max-keep-alive-queue", -1, INT32_MAX);
  if (number) p.settings.keep_alive_queue = *number;
  return number && p.args.expect_end();
}

bool parse_persist(Parse& p) {
  const auto word = p.args.text("persist");
  if (!word) return false;
  if (*word == "rdp-cookie") {
    p.settings.rdp_cookie = "msts";
  } else if (auto name = in_parentheses(*word, "rdp-cookie")) {
    if (name->empty())
      return p.args.error_at_previous("'persist rdp-cookie' expects a cookie name in parentheses");
    p.settings.rdp_cookie = *name;
  } else {
    return p.args.error_at_previous(fmt::format("'persist' does not know '{}'", *word),
                                    "expected rdp-cookie or rdp-cookie(<name>)");
  }
  return p.args.expect_end();
}

bool parse_fullconn(Parse& p) {
  const auto number = p.args.number("fullconn", 0, INT32_MAX);
  if (number) p.settings.full_connections = static_cast<std::uint32_t>(*number);
  return number && p.args.expect_end();
}

bool parse_source_line(Parse& p) {
  return parse_source(p.args, p.settings.connect, p.settings.source, false) && p.args.expect_end();
}

bool parse_load_state(Parse& p) {
  using From = BackendSettings::StateFrom;
  const auto word = p.args.text("load-server-state-from-file");
  if (!word) return false;
  if (*word == "none")
    p.settings.state_from = From::none;
  else if (*word == "global")
    p.settings.state_from = From::global;
  else if (*word == "local")
    p.settings.state_from = From::local;
  else
    return p.args.error_at_previous(
        fmt::format("'load-server-state-from-file' does not know '{}'", *word),
        "expected none, global or local");
  return p.args.expect_end();
}

bool parse_state_file_name(Parse& p) {
  const auto name = p.args.text("server-state-file-name");
  if (!name) return false;
  p.settings.state_file_name = *name == "use-backend-name" ? std::string() : std::string(*name);
  return p.args.expect_end();
}

template <auto Member>
bool parse_flag(Parse& p) {
  p.settings.*Member = !p.negated;
  return p.args.expect_end();
}

bool parse_redispatch(Parse& p) {
  p.settings.redispatch_interval = 0;
  if (p.negated) return p.args.expect_end();
  p.settings.redispatch_interval = -1;
  if (p.args.done()) return true;
  const auto interval = p.args.number("option redispatch", INT32_MIN, INT32_MAX);
  if (interval) p.settings.redispatch_interval = static_cast<int>(*interval);
  return interval && p.args.expect_end();
}

using S = BackendSettings;

constexpr BackendRow kKeywords[] = {
    {{"balance", "<algorithm> [<arguments>]", "How a server is picked."}, parse_balance},
    {{"cookie", "<name> [<options>]", "Keeps clients at their server by a cookie."}, parse_cookie},
    {{"dynamic-cookie-key", "<string>", "Secret that dynamic cookies are made with."},
     parse_dynamic_cookie_key},
    {{"external-check", "{ command | path } <value>", "Program that checks servers."},
     parse_external_check},
    {{"fullconn", "<conns>", "Load of the backend at which servers reach their maxconn."},
     parse_fullconn},
    {{"hash-balance-factor", "<factor>", "Bounds a server's load under consistent hashing."},
     parse_hash_balance_factor},
    {{"hash-preserve-affinity", "{ always | maxconn | maxqueue }",
      "When hashing passes over a full server."},
     parse_hash_preserve_affinity},
    {{"hash-type", "<method> <function> <modifier>", "How hashes are made and mapped to servers."},
     parse_hash_type},
    {{"http-check", "<step> …", "One step of HTTP health checks."}, parse_http_check},
    {{"http-reuse", "{ never | safe | aggressive | always }",
      "Whether requests share server connections."},
     parse_http_reuse},
    {{"http-send-name-header", "[<header>]", "Sends the server's name in a request header."},
     parse_send_name_header},
    {{"load-server-state-from-file", "{ global | local | none }",
      "Takes over server states of an earlier process."},
     parse_load_state},
    {{"max-keep-alive-queue", "<value>",
      "Queue of a server from which on its kept connection is no reason to go there."},
     parse_keep_alive_queue},
    {{"persist", "rdp-cookie[(<name>)]", "Sends connections where their RDP cookie says."},
     parse_persist},
    {{"retries", "<value>", "How often a failed attempt is repeated."}, parse_retries},
    {{"retry-on", "<keywords>", "Which failures are repeated."}, parse_retry_on},
    {{"server-state-file-name", "[<file>]", "File of server states."}, parse_state_file_name},
    {{"source", "<addr>[:<port>] …", "Where connections to servers come from."}, parse_source_line},
    {{"tcp-check", "<step> …", "One step of TCP health checks."}, parse_tcp_check},
};

constexpr BackendRow kOptions[] = {
    {{"allbackups", "", "Uses all backup servers at once."}, parse_flag<&S::all_backups>, true},
    {{"external-check", "", "Checks servers by running a program."}, parse_option_external_check},
    {{"httpchk", "[<method>] [<uri>] [<version>] [<host>]", "Checks servers by HTTP requests."},
     parse_option_httpchk},
    {{"ldap-check", "", "Checks LDAP servers."}, parse_option_ldap_check},
    {{"log-health-checks", "", "Logs every change that a check finds."},
     parse_flag<&S::log_health_checks>,
     true},
    {{"mysql-check", "[user <name> [<dialect>]]", "Checks MySQL servers."},
     parse_option_mysql_check},
    {{"persist", "", "Follows cookies to servers that are down."}, parse_flag<&S::persist>, true},
    {{"pgsql-check", "user <name>", "Checks PostgreSQL servers."}, parse_option_pgsql_check},
    {{"prefer-last-server", "", "Stays with the server of the previous request."},
     parse_flag<&S::prefer_last_server>,
     true},
    {{"redis-check", "", "Checks Redis servers."}, parse_option_redis_check},
    {{"redispatch", "[<interval>]", "Lets retries go to other servers."}, parse_redispatch, true},
    {{"smtpchk", "[<hello> <domain>]", "Checks SMTP servers."}, parse_option_smtpchk},
    {{"spop-check", "", "Checks SPOP agents."}, parse_option_spop_check},
    {{"ssl-hello-chk", "", "Checks servers by an SSL hello."}, parse_option_ssl_hello_chk},
    {{"tcp-check", "", "Checks servers by tcp-check steps."}, parse_option_tcp_check},
};

}  // namespace

std::span<const BackendRow> backend_keywords() { return kKeywords; }
std::span<const BackendRow> backend_options() { return kOptions; }

std::string state_file_path(const BackendSettings& settings, std::string_view backend,
                            const std::string& global_file, const std::string& base) {
  using From = BackendSettings::StateFrom;
  std::string path;
  if (settings.state_from == From::global) path = global_file;
  if (settings.state_from == From::local)
    path = settings.state_file_name.empty() ? std::string(backend) : settings.state_file_name;
  if (path.empty() || path[0] == '/' || base.empty()) return path;
  return base + '/' + path;
}

bool finish_settings(Backend& backend, config::Diagnostics& diagnostics) {
  const BackendSettings& s = backend.settings;
  bool good = true;
  if ((s.cookie_flags & kCookieDynamic) && s.dynamic_cookie_key.empty()) {
    diagnostics.alert({}, fmt::format("backend '{}': dynamic cookies need 'dynamic-cookie-key'",
                                      backend.state().name));
    good = false;
  }
  for (const auto& server : backend.servers()) {
    const std::string& named = server->settings().check.health_check;
    if (!named.empty() && check_draft(server->settings(), s) == nullptr) {
      diagnostics.alert(server->settings().at,
                        fmt::format("healthcheck section '{}' not found for server '{}'.", named,
                                    server->state().name));
      good = false;
      continue;
    }
    if (!server->settings().check_needs_port) continue;
    if (check_names_port(check_draft(server->settings(), s))) continue;
    diagnostics.alert(
        server->settings().at,
        fmt::format("server {} has neither service port nor check port, nor tcp_check rule "
                    "'connect' with port information",
                    server->state().name));
    good = false;
  }
  return good;
}

}  // namespace upstream

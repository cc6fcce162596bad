// "option …" (the manual's section 4.2). Most are one bit; the rest have a function.
#include <fmt/format.h>

#include <algorithm>

#include "app/proxy_keywords/keyword.h"
#include "base/text.h"
#include "upstream/parse.h"

namespace app {

namespace {

using proxy::Option;

struct OptionRow : config::Keyword {
  std::uint8_t sides;
  bool may_negate;
  bool (*parse)(ProxyContext&);  // null: the bit alone
  Option bit = Option::count_;
  std::string_view no_effect = {};
};

bool on(const ProxyContext& context) { return !context.negated && !context.reset; }

// httpclose, http-server-close and http-keep-alive exclude each other; the last one written holds.
bool connection_mode(ProxyContext& context) {
  auto& options = context.proxy().options;
  const std::string_view name = context.args.line()[context.args.index() - 1];
  const Option mine = name == "httpclose"           ? Option::httpclose
                      : name == "http-server-close" ? Option::http_server_close
                                                    : Option::count_;
  if (!on(context)) {
    if (mine != Option::count_) options.set(mine, false);
    return true;
  }
  options.set(Option::httpclose, mine == Option::httpclose);
  options.set(Option::http_server_close, mine == Option::http_server_close);
  return true;
}

bool network(std::string_view text, std::pair<net::Ip, unsigned>& out) {
  const std::size_t slash = text.find('/');
  out.first = net::Ip::parse(text.substr(0, slash));
  if (out.first.family == 0) return false;
  const unsigned bits = out.first.family == AF_INET ? 32 : 128;
  out.second = bits;
  if (slash == text.npos) return true;
  const std::string_view mask = text.substr(slash + 1);
  if (auto length = base::parse_int<unsigned>(mask)) {
    out.second = *length;
    return *length <= bits;
  }
  // 255.255.0.0
  const net::Ip dotted = net::Ip::parse(mask);
  if (dotted.family != AF_INET || bits != 32) return false;
  const std::uint32_t value = ntohl(dotted.v4.s_addr);
  out.second = value == 0 ? 0 : 32 - static_cast<unsigned>(__builtin_ctz(value));
  return value == 0 || ~value == (value & (~value + 1)) - 1;
}

bool forwarding_header(ProxyContext& context, proxy::ForwardFor& into, std::string_view what,
                       std::string_view header) {
  auto& args = context.args;
  into = {};
  into.header = header;
  if (!on(context)) return true;
  into.enabled = true;
  while (!args.done()) {
    if (args.accept("except")) {
      std::pair<net::Ip, unsigned> except;
      if (!network(args.peek(), except))
        return args.error(
            fmt::format("'option {} except' expects <address>[/mask] as argument.", what));
      args.next();
      into.except.push_back(except);
    } else if (args.accept("header")) {
      if (args.done())
        return args.error(
            fmt::format("'option {} header' expects <header_name> as argument.", what));
      into.header = args.next();
    } else if (what == "forwardfor" && args.accept("if-none")) {
      into.if_none = true;
    } else {
      return args.error(
          fmt::format("'option {}' only supports optional values: 'except', 'header'"
                      "{}.",
                      what, what == "forwardfor" ? " and 'if-none'" : ""));
    }
  }
  return true;
}

bool forward_for(ProxyContext& context) {
  context.proxy().options.set(Option::forwardfor, on(context));
  return forwarding_header(context, context.proxy().forward_for, "forwardfor", "x-forwarded-for");
}

bool original_to(ProxyContext& context) {
  context.proxy().options.set(Option::originalto, on(context));
  return forwarding_header(context, context.proxy().original_to, "originalto", "x-original-to");
}

bool forwarded(ProxyContext& context) {
  if (!on(context)) {
    context.proxy().forwarded = {};
    return true;
  }
  auto& args = context.args;
  proxy::Forwarded& wanted = context.proxy().forwarded;
  wanted = {};
  wanted.enabled = true;
  if (args.done()) wanted.proto = wanted.from.given = true;
  struct Word {
    std::string_view name;
    proxy::Forwarded::Part* part;
  };
  const Word words[] = {{"host", &wanted.host},
                        {"by", &wanted.by},
                        {"by_port", &wanted.by_port},
                        {"for", &wanted.from},
                        {"for_port", &wanted.from_port}};
  while (!args.done()) {
    const std::string_view word = args.next();
    if (word == "proto") {
      wanted.proto = true;
      continue;
    }
    const bool by_expression = word.ends_with("-expr");
    const std::string_view name = by_expression ? word.substr(0, word.size() - 5) : word;
    const auto* found = std::find_if(std::begin(words), std::end(words),
                                     [&](const Word& row) { return row.name == name; });
    if (found == std::end(words))
      return args.error_at_previous(
          fmt::format("'option forwarded' : unknown argument '{}'.", word));
    found->part->given = true;
    if (!by_expression) continue;
    auto text = args.text(word);
    if (!text) return false;
    auto where = context.expressions(txn::Point::http_request, "'option forwarded'");
    auto expression = expr::Expression::parse(*text, where, args.previous());
    if (!expression)
      return args.error_at_previous(fmt::format("'option forwarded' : {}", expression.error()));
    found->part->expression = std::move(*expression);
  }
  return true;
}

bool log_option(ProxyContext& context, LogOption choice) {
  ProxyDraft& draft = context.draft;
  if (draft.side == kInBackend) {
    context.diagnostics().warning(
        context.args.line().at(),
        fmt::format("backend '{}' : 'option {}' directive is ignored in backends.", draft.name,
                    context.args.line()[context.args.index() - 1]));
    while (!context.args.done()) context.args.next();
    return true;
  }
  if (draft.log_format.given && !draft.is_defaults() && draft.base != nullptr &&
      !draft.base->log_format.given)
    context.diagnostics().diagnostic(context.args.line().at(),
                                     "this replaces the 'log-format' of an earlier line");
  draft.log_format = {};
  draft.log_option = on(context) ? choice : LogOption::none;
  draft.log_option_at = context.args.line().at();
  return true;
}

bool http_log(ProxyContext& context) {
  const bool clf = context.args.accept("clf");
  if (!clf && !context.args.done())
    return context.args.error("keyword 'option httplog' only supports optional 'clf'.");
  return log_option(context, clf ? LogOption::http_clf : LogOption::http);
}

bool tcp_log(ProxyContext& context) {
  const bool clf = context.args.accept("clf");
  if (!clf && !context.args.done())
    return context.args.error("keyword 'option tcplog' only supports optional 'clf'.");
  return log_option(context, clf ? LogOption::tcp_clf : LogOption::tcp);
}

bool https_log(ProxyContext& context) { return log_option(context, LogOption::https); }

bool tcp_keep_alive(ProxyContext& context) {
  auto& options = context.proxy().options;
  options.set(Option::clitcpka, on(context));
  options.set(Option::srvtcpka, on(context));
  return true;
}

bool restrict_names(ProxyContext& context) {
  auto& args = context.args;
  const std::string_view word = args.peek();
  if (word != "preserve" && word != "reject" && word != "delete")
    return args.error(fmt::format(
        "invalid parameter '{}'. option 'http-restrict-req-hdr-names' expects 'preserve', "
        "'reject' or 'delete' option.",
        word));
  args.next();
  context.proxy().options.set(Option::http_restrict_reject, word == "reject");
  context.proxy().options.set(Option::http_restrict_delete, word == "delete");
  return true;
}

bool deprecated_response(ProxyContext& context) {
  if (!context.assembly.settings().deprecated)
    context.diagnostics().warning(
        context.args.line().at(),
        "option 'accept-invalid-http-response' is deprecated. please use 'option "
        "accept-unsafe-violations-in-http-response' if absolutely needed.");
  context.proxy().options.set(Option::accept_unsafe_response, on(context));
  return true;
}

bool deprecated_request(ProxyContext& context) {
  if (!context.assembly.settings().deprecated)
    context.diagnostics().warning(
        context.args.line().at(),
        "option 'accept-invalid-http-request' is deprecated. please use 'option "
        "accept-unsafe-violations-in-http-request' if absolutely needed.");
  context.proxy().options.set(Option::accept_unsafe_request, on(context));
  return true;
}

bool removed(ProxyContext& context) {
  return context.args.error_at_previous(
      fmt::format("option '{}' is not supported any more, please just remove it.",
                  context.args.line()[context.args.index() - 1]));
}

constexpr std::string_view kNoHttp2 = "HTTP/2 is not available yet";
constexpr std::string_view kConnectionAlone = "the Connection header alone says what becomes of it";
constexpr std::string_view kKernel = "the kernel delays acknowledgements by itself";
constexpr std::string_view kRelay = "data is relayed without needless copies already";
constexpr std::string_view kNoBuffers =
    "a queued request keeps the buffer it came in, and copies are as large as what they hold";

constexpr std::uint8_t F = kInFrontend, B = kInBackend, L = kInListen;

// clang-format off
constexpr OptionRow kOptions[] = {
    {{"abortonclose", "", "Drops waiting requests of clients that left."}, L, true, nullptr, Option::abortonclose},
    {{"accept-invalid-http-request", "", "Deprecated."}, F, true, deprecated_request},
    {{"accept-invalid-http-response", "", "Deprecated."}, B, true, deprecated_response},
    {{"accept-unsafe-violations-in-http-request", "", "Accepts some malformed requests."}, F, true, nullptr, Option::accept_unsafe_request},
    {{"accept-unsafe-violations-in-http-response", "", "Accepts some malformed responses."}, B, true, nullptr, Option::accept_unsafe_response},
    {{"checkcache", "", "Refuses cacheable responses that set cookies."}, B, true, nullptr, Option::checkcache},
    {{"clitcpka", "", "TCP keep-alive towards clients."}, F, true, nullptr, Option::clitcpka},
    {{"contstats", "", "Counts the bytes of long exchanges every 5 seconds, not at their end alone."}, F, true, nullptr, Option::contstats},
    {{"disable-h2-upgrade", "", "No upgrade to HTTP/2 on the first connection."}, F, true, nullptr, Option::disable_h2_upgrade, kNoHttp2},
    {{"dontlog-normal", "", "Logs failures only."}, F, true, nullptr, Option::dontlog_normal},
    {{"dontlognull", "", "Does not log connections without data."}, F, true, nullptr, Option::dontlognull},
    {{"forwarded", "[...]", "Adds the Forwarded header."}, B, true, forwarded},
    {{"forwardfor", "[except <network>] [header <name>] [if-none]", "Adds the client's address as a header."}, L, true, forward_for},
    {{"h1-case-adjust-bogus-client", "", "Adjusts the case of header names towards clients."}, F, true, nullptr, Option::h1_case_adjust_bogus_client},
    {{"h1-case-adjust-bogus-server", "", "Adjusts the case of header names towards servers."}, B, true, nullptr, Option::h1_case_adjust_bogus_server},
    {{"http-buffer-request", "", "Waits for the request body before rules run."}, L, true, nullptr, Option::http_buffer_request},
    {{"http-drop-request-trailers", "", "Drops trailers of requests."}, B, true, nullptr, Option::http_drop_request_trailers},
    {{"http-drop-response-trailers", "", "Drops trailers of responses."}, F, true, nullptr, Option::http_drop_response_trailers},
    {{"http-ignore-probes", "", "Silently closes connections without a request."}, F, true, nullptr, Option::http_ignore_probes},
    {{"http-keep-alive", "", "Keeps connections on both sides."}, L, true, connection_mode},
    {{"http-no-delay", "", "Forwards each segment at once."}, L, true, nullptr, Option::http_no_delay},
    {{"http-pretend-keepalive", "", "Tells servers that connections are kept."}, B, true, nullptr, Option::http_pretend_keepalive},
    {{"http-restrict-req-hdr-names", "preserve|delete|reject", "What becomes of unusual header names."}, L, false, restrict_names},
    {{"http-server-close", "", "Closes the connection to the server after each response."}, L, true, connection_mode},
    {{"http-tunnel", "", "Removed."}, L, true, removed},
    {{"http-use-proxy-header", "", "Uses the Proxy-Connection header."}, F, true, nullptr, Option::http_use_proxy_header, kConnectionAlone},
    {{"httpclose", "", "Closes both connections after each response."}, L, true, connection_mode},
    {{"forceclose", "", "Removed: use httpclose."}, L, true, removed},
    {{"httplog", "[clf]", "Logs requests with timers, states and captures."}, L, true, http_log},
    {{"httpslog", "", "As httplog, with facts of TLS."}, L, true, https_log},
    {{"idle-close-on-response", "", "Closes idle connections only after a response."}, F, true, nullptr, Option::idle_close_on_response},
    {{"independent-streams", "", "Bytes sent to a side do not keep it alive, bytes from it alone do."}, L, true, nullptr, Option::independent_streams},
    {{"log-separate-errors", "", "Logs failures at a higher level."}, F, true, nullptr, Option::log_separate_errors},
    {{"logasap", "", "Logs as soon as the response head is there."}, F, true, nullptr, Option::logasap},
    {{"nolinger", "", "Resets connections when they close."}, L, true, nullptr, Option::nolinger},
    {{"originalto", "[except <network>] [header <name>]", "Adds the original destination as a header."}, L, true, original_to},
    {{"socket-stats", "", "Counts for each listener."}, F, true, nullptr, Option::socket_stats},
    {{"splice-auto", "", "Splices where it helps."}, L, true, nullptr, Option::splice_auto, kRelay},
    {{"splice-request", "", "Splices requests."}, L, true, nullptr, Option::splice_request, kRelay},
    {{"splice-response", "", "Splices responses."}, L, true, nullptr, Option::splice_response, kRelay},
    {{"srvtcpka", "", "TCP keep-alive towards servers."}, B, true, nullptr, Option::srvtcpka},
    {{"tcp-smart-accept", "", "Saves an acknowledgement."}, F, true, nullptr, Option::tcp_smart_accept, kKernel},
    {{"tcp-smart-connect", "", "Saves an acknowledgement towards servers."}, B, true, nullptr, Option::tcp_smart_connect, kKernel},
    {{"tcpka", "", "TCP keep-alive on both sides."}, L, false, tcp_keep_alive},
    {{"tcplog", "[clf]", "Logs connections with timers and states."}, L, true, tcp_log},
    {{"transparent", "", "Connects to the client's destination."}, B, true, nullptr, Option::transparent},
    {{"use-small-buffers", "[queue|l7-retries|check]...", "Small buffers where they suffice, which nothing needs."}, B, true, nullptr, Option::use_small_buffers, kNoBuffers},
};

// clang-format on

bool use_small_buffers_words(config::Arguments& args) {
  while (!args.done())
    if (!args.accept("queue") && !args.accept("l7-retries") && !args.accept("check"))
      return args.error(
          fmt::format("invalid parameter '{}'. option 'use-small-buffers' expects 'queue', "
                      "'l7-retries' or 'check' value.",
                      args.peek()));
  return true;
}

std::vector<std::string_view> option_names() {
  std::vector<std::string_view> names;
  for (const config::Keyword* row : all_options()) names.push_back(row->name);
  return names;
}

bool option(ProxyContext& context) {
  auto& args = context.args;
  if (args.done()) return args.error("'option' expects an option name.");
  const std::string_view word = args.peek();
  const OptionRow* row = config::find(std::span<const OptionRow>(kOptions), word);
  if (row == nullptr) {
    const auto tried = parse_upstream_option(context);
    if (tried) return *tried;
    return args.error(fmt::format("unknown option '{}'", word), did_you_mean(word, option_names()));
  }
  args.next();
  if ((context.negated || context.reset) && !row->may_negate)
    return args.error_at_previous(fmt::format("negation is not supported for option '{}'.", word));
  if (!context.draft.is_defaults() && !(context.draft.side & row->sides)) {
    allowed(context, word, row->sides);
    while (!args.done()) args.next();
    return true;
  }
  if (!row->no_effect.empty())
    context.diagnostics().diagnostic(
        args.line().at(), fmt::format("'option {}' has no effect: {}.", word, row->no_effect));
  if (row->parse != nullptr) return row->parse(context);
  context.proxy().options.set(row->bit, on(context));
  // On by default where traffic is HTTP, so that being switched off is a fact of its own.
  if (row->bit == Option::abortonclose)
    context.proxy().options.set(Option::abortonclose_off, !on(context));
  if (row->bit == Option::use_small_buffers) return use_small_buffers_words(args);
  return true;
}

constexpr ProxyKeyword kTable[] = {
    {{"option", "<name> [args]", "Turns a feature on; 'no option' turns it off."},
     kInDefaults | kInListen,
     option,
     false,
     true},
};

}  // namespace

std::vector<const config::Keyword*> all_options() {
  std::vector<const config::Keyword*> rows;
  for (const OptionRow& row : kOptions) rows.push_back(&row);
  for (const auto& row : upstream::backend_options()) rows.push_back(&row);
  return rows;
}

std::string_view why_option_has_no_effect(std::string_view name) {
  const OptionRow* row = config::find(std::span<const OptionRow>(kOptions), name);
  return row == nullptr ? std::string_view() : row->no_effect;
}

std::span<const ProxyKeyword> option_keywords() { return kTable; }

}  // namespace app

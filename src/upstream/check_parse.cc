#include "upstream/check_parse.h"

#include <fmt/format.h>

#include <array>

#include "base/text.h"
#include "config/diagnostics.h"
#include "upstream/check/steps.h"

namespace upstream {

namespace {

using Parse = BackendParse;
using DraftKind = CheckDraft::Kind;

// The draft of this section.
CheckDraft& draft_of(Parse& p) {
  std::shared_ptr<CheckDraft>& draft = p.settings.check;
  if (draft == nullptr || draft->owner != &p.settings) {
    draft =
        draft == nullptr ? std::make_shared<CheckDraft>() : std::make_shared<CheckDraft>(*draft);
    draft->owner = &p.settings;
    draft->own_steps = draft->own_request = false;
  }
  return *draft;
}

// Adds a rule; the first one of a section replaces those of the defaults, and of the other
// protocol.
bool add(Parse& p, std::shared_ptr<const CheckStep> step, bool http) {
  CheckDraft& draft = draft_of(p);
  if (!draft.own_steps || draft.http_steps != http) draft.steps.clear();
  if (!draft.own_request) draft.request.reset();
  draft.own_steps = true;
  draft.http_steps = http;
  draft.steps.push_back(std::move(step));
  return true;
}

bool choose(Parse& p, DraftKind kind) {
  CheckDraft& draft = draft_of(p);
  const bool http = kind == DraftKind::http;
  // A new choice of the check ends the rules of the defaults.
  if (!draft.own_steps || ((kind == DraftKind::tcp || http) && draft.http_steps != http))
    draft.steps.clear();
  draft.kind = kind;
  return true;
}

std::shared_ptr<expr::LogFormat> parse_format(Parse& p, std::string_view what,
                                              expr::FormatUse use = expr::FormatUse::raw) {
  const config::Position at = p.args.here();
  const auto text = p.args.text(what);
  if (!text) return nullptr;
  return expr::LogFormat::parse(*text, p.context, at, use);
}

std::shared_ptr<expr::Expression> parse_expression(Parse& p, std::string_view what) {
  const config::Position at = p.args.here();
  const auto text = p.args.text(what);
  if (!text) return nullptr;
  auto expression = expr::Expression::parse(*text, p.context, at);
  if (expression) return std::move(*expression);
  p.args.error_at_previous(fmt::format("'{}': {}", what, expression.error()));
  return nullptr;
}

std::shared_ptr<const expr::Regex> parse_regex(Parse& p, std::string_view what,
                                               bool ignore_case = false) {
  const auto text = p.args.text(what);
  if (!text) return nullptr;
  auto regex = expr::Regex::compile(*text, ignore_case);
  if (regex) return *regex;
  p.args.error_at_previous(fmt::format("'{}': {}", what, regex.error()));
  return nullptr;
}

bool parse_comment_of(Parse& p, CheckStep& step) {
  const auto text = p.args.text("comment");
  if (text) step.comment = std::string(*text);
  return text.has_value();
}

// A lone comment belongs to the rule that follows.
std::string take_comment(Parse& p) {
  const auto& draft = p.settings.check;
  if (draft == nullptr || draft->owner != &p.settings || !draft->own_steps ||
      draft->steps.empty() || draft->steps.back()->kind() != CheckStep::Kind::comment)
    return {};
  return draft->steps.back()->comment;
}

bool parse_connect_word(Parse& p, ConnectStep& step, std::string_view word) {
  if (word == "default") {
    step.defaults = true;
  } else if (word == "send-proxy") {
    step.send_proxy = true;
  } else if (word == "linger") {
    step.linger = true;
  } else if (word == "comment") {
    return parse_comment_of(p, step);
  } else if (word == "port") {
    if (const auto number = base::parse_int<int>(p.args.peek())) {
      if (*number < 1 || *number > 65535)
        return p.args.error("'port' expects a number from 1 to 65535");
      p.args.next();
      step.port = static_cast<std::uint16_t>(*number);
    } else {
      step.port_expression = parse_expression(p, "port");
      return step.port_expression != nullptr;
    }
  } else if (word == "addr") {
    const auto text = p.args.text("addr");
    if (!text) return false;
    const auto spec = net::parse_address(*text);
    if (!spec) return p.args.error_at_previous(fmt::format("'addr': {}", spec.error()));
    step.ip = net::Ip::parse(spec->host);
    if (step.ip.family == 0)
      return p.args.error_at_previous(fmt::format("'addr' expects an IP address, not '{}'", *text));
    step.address_port = spec->port_low;
  } else if (word == "proto") {
    const auto text = p.args.text("proto");
    if (!text) return false;
    if (*text != "h1" && *text != "none")
      return p.args.error_at_previous(
          fmt::format("protocol '{}' in checks is not there yet", *text));
  } else if (word == "ssl" || word == "sni" || word == "alpn") {
    return p.args.error_at_previous(
        fmt::format("'{}' needs TLS to servers, which is not there yet", word));
  } else if (word == "via-socks4") {
    step.via_socks4 = true;
  } else {
    return p.args.error_at_previous(
        fmt::format("'connect' does not know '{}'", word),
        "expected default, port, addr, send-proxy, linger, proto or comment");
  }
  return true;
}

bool parse_connect(Parse& p, bool http) {
  auto step = std::make_shared<ConnectStep>();
  step->http = http;
  step->comment = take_comment(p);
  while (!p.args.done())
    if (!parse_connect_word(p, *step, p.args.next())) return false;
  return add(p, std::move(step), http);
}

bool parse_comment(Parse& p, bool http) {
  auto step = std::make_shared<CommentStep>();
  return parse_comment_of(p, *step) && p.args.expect_end() && add(p, std::move(step), http);
}

bool parse_send(Parse& p, std::string_view word) {
  auto step = std::make_shared<SendStep>();
  step->comment = take_comment(p);
  step->hex = word.starts_with("send-binary");
  if (word.ends_with("-lf")) {
    step->format = parse_format(p, word);
    if (step->format == nullptr) return false;
  } else {
    const auto text = p.args.text(word);
    if (!text) return false;
    step->bytes = std::string(*text);
    if (step->hex) {
      auto bytes = from_hex(*text);
      if (!bytes)
        return p.args.error_at_previous(fmt::format(
            "'tcp-check {}' : '{}' invalid binary string ({}).", word, *text, bytes.error()));
      step->bytes = std::move(*bytes);
    }
  }
  if (p.args.accept("comment") && !parse_comment_of(p, *step)) return false;
  return p.args.expect_end() && add(p, std::move(step), false);
}

// "set-var(check.x) <expr>", "set-var-fmt(check.x) <fmt>", "unset-var(check.x)".
bool parse_variable(Parse& p, std::string_view word, bool http) {
  const std::size_t open = word.find('(');
  if (open == std::string_view::npos || word.back() != ')')
    return p.args.error_at_previous(fmt::format("'{}' expects a variable in parentheses", word));
  const std::string_view verb = word.substr(0, open);
  std::string_view name = word.substr(open + 1, word.size() - open - 2);
  if (name.find(',') != std::string_view::npos)
    return p.args.error_at_previous("conditions of 'set-var' in checks are not there yet");
  const auto variable = state::parse_variable(name);
  if (!variable) return p.args.error_at_previous(fmt::format("'{}' is no variable", name));
  if (variable->scope != state::Scope::process && variable->scope != state::Scope::session &&
      variable->scope != state::Scope::check)
    return p.args.error_at_previous(
        fmt::format("'{}': only the scopes proc, sess and check exist in checks", name));
  auto step = std::make_shared<VariableStep>();
  step->name = *variable;
  if (verb == "set-var") {
    step->expression = parse_expression(p, verb);
    if (step->expression == nullptr) return false;
  } else if (verb == "set-var-fmt") {
    step->format = parse_format(p, verb);
    if (step->format == nullptr) return false;
  }
  return p.args.expect_end() && add(p, std::move(step), http);
}

using StatusName = std::pair<std::string_view, state::CheckStatus>;
constexpr StatusName kOkStatuses[] = {{"L7OK", state::CheckStatus::l7_ok},
                                      {"L7OKC", state::CheckStatus::l7_ok_conditional},
                                      {"L6OK", state::CheckStatus::l6_ok},
                                      {"L4OK", state::CheckStatus::l4_ok}};
constexpr StatusName kErrorStatuses[] = {{"L7OKC", state::CheckStatus::l7_ok_conditional},
                                         {"L7RSP", state::CheckStatus::l7_response},
                                         {"L7STS", state::CheckStatus::l7_status},
                                         {"L6RSP", state::CheckStatus::l6_response},
                                         {"L4CON", state::CheckStatus::l4_connection}};
constexpr StatusName kTimeoutStatuses[] = {{"L7TOUT", state::CheckStatus::l7_timeout},
                                           {"L6TOUT", state::CheckStatus::l6_timeout},
                                           {"L4TOUT", state::CheckStatus::l4_timeout}};

bool parse_status(Parse& p, std::string_view word, std::span<const StatusName> names,
                  state::CheckStatus& out) {
  const auto text = p.args.text(word);
  if (!text) return false;
  for (const auto& [name, status] : names) {
    if (name != *text) continue;
    out = status;
    return true;
  }
  std::string expected;
  for (const auto& [name, status] : names)
    expected += fmt::format("{}{}", expected.empty() ? "" : ", ", name);
  return p.args.error_at_previous(fmt::format("'{}' does not know '{}'", word, *text),
                                  "expected " + expected);
}

// Options in front of the match. True while the word was one; `good` tells whether it was right.
bool parse_expect_option(Parse& p, ExpectStep& step, bool& good) {
  const std::string_view word = p.args.peek();
  if (word == "min-recv") {
    p.args.next();
    const auto number = p.args.number(word, -1, 16384);
    if (number) step.min_receive = *number;
    good = number.has_value();
  } else if (word == "comment") {
    p.args.next();
    good = parse_comment_of(p, step);
  } else if (word == "ok-status") {
    p.args.next();
    good = parse_status(p, word, kOkStatuses, step.ok_status);
  } else if (word == "error-status") {
    p.args.next();
    step.error_status_given = true;
    good = parse_status(p, word, kErrorStatuses, step.error_status);
  } else if (word == "tout-status") {
    p.args.next();
    good = parse_status(p, word, kTimeoutStatuses, step.timeout_status);
  } else if (word == "on-success" || word == "on-error") {
    p.args.next();
    auto format = parse_format(p, word);
    good = format != nullptr;
    (word == "on-success" ? step.on_success : step.on_error) = std::move(format);
  } else if (word == "status-code") {
    p.args.next();
    step.status_code = parse_expression(p, word);
    good = step.status_code != nullptr;
  } else if (word == "!") {
    p.args.next();
    step.negated = !step.negated;
    good = true;
  } else {
    return false;
  }
  return true;
}

// The match keyword, which "!" may be written against.
std::optional<std::string_view> match_word(Parse& p, ExpectStep& step, std::string_view rule) {
  bool good = true;
  while (!p.args.done() && parse_expect_option(p, step, good))
    if (!good) return std::nullopt;
  const auto text = p.args.text(rule);
  if (!text) return std::nullopt;
  std::string_view word = *text;
  if (word.starts_with('!')) {
    step.negated = !step.negated;
    word.remove_prefix(1);
  }
  return word;
}

bool parse_tcp_expect(Parse& p) {
  using Match = TcpExpectStep::Match;
  auto step = std::make_shared<TcpExpectStep>();
  step->comment = take_comment(p);
  const auto word = match_word(p, *step, "tcp-check expect");
  if (!word) return false;
  if (*word == "string" || *word == "binary") {
    const auto text = p.args.text(*word);
    if (!text) return false;
    step->match = *word == "string" ? Match::string : Match::binary;
    step->written = step->pattern = std::string(*text);
    if (step->match == Match::binary) {
      auto bytes = from_hex(*text);
      if (!bytes)
        return p.args.error_at_previous(fmt::format(
            "'tcp-check expect binary' : '{}' invalid binary string ({}).", *text, bytes.error()));
      step->pattern = std::move(*bytes);
    }
  } else if (*word == "rstring" || *word == "rbinary") {
    step->match = *word == "rstring" ? Match::regex : Match::binary_regex;
    step->regex = parse_regex(p, *word);
    if (step->regex == nullptr) return false;
  } else if (*word == "string-lf" || *word == "binary-lf") {
    step->match = *word == "string-lf" ? Match::format : Match::binary_format;
    step->format = parse_format(p, *word);
    if (step->format == nullptr) return false;
  } else {
    return p.args.error_at_previous(
        fmt::format("'tcp-check expect' does not know '{}'", *word),
        "expected [!]binary, string, rstring, rbinary, string-lf or binary-lf");
  }
  bool good = true;
  while (!p.args.done() && parse_expect_option(p, *step, good))
    if (!good) return false;
  return p.args.expect_end() && add(p, std::move(step), false);
}

// "200,300-310"
bool parse_statuses(Parse& p, HttpExpectStep& step) {
  const auto text = p.args.text("status");
  if (!text) return false;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    const std::string_view range = rest.substr(0, comma);
    const std::size_t dash = range.find('-');
    const auto low = base::parse_int<int>(range.substr(0, dash));
    const auto high =
        dash == std::string_view::npos ? low : base::parse_int<int>(range.substr(dash + 1));
    if (!low || !high || *low < 100 || *high > 999 || *low > *high)
      return p.args.error_at_previous(fmt::format("'{}' is no status code or range", range));
    step.statuses.emplace_back(*low, *high);
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  return true;
}

// "[-m <method>] <text>" behind name, name-lf, value or value-lf.
bool parse_header_text(Parse& p, HeaderText& out, bool is_format, bool is_name) {
  using How = HeaderText::How;
  if (p.args.accept("-m")) {
    const auto method = p.args.text("-m");
    if (!method) return false;
    static constexpr std::pair<std::string_view, How> kMethods[] = {{"str", How::equal},
                                                                    {"beg", How::begins},
                                                                    {"end", How::ends},
                                                                    {"sub", How::contains},
                                                                    {"reg", How::regex}};
    const auto* found = std::find_if(std::begin(kMethods), std::end(kMethods),
                                     [&](const auto& pair) { return pair.first == *method; });
    if (found == std::end(kMethods))
      return p.args.error_at_previous(fmt::format("'-m' does not know '{}'", *method),
                                      "expected str, beg, end, sub or reg");
    out.how = found->second;
  }
  if (out.how == How::regex) {
    if (is_format) return p.args.error("a regular expression cannot be a log-format");
    out.regex = parse_regex(p, "-m reg", is_name);
    return out.regex != nullptr;
  }
  if (is_format) {
    out.format = parse_format(p, "hdr");
    return out.format != nullptr;
  }
  const auto text = p.args.text("hdr");
  if (text) out.text = std::string(*text);
  return text.has_value();
}

bool parse_header_match(Parse& p, HttpExpectStep& step) {
  const bool name_format = p.args.peek() == "name-lf";
  if (!p.args.accept("name") && !p.args.accept("name-lf"))
    return p.args.error("'hdr' and 'fhdr' expect 'name' or 'name-lf'");
  if (!parse_header_text(p, step.name, name_format, true)) return false;
  const bool value_format = p.args.peek() == "value-lf";
  if (!p.args.accept("value") && !p.args.accept("value-lf")) return true;
  return parse_header_text(p, step.value.emplace(), value_format, false);
}

bool parse_http_expect(Parse& p) {
  using Match = HttpExpectStep::Match;
  auto step = std::make_shared<HttpExpectStep>();
  step->comment = take_comment(p);
  const auto word = match_word(p, *step, "http-check expect");
  if (!word) return false;
  bool good = true;
  if (*word == "status") {
    step->match = Match::status;
    good = parse_statuses(p, *step);
  } else if (*word == "rstatus" || *word == "rstring") {
    step->match = *word == "rstatus" ? Match::status_regex : Match::regex;
    step->regex = parse_regex(p, *word);
    good = step->regex != nullptr;
  } else if (*word == "string") {
    step->match = Match::string;
    const auto text = p.args.text(*word);
    good = text.has_value();
    if (good) step->pattern = std::string(*text);
  } else if (*word == "string-lf") {
    step->match = Match::format;
    step->format = parse_format(p, *word);
    good = step->format != nullptr;
  } else if (*word == "hdr" || *word == "fhdr") {
    step->match = *word == "hdr" ? Match::header : Match::full_header;
    good = parse_header_match(p, *step);
  } else {
    return p.args.error_at_previous(
        fmt::format("'http-check expect' does not know '{}'", *word),
        "expected [!]string, rstring, string-lf, status, rstatus, hdr or fhdr");
  }
  if (!good) return false;
  while (!p.args.done() && parse_expect_option(p, *step, good))
    if (!good) return false;
  return p.args.expect_end() && add(p, std::move(step), true);
}

bool parse_http_send_word(Parse& p, HttpSendStep& step, std::string_view word) {
  const auto store = [&](std::string& into) {
    const auto text = p.args.text(word);
    if (text) into = std::string(*text);
    return text.has_value();
  };
  if (word == "meth") return store(step.method);
  if (word == "uri") return store(step.target);
  if (word == "ver") return store(step.version);
  if (word == "body") return store(step.body);
  if (word == "comment") return parse_comment_of(p, step);
  if (word == "uri-lf") return (step.target_format = parse_format(p, word)) != nullptr;
  if (word == "body-lf") return (step.body_format = parse_format(p, word)) != nullptr;
  if (word == "hdr") {
    const auto name = p.args.text("hdr");
    if (!name) return false;
    auto format = parse_format(p, "hdr", expr::FormatUse::rule);
    if (format == nullptr) return false;
    step.headers.emplace_back(base::to_lower(*name), std::move(format));
    return true;
  }
  return p.args.error_at_previous(fmt::format("'http-check send' does not know '{}'", word),
                                  "expected meth, uri, uri-lf, ver, hdr, body, body-lf or comment");
}

bool parse_http_send(Parse& p) {
  auto step = std::make_shared<HttpSendStep>();
  step->comment = take_comment(p);
  while (!p.args.done())
    if (!parse_http_send_word(p, *step, p.args.next())) return false;
  return add(p, std::move(step), true);
}

// "HTTP/1.1\r\nHost:\ www": headers behind the version, an old trick that still works.
bool parse_version_and_headers(Parse& p, HttpSendStep& step, std::string_view text,
                               config::Position at) {
  const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
  step.version = std::string(text.substr(0, end));
  text.remove_prefix(end);
  while (!text.empty()) {
    text.remove_prefix(std::min(text.find_first_not_of("\r\n"), text.size()));
    const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
    text.remove_prefix(line.size());
    const std::size_t colon = line.find(':');
    if (line.empty()) continue;
    if (colon == std::string_view::npos)
      return p.args.error_at_previous(fmt::format("'{}' behind the version is no header", line));
    std::string value;
    for (const char c : base::trim(line.substr(colon + 1))) value.append(c == '%' ? 2 : 1, c);
    auto format = expr::LogFormat::parse(value, p.context, at);
    if (format == nullptr) return false;
    step.headers.emplace_back(base::to_lower(line.substr(0, colon)), std::move(format));
  }
  return true;
}

}  // namespace

bool parse_http_check(BackendParse& p) {
  const auto word = p.args.text("http-check");
  if (!word) return false;
  if (*word == "connect") return parse_connect(p, true);
  if (*word == "send") return parse_http_send(p);
  if (*word == "expect") return parse_http_expect(p);
  if (*word == "comment") return parse_comment(p, true);
  if (*word == "disable-on-404" || *word == "send-state") {
    (*word == "send-state" ? draft_of(p).send_state : draft_of(p).disable_on_404) = true;
    return p.args.expect_end();
  }
  if (word->starts_with("set-var(") || word->starts_with("set-var-fmt(") ||
      word->starts_with("unset-var("))
    return parse_variable(p, *word, true);
  return p.args.error_at_previous(
      fmt::format("'http-check' does not know '{}'", *word),
      "expected connect, send, expect, comment, set-var, set-var-fmt, unset-var, "
      "disable-on-404 or send-state");
}

bool parse_tcp_check(BackendParse& p) {
  const auto word = p.args.text("tcp-check");
  if (!word) return false;
  if (*word == "connect") return parse_connect(p, false);
  if (*word == "send" || *word == "send-lf" || *word == "send-binary" || *word == "send-binary-lf")
    return parse_send(p, *word);
  if (*word == "expect") return parse_tcp_expect(p);
  if (*word == "comment") return parse_comment(p, false);
  if (word->starts_with("set-var(") || word->starts_with("set-var-fmt(") ||
      word->starts_with("unset-var("))
    return parse_variable(p, *word, false);
  return p.args.error_at_previous(
      fmt::format("'tcp-check' does not know '{}'", *word),
      "expected connect, send, send-lf, send-binary, send-binary-lf, expect, comment, "
      "set-var, set-var-fmt or unset-var");
}

bool parse_external_check(BackendParse& p) {
  const auto word = p.args.text("external-check");
  if (!word) return false;
  if (*word != "command" && *word != "path")
    return p.args.error_at_previous(fmt::format("'external-check' does not know '{}'", *word),
                                    "expected command or path");
  const auto value = p.args.text(*word);
  if (value)
    (*word == "command" ? p.settings.external_command : p.settings.external_path) =
        std::string(*value);
  return value && p.args.expect_end();
}

bool parse_option_httpchk(BackendParse& p) {
  auto step = std::make_shared<HttpSendStep>();
  if (!p.args.done()) {
    const std::string first(p.args.next());
    if (p.args.done()) {
      step->target = first;
    } else {
      step->method = first;
      step->target = std::string(p.args.next());
    }
  }
  if (!p.args.done()) {
    const config::Position at = p.args.here();
    const std::string version(p.args.next());
    if (!version.starts_with("HTTP/1."))
      return p.args.error_at_previous(
          fmt::format("'option httpchk': '{}' is no HTTP/1 version", version));
    if (!parse_version_and_headers(p, *step, version, at)) return false;
  }
  if (!p.args.done()) {
    auto host = parse_format(p, "host", expr::FormatUse::rule);
    if (host == nullptr) return false;
    step->headers.emplace_back("host", std::move(host));
  }
  if (!p.args.expect_end()) return false;
  choose(p, DraftKind::http);
  draft_of(p).request = std::move(step);
  draft_of(p).own_request = true;
  return true;
}

bool parse_option_tcp_check(BackendParse& p) {
  return p.args.expect_end() && choose(p, DraftKind::tcp);
}
bool parse_option_ldap_check(BackendParse& p) {
  return p.args.expect_end() && choose(p, DraftKind::ldap);
}
bool parse_option_redis_check(BackendParse& p) {
  return p.args.expect_end() && choose(p, DraftKind::redis);
}
bool parse_option_spop_check(BackendParse& p) {
  return p.args.expect_end() && choose(p, DraftKind::spop);
}
bool parse_option_ssl_hello_chk(BackendParse& p) {
  return p.args.expect_end() && choose(p, DraftKind::ssl_hello);
}
bool parse_option_external_check(BackendParse& p) {
  return p.args.expect_end() && choose(p, DraftKind::external);
}

bool parse_option_smtpchk(BackendParse& p) {
  choose(p, DraftKind::smtp);
  CheckDraft& draft = draft_of(p);
  draft.user = draft.dialect = {};
  if (p.args.done()) return true;
  // Other words than HELO and EHLO mean the default (manual, "option smtpchk").
  const std::string hello(p.args.next());
  const auto domain = p.args.text("option smtpchk");
  if (!domain) return false;
  draft.dialect = hello == "EHLO" || hello == "HELO" ? hello : std::string();
  draft.user = std::string(*domain);
  return p.args.expect_end();
}

bool parse_option_mysql_check(BackendParse& p) {
  choose(p, DraftKind::mysql);
  CheckDraft& draft = draft_of(p);
  draft.user = draft.dialect = {};
  if (p.args.done()) return true;
  if (!p.args.accept("user")) return p.args.error("'option mysql-check' expects 'user <name>'");
  const auto user = p.args.text("user");
  if (!user) return false;
  draft.user = std::string(*user);
  draft.dialect = "post-41";
  if (!p.args.done()) {
    draft.dialect = std::string(p.args.next());
    if (draft.dialect != "post-41" && draft.dialect != "pre-41" && draft.dialect != "post-80")
      return p.args.error_at_previous(
          fmt::format("'option mysql-check' does not know '{}'", draft.dialect),
          "expected post-41, pre-41 or post-80");
  }
  return p.args.expect_end();
}

bool parse_option_pgsql_check(BackendParse& p) {
  if (!p.args.accept("user")) return p.args.error("'option pgsql-check' expects 'user <name>'");
  const auto user = p.args.text("user");
  if (!user) return false;
  choose(p, DraftKind::pgsql);
  draft_of(p).user = std::string(*user);
  return p.args.expect_end();
}

bool check_names_port(const CheckDraft* draft) {
  if (draft == nullptr) return false;
  for (const auto& step : draft->steps)
    if (step->kind() == CheckStep::Kind::connect)
      return static_cast<const ConnectStep&>(*step).names_port();
  return false;
}

}  // namespace upstream

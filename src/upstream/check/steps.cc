#include "upstream/check/steps.h"

#include <fmt/format.h>

#include "base/text.h"
#include "expr/variables.h"
#include "upstream/proxy_header.h"

namespace upstream {

base::Result<std::string> from_hex(std::string_view digits) {
  if (digits.size() % 2 != 0)
    return base::fail(std::string("an even number of hex digit is expected"));
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const int high = base::hex_digit(digits[i]), low = base::hex_digit(digits[i + 1]);
    if (high < 0 || low < 0)
      return base::fail(
          fmt::format("an hex digit is expected (found '{}')", digits[high < 0 ? i : i + 1]));
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

std::string ConnectStep::what() const {
  if (port != 0) return fmt::format("connect port {}", port);
  return port_expression != nullptr ? "connect port (expression)" : "connect";
}

bool ConnectStep::target(CheckRun& run, net::Address& to) const {
  to = run.checker.target();
  if (ip.family != 0) {
    const std::uint16_t kept = address_port != 0 ? address_port : to.port();
    to = net::Address::of(ip, kept);
  }
  if (port != 0) to.set_port(port);
  if (port_expression != nullptr) {
    state::Value value;
    if (!port_expression->evaluate(run.context, value) ||
        !expr::cast(value, state::Type::integer, run.context.arena) || value.integer < 1 ||
        value.integer > 65535)
      return run.fail(state::CheckStatus::socket_error, "the port is not a number from 1 to 65535");
    to.set_port(static_cast<std::uint16_t>(value.integer));
  }
  if (to.is_ip() && to.port() == 0)
    return run.fail(state::CheckStatus::socket_error, "there is no port to connect to");
  return true;
}

// A check is the first request of its session, as the policy of the backend sees it, and nothing on
// the line, in the rules or said at run time makes its connection another than those of requests
// (manual, "check-reuse-pool").
bool ConnectStep::may_share(CheckRun& run, const net::Address& to) const {
  const ServerSettings& settings = run.checker.server().settings();
  const ProbeSettings& probe = run.checker.probe();
  const PoolPolicy policy = run.checker.server().backend().settings.reuse;
  if (policy != PoolPolicy::aggressive && policy != PoolPolicy::always) return false;
  return settings.check_reuse_pool && implicit && http && probe.port == 0 && !probe.has_address &&
         !probe.send_proxy && settings.send_proxy == 0 &&
         settings.source.use == SourceSettings::From::unset &&
         to.text() == run.checker.server().address().text();
}

base::Result<void, net::IoError> ConnectStep::open(CheckRun& run, const net::Address& to) const {
  Server& server = run.checker.server();
  const ServerSettings& settings = server.settings();
  if (may_share(run, to)) {
    auto link = server.connect_for_check(settings.connect, run.connect_deadline());
    if (!link) return base::fail(link.error());
    run.connection = std::move(link->connection);
    run.link = std::move(*link);
    return {};
  }
  net::ConnectOptions options = settings.connect;
  if (!via_socks4 && !((implicit || defaults) && settings.check_via_socks4)) options.socks4 = {};
  auto fresh = net::connect(to, options, run.connect_deadline());
  if (!fresh) return base::fail(fresh.error());
  run.connection = std::move(*fresh);
  return {};
}

bool ConnectStep::run(CheckRun& run) const {
  Checker& checker = run.checker;
  const ServerSettings& settings = checker.server().settings();
  net::Address to;
  if (!target(run, to)) return false;
  if (run.connection && !run.clean_close) run.connection->reset_on_close();
  run.connection.reset();
  run.input.clear();
  run.over = run.head_parsed = false;
  run.clean_close = linger || http;
  const auto opened = open(run, to);
  if (!opened) {
    const std::string place = http ? std::string() : place_of(run, *this, what());
    if (opened.error() == net::IoError::timed_out)
      return run.fail(state::CheckStatus::l4_timeout, place);
    const bool refused = opened.error() == net::IoError::refused ||
                         opened.error() == net::IoError::unreachable ||
                         opened.error() == net::IoError::reset;
    return run.fail(refused ? state::CheckStatus::l4_connection : state::CheckStatus::socket_error,
                    CheckRun::error_text(opened.error()) + place);
  }
  run.session.connection = run.connection.get();
  run.connected();
  // Implicit connects speak as the server line says, unless they go elsewhere (manual, "check").
  const ProbeSettings& probe = checker.probe();
  const bool as_server = implicit || defaults;
  const bool elsewhere = probe.port != 0 || probe.has_address;
  const bool inherited =
      as_server && (probe.send_proxy || (settings.send_proxy != 0 && !elsewhere));
  if (send_proxy || inherited) {
    const auto sent = run.connection->write(
        proxy_header_for_check(std::max(settings.send_proxy, 1), *run.connection,
                               checker.server().backend().settings.never_local),
        run.deadline());
    if (!sent)
      return run.fail(state::CheckStatus::socket_error, CheckRun::error_text(sent.error()));
  }
  run.pass(state::CheckStatus::l4_ok, implicit || http ? "" : "(tcp-check)");
  return true;
}

bool SendStep::run(CheckRun& run) const {
  bool sent = false;
  if (format == nullptr) {
    sent = run.send(bytes);
  } else {
    std::string text;
    format->format(run.context, text);
    if (hex) {
      auto binary = from_hex(text);
      if (!binary)
        return run.fail(state::CheckStatus::socket_error,
                        "no hex digits to send" + place_of(run, *this, "send"));
      text = std::move(*binary);
    }
    sent = run.send(text);
  }
  if (sent) return run.pass(state::CheckStatus::l7_ok, "(tcp-check)");
  run.outcome.text += place_of(run, *this, "send");
  return false;
}

bool VariableStep::run(CheckRun& run) const {
  state::Value value;
  if (expression != nullptr) {
    if (expression->evaluate(run.context, value)) expr::set_variable(run.context, name, value);
  } else if (format != nullptr) {
    value = state::Value::str(format->text(run.context));
    expr::set_variable(run.context, name, value);
  } else {
    expr::unset_variable(run.context, name);
  }
  return true;
}

namespace {

int evaluate_code(const expr::Expression* code, CheckRun& run, int usual) {
  state::Value value;
  if (code == nullptr || !code->evaluate(run.context, value) ||
      !expr::cast(value, state::Type::integer, run.context.arena))
    return usual;
  return static_cast<int>(value.integer);
}

}  // namespace

bool ExpectStep::succeed(CheckRun& run, std::string_view usual, int usual_code) const {
  std::string text(usual);
  if (on_success != nullptr) {
    text.clear();
    on_success->format(run.context, text);
  }
  return run.pass(ok_status, std::move(text), evaluate_code(status_code.get(), run, usual_code));
}

bool ExpectStep::mismatch(CheckRun& run, state::CheckStatus status, std::string usual,
                          int usual_code) const {
  if (on_error != nullptr) {
    usual.clear();
    on_error->format(run.context, usual);
  }
  return run.fail(error_status_given ? error_status : status, std::move(usual),
                  evaluate_code(status_code.get(), run, usual_code));
}

std::string TcpExpectStep::quoted() const {
  switch (match) {
    case Match::string:
    case Match::binary:
      return fmt::format("'{}'", written);
    case Match::regex:
      return "(regex)";
    case Match::binary_regex:
      return "(binary regex)";
    case Match::format:
      return "(log-format string)";
    case Match::binary_format:
      return "(log-format binary)";
  }
  return {};
}

std::string TcpExpectStep::what() const {
  switch (match) {
    case Match::string:
      return fmt::format("expect string '{}'", written);
    case Match::binary:
      return fmt::format("expect binary '{}'", written);
    case Match::regex:
      return "expect regex";
    case Match::binary_regex:
      return "expect binary regex";
    case Match::format:
      return "expect log-format string";
    case Match::binary_format:
      return "expect log-format binary";
  }
  return {};
}

bool TcpExpectStep::found(CheckRun& run, const std::string& wanted) const {
  if (match == Match::regex) return regex->matches(run.input);
  if (match != Match::binary_regex) return run.input.find(wanted) != std::string::npos;
  std::string hex;
  for (const char c : run.input) hex += fmt::format("{:02X}", static_cast<unsigned char>(c));
  return regex->matches(hex);
}

bool TcpExpectStep::read_failed(CheckRun& run, CheckRun::Read how) const {
  if (how == CheckRun::Read::timed_out) {
    std::string text = place_of(run, *this, what());
    return run.fail(timeout_status, std::move(text));
  }
  return run.fail(state::CheckStatus::socket_error,
                  CheckRun::error_text(run.read_error) + place_of(run, *this, what()));
}

bool TcpExpectStep::run(CheckRun& run) const {
  std::string wanted = pattern;
  if (format != nullptr) {
    wanted.clear();
    format->format(run.context, wanted);
    if (match == Match::binary_format) wanted = from_hex(wanted).value_or(std::string());
  }
  const bool exact = match != Match::regex && match != Match::binary_regex;
  std::size_t least = exact ? wanted.size() : 0;
  if (min_receive > 0) least = std::max(least, static_cast<std::size_t>(min_receive));
  if (exact && min_receive > 0)
    least = std::min(wanted.size(), static_cast<std::size_t>(min_receive));
  while (true) {
    if (run.input.size() < std::max<std::size_t>(least, 1) && !run.over) {
      const CheckRun::Read how = run.receive();
      if (how == CheckRun::Read::timed_out || (how == CheckRun::Read::failed && run.input.empty()))
        return read_failed(run, how);
      continue;
    }
    if (run.input.empty()) {
      std::string text = fmt::format("TCPCHK got an empty response at step {}", run.step);
      return mismatch(run, state::CheckStatus::l7_response, std::move(text), 0);
    }
    const bool matched = found(run, wanted);
    // Without a match more may come, unless the rule says how much is enough.
    if (!matched && !run.over && min_receive < 0) {
      const CheckRun::Read how = run.receive();
      if (how == CheckRun::Read::timed_out) return read_failed(run, how);
      continue;
    }
    if (matched != negated) return succeed(run, "(tcp-check)", 0);
    std::string text = fmt::format("TCPCHK {} {} at step {}",
                                   matched ? "matched unwanted content" : "did not match content",
                                   quoted(), run.step);
    if (!comment.empty()) text += fmt::format(" comment: '{}'", comment);
    return mismatch(run, state::CheckStatus::l7_response, std::move(text), 0);
  }
}

}  // namespace upstream

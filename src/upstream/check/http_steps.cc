// http-check send and http-check expect.
#include <fmt/format.h>

#include "base/text.h"
#include "http/h1.h"
#include "state/registry.h"
#include "upstream/check/steps.h"

namespace upstream {

std::string server_state_header(Checker& checker) {
  Server& server = checker.server();
  state::Server& st = server.state();
  const state::Proxy& proxy = server.backend().state();
  const net::Address address = server.address();
  std::uint32_t total_sessions = 0;
  for (const auto& other : server.backend().servers())
    total_sessions += other->state().sessions.load(std::memory_order_relaxed);
  int health = 0;
  {
    const std::lock_guard guard(st.mutex);
    health = st.check.health;
  }
  // As the statistics show it: how far on the way to the other state, where it is on one.
  const state::OperState oper = st.oper.load(std::memory_order_relaxed);
  std::string text = oper == state::OperState::stopped    ? "DOWN"
                     : oper == state::OperState::stopping ? "NOLB"
                                                          : "UP";
  if (oper == state::OperState::stopped && health != 0)
    text += fmt::format(" {}/{}", health, st.rise);
  else if (oper != state::OperState::stopped && health < st.rise + st.fall - 1)
    text += fmt::format(" {}/{}", health - st.rise + 1, st.fall);
  const std::string ip = address.is_ip() ? address.ip().text() : "unix";
  const std::string port = address.is_ip() ? fmt::to_string(address.port()) : "unix";
  const std::string& node = server.backend().registry().process().node;
  text += fmt::format(
      "; address={}; port={}; name={}/{}; node={}; weight={}/{}; scur={}/{}; qcur={}", ip, port,
      proxy.name, st.name, node, st.effective_weight.load(std::memory_order_relaxed),
      proxy.total_weight.load(std::memory_order_relaxed),
      st.sessions.load(std::memory_order_relaxed), total_sessions,
      st.queued.load(std::memory_order_relaxed));
  return text;
}

bool HttpSendStep::run(CheckRun& run) const {
  const std::string_view spoken =
      version.empty() ? std::string_view("HTTP/1.0") : std::string_view(version);
  std::string uri = target.empty() ? std::string("/") : target;
  if (target_format != nullptr) {
    uri.clear();
    target_format->format(run.context, uri);
    if (uri.empty()) uri = "/";
  }
  std::string content = body;
  if (body_format != nullptr) body_format->format(run.context, content);
  const std::string_view verb =
      method.empty() ? std::string_view("OPTIONS") : std::string_view(method);
  std::string out = fmt::format("{} {} {}\r\n", verb, uri, spoken);
  bool has_connection = false;
  for (const auto& [name, format] : headers) {
    // The length is this step's own business.
    if (name == "content-length" || name == "transfer-encoding") continue;
    has_connection |= name == "connection";
    out.append(name).append(": ").append(format->text(run.context)).append("\r\n");
  }
  if (send_state)
    out += fmt::format("x-haproxy-server-state: {}\r\n", server_state_header(run.checker));
  if (!content.empty()) out += fmt::format("content-length: {}\r\n", content.size());
  // Over a connection of the pool the check is a request among others.
  run.request_persists = run.link.has_value() && !has_connection && spoken != "HTTP/1.0";
  if (!has_connection && spoken != "HTTP/1.0" && !run.link) out += "connection: close\r\n";
  out.append("\r\n").append(content);
  run.exchange.is_http = true;
  run.exchange.request.method = http::method_of(verb);
  run.head_parsed = run.body_complete = false;
  run.body.clear();
  if (run.send(out)) return run.pass(state::CheckStatus::l7_ok, {});
  if (!comment.empty()) run.outcome.text += fmt::format(" comment: {}", comment);
  return false;
}

bool HttpExpectStep::read_failed(CheckRun& run, CheckRun::Read how) const {
  const std::string place = comment.empty() ? std::string() : fmt::format(" comment: {}", comment);
  if (how == CheckRun::Read::timed_out) return run.fail(timeout_status, place);
  // The server closed in the middle, or what it sent is no HTTP.
  if (how == CheckRun::Read::end) return run.fail(state::CheckStatus::socket_error, place);
  return run.fail(state::CheckStatus::socket_error, CheckRun::error_text(run.read_error) + place);
}

bool HttpExpectStep::read_head(CheckRun& run) const {
  if (run.head_parsed) return true;
  http::ResponseHead& head = run.exchange.response;
  while (true) {
    std::size_t consumed = 0;
    http::ParseError error;
    if (!run.input.empty()) {
      run.head_bytes = run.input;
      head.clear();
      const http::Parse parsed = http::parse_response_head(
          run.head_bytes, {}, run.exchange.request.method, head, consumed, error);
      if (parsed == http::Parse::error) return read_failed(run, CheckRun::Read::end);
      // Interim responses come before the one that counts (RFC 9110 section 15.2).
      if (parsed == http::Parse::complete && head.status / 100 == 1 && head.status != 101) {
        run.input.erase(0, consumed);
        continue;
      }
      if (parsed == http::Parse::complete) {
        run.input.erase(0, consumed);
        run.head_parsed = true;
        run.exchange.response_valid = true;
        return true;
      }
    }
    const CheckRun::Read how = run.receive();
    if (how != CheckRun::Read::more) return read_failed(run, how);
  }
}

namespace {

// Moves what has arrived of the body to run.body; true when it is complete.
bool collect_body(CheckRun& run) {
  const http::ResponseHead& head = run.exchange.response;
  run.surplus = 0;
  if (head.framing != http::Framing::chunked) {
    run.body = run.input;
    if (head.framing == http::Framing::none) {
      run.surplus = run.input.size();
      return true;
    }
    if (head.framing == http::Framing::length && run.body.size() >= head.content_length) {
      run.surplus = run.body.size() - head.content_length;
      run.body.resize(head.content_length);
      return true;
    }
    return run.over;
  }
  http::ChunkedReader reader;
  std::string bytes = run.input;
  std::span<char> rest(bytes);
  run.body.clear();
  while (!rest.empty()) {
    std::size_t consumed = 0;
    std::string_view payload;
    http::ParseError error;
    const http::Parse parsed = reader.step(rest, consumed, payload, error);
    run.body.append(payload);
    if (parsed == http::Parse::complete) {
      run.surplus = rest.size() - consumed - payload.size();
      return true;
    }
    if (parsed == http::Parse::error || consumed + payload.size() == 0) break;
    rest = rest.subspan(consumed + payload.size());
  }
  return run.over;
}

}  // namespace

bool read_body(CheckRun& run) {
  while (!collect_body(run))
    if (run.receive() != CheckRun::Read::more) return false;
  return true;
}

bool HeaderText::matches(CheckRun& run, std::string_view subject, bool ignore_case) const {
  if (how == How::regex) return regex->matches(subject);
  std::string wanted = text;
  if (format != nullptr) {
    wanted.clear();
    format->format(run.context, wanted);
  }
  std::string lowered;
  if (ignore_case) {
    wanted = base::to_lower(wanted);
    lowered = base::to_lower(subject);
    subject = lowered;
  }
  switch (how) {
    case How::equal:
      return subject == wanted;
    case How::begins:
      return subject.starts_with(wanted);
    case How::ends:
      return subject.ends_with(wanted);
    case How::contains:
      return subject.find(wanted) != std::string_view::npos;
    case How::regex:
      break;
  }
  return false;
}

bool HttpExpectStep::match_header(CheckRun& run) const {
  for (const http::Field& field : run.exchange.response.headers) {
    if (!name.matches(run, field.name, true)) continue;
    if (!value) return true;
    if (match == Match::full_header) {
      if (value->matches(run, field.value, false)) return true;
      continue;
    }
    std::string_view rest = field.value;
    while (true) {
      const std::size_t comma = rest.find(',');
      if (value->matches(run, base::trim(rest.substr(0, comma)), false)) return true;
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return false;
}

bool HttpExpectStep::match_head(CheckRun& run) const {
  const int status = run.exchange.response.status;
  bool matched = false;
  switch (match) {
    case Match::usual:
      matched = status >= 200 && status < 400;
      break;
    case Match::status:
      for (const auto& [low, high] : statuses) matched |= status >= low && status <= high;
      break;
    case Match::status_regex:
      matched = regex->matches(fmt::to_string(status));
      break;
    default:
      matched = match_header(run);
      break;
  }
  if (matched != negated) return succeed(run, {}, status);
  std::string text(run.exchange.response.reason);
  if (text.empty()) text = http::reason_phrase(static_cast<unsigned>(status));
  if (!comment.empty()) text += fmt::format(" comment: {}", comment);
  return mismatch(run, state::CheckStatus::l7_status, std::move(text), status);
}

bool HttpExpectStep::match_body(CheckRun& run) const {
  std::string wanted = pattern;
  if (format != nullptr) {
    wanted.clear();
    format->format(run.context, wanted);
  }
  while (true) {
    run.body_complete = collect_body(run);
    const bool enough =
        min_receive >= 0 && run.body.size() >= static_cast<std::size_t>(min_receive);
    const bool matched = match == Match::regex ? regex->matches(run.body)
                                               : run.body.find(wanted) != std::string::npos;
    if (!matched && !run.body_complete && !enough) {
      const CheckRun::Read how = run.receive();
      if (how == CheckRun::Read::timed_out || how == CheckRun::Read::failed)
        return read_failed(run, how);
      continue;
    }
    if (matched != negated) return succeed(run, {}, run.exchange.response.status);
    std::string text =
        matched ? "HTTP check matched unwanted content" : "HTTP content check did not match";
    if (!comment.empty()) text += fmt::format(" comment: {}", comment);
    return mismatch(run, state::CheckStatus::l7_response, std::move(text),
                    run.exchange.response.status);
  }
}

bool HttpExpectStep::run(CheckRun& run) const {
  if (!read_head(run)) return false;
  // A running server may ask to be left alone (manual, "http-check disable-on-404").
  const auto oper = run.checker.server().state().oper.load(std::memory_order_relaxed);
  if (disable_on_404 && run.exchange.response.status == 404 && oper != state::OperState::stopped) {
    run.pass(state::CheckStatus::l7_ok_conditional, {}, 404);
    return false;
  }
  switch (match) {
    case Match::string:
    case Match::regex:
    case Match::format:
      return match_body(run);
    default:
      return match_head(run);
  }
}

}  // namespace upstream

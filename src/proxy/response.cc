// From a response head that has come to the moment it is on its way to the client.
#include <fmt/format.h>

#include <charconv>

#include "base/text.h"
#include "obs/log.h"
#include "proxy/cacheable.h"
#include "proxy/run.h"
#include "proxy/session.h"

namespace proxy {

namespace {

bool at_least_1_1(http::Version v) { return v.major > 1 || (v.major == 1 && v.minor >= 1); }

}  // namespace

// 100, 102, 103: passed on as they are to clients that know them (RFC 9110 section 15.2).
bool Run::forward_interim() {
  if (!at_least_1_1(x().request.version)) return true;
  if (x().response.status == 100) continue_sent_ = true;
  return send_interim(x().response);
}

bool Run::send_interim(const http::ResponseHead& head) {
  if (!x().is_http || response_started_) return false;
  std::string bytes;
  http::write_response_head(head, bytes);
  return client_out_.send(bytes);
}

Step Run::process_response() {
  txn::Exchange& e = x();
  e.response_valid = true;
  e.server_status = e.response.status;
  e.times.response_start = rt::now();
  // A switch of protocols that nobody asked for cannot be followed.
  if (e.response.status == 101 && !e.request.upgrade) return response_missing(Outcome::junk);
  slot_.server()->observed(e.response.status < 500, true);
  note_challenge();
  server_keep_alive_ = server_keep_alive_ && persists(e.response) && !server_glitched();
  server_in_.begin_body(e.response.framing, e.response.content_length);
  if (!server_in_.decode(body_error_)) return response_missing(Outcome::junk);
  if (obs::trace::on()) [[unlikely]]
    trace_response_head();
  e.response_channel = &response_body_;
  e.rewrite_room = rewrite_room(response_body_.data().size());
  count_server_status();
  if (!frontend_->state->response_captures.empty()) capture_response_headers();
  if (!frontend_->cookie_capture.name.empty()) capture_response_cookie();
  if (Step step = start_response_filters(); step != Step::go_on) return step;

  if (!backend_->tcp_response.empty()) {
    e.point = txn::Point::response_content;
    Step step = content_rules(backend_->tcp_response, *backend_, backend_->response_inspect_delay,
                              txn::Direction::response);
    if (step != Step::go_on) return step;
  }
  learn_server();
  if (Step step = http_response_rules(); step != Step::go_on) return step;
  if (!backend_->backend->settings.cookie_name.empty()) write_persistence_cookie();
  return backend_->options.has(Option::checkcache) ? check_cacheability() : Step::go_on;
}

Step Run::http_response_rules() {
  x().point = txn::Point::http_response;
  if (backend_ != nullptr && !backend_->http_response.empty()) {  // services may have none
    Step step = http_response_rules(*backend_);
    if (step != Step::go_on) return step;
  }
  const bool both = frontend_ != backend_ && !frontend_->http_response.empty();
  return both ? http_response_rules(*frontend_) : Step::go_on;
}

Step Run::http_response_rules(const Proxy& of) {
  expr::Context ctx = context(of, txn::Direction::response);
  x().strict_rewrite = true;
  return response_verdict(of.http_response.run(ctx), of);
}

Step Run::check_cacheability() {
  txn::Exchange& e = x();
  if (!sets_cacheable_cookie(e.request.method, e.response)) return Step::go_on;
  const std::string text =
      fmt::format("Blocking cacheable cookie in response from instance {}, server {}.",
                  backend_->name, e.server->name);
  obs::report(obs::Level::alert, text);
  obs::LogLine line;
  line.level = obs::Level::alert;
  line.tag = backend_->log_tag.empty() ? std::string_view(config_->log_tag) : backend_->log_tag;
  line.text = text;
  line.host = config_->log_send_hostname;
  obs::send(backend_->log_targets, line);
  return response_verdict(rules::Verdict::deny, *backend_);
}

// Some schemes authenticate the connection, which nobody else may then use (manual, "http-reuse").
void Run::note_challenge() {
  session_->last_server = x().server;
  const unsigned status = x().response.status;
  if (status != 401 && status != 407) return;
  const std::string_view name = status == 401 ? "www-authenticate" : "proxy-authenticate";
  for (const http::Field& field : x().response.headers) {
    if (field.name != name) continue;
    const std::string_view value = base::trim(field.value);
    const std::string_view scheme = value.substr(0, value.find(' '));
    if (!base::iequals(scheme, "ntlm") && !base::iequals(scheme, "negotiate")) continue;
    session_->authenticated = true;
    link_.session = session_->pool_id();
  }
}

void Run::capture_response_headers() {
  txn::Exchange& e = x();
  const std::vector<state::CaptureSlot>& wanted = frontend_->state->response_captures;
  if (e.response_captures.size() < wanted.size()) e.response_captures.resize(wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i].header.empty()) continue;
    std::string_view value;
    for (const http::Field& f : e.response.headers)
      if (f.name == wanted[i].header) value = f.value;
    if (!value.empty()) e.response_captures[i] = e.arena.copy(value.substr(0, wanted[i].length));
  }
}

Step Run::after_response_rules() {
  x().point = txn::Point::http_after_response;
  if (backend_ != nullptr && !backend_->http_after_response.empty()) {
    Step step = after_response_rules(*backend_);
    if (step != Step::go_on) return step;
  }
  const bool both = frontend_ != backend_ && !frontend_->http_after_response.empty();
  return both ? after_response_rules(*frontend_) : Step::go_on;
}

Step Run::after_response_rules(const Proxy& of) {
  expr::Context ctx = context(of, txn::Direction::response);
  x().strict_rewrite = true;
  const rules::Verdict verdict = of.http_after_response.run(ctx);
  const bool failed = verdict == rules::Verdict::error || verdict == rules::Verdict::close;
  return failed ? Step::closed : Step::go_on;
}

// Says in the head what becomes of the connection (RFC 9112 section 9.3).
void Run::finish_response_head(http::ResponseHead& head, bool ours) {
  const bool old_client = !at_least_1_1(x().request.version) && x().request_valid;
  if (head.framing == http::Framing::chunked && old_client) [[unlikely]] {
    // It knows no chunks (RFC 9112 section 7).
    head.headers.remove(http::HeaderId::transfer_encoding);
    head.framing = http::Framing::until_close;
  }
  if (head.framing == http::Framing::chunked && !at_least_1_1(head.version)) keep_alive_ = false;
  if (head.framing == http::Framing::until_close) keep_alive_ = false;
  if (ours) head.headers.remove(http::HeaderId::connection);
  const bool modern = at_least_1_1(head.version);
  const bool tells = modern ? !keep_alive_ || !at_least_1_1(x().request.version) : keep_alive_;
  if (tells && !head.upgrade) {
    const std::string_view what = keep_alive_ ? "keep-alive" : "close";
    head.headers.add_parsed({"connection", what, http::HeaderId::connection});
  }
  response_chunked_ = head.framing == http::Framing::chunked;
}

// These two are parts of send_response_head(): see rt/system_call.h.

// A message of which nothing is left in a buffer. Where it is the last of the exchange, its
// server's connection is idle before the client can know of it: who reacts to a response finds it.
[[gnu::always_inline]] inline bool Run::send_whole(std::string_view message) {
  sent_to_client();
  if (server_reusable() && !x().response.upgrade && filters_ == nullptr) drop_server(true);
  return client_out_.send_in_scratch(message, response_done_ && close_follows());
}

// The head and what has come of the body.
[[gnu::always_inline]] inline bool Run::send_first_bytes(std::string_view head) {
  const std::string_view payload = server_in_.payload();
  const bool last = server_in_.all_here();
  if (last && !x().response.upgrade) server_is_done();
  std::string_view whole;
  if (!response_chunked_ && !body_hidden_) whole = wire::join_in_scratch(head, payload);
  const bool in_parts = whole.empty();
  const bool sent = in_parts && send_to_client(head, payload, last);
  x().response_body_bytes += payload.size();
  server_in_.consume(payload.size());
  response_done_ = last;
  return in_parts ? sent : send_whole(whole);
}

Step Run::send_response_head() {
  txn::Exchange& e = x();
  if (response_body_.edited && e.response.framing == http::Framing::length) fix_response_length();
  if (ends_with_process()) keep_alive_ = false;
  if (after_response_rules() != Step::go_on) [[unlikely]] {
    server_keep_alive_ = false;
    return fail(txn::Cause::internal, txn::Phase::headers, 500);
  }
  if (Step step = filter_head(txn::Direction::response); step != Step::go_on) return step;
  finish_response_head(e.response, false);
  std::span<char> room = wire::scratch();
  std::string large;
  const CaseAdjusted written(e.response.headers,
                             config_->cases_for(*frontend_, Option::h1_case_adjust_bogus_client));
  const std::size_t size = http::write_response_head(e.response, room);
  std::string_view bytes(room.data(), size);
  if (size > room.size()) [[unlikely]] {
    http::write_response_head(e.response, large);
    bytes = large;
  }
  response_started_ = true;
  log_step(txn::LogOrigin::response);
  body_hidden_ = e.request.method != http::Method::head && asked_for_head();
  if (e.response.framing == http::Framing::none && filters_ != nullptr) body_hidden_ = true;
  count_status();  // before the client can ask for it
  const bool sent = filtered(txn::Direction::response)
                        ? send_filtered(txn::Direction::response, bytes)
                        : send_first_bytes(bytes);
  if (obs::trace::on()) [[unlikely]]
    trace_response_out(response_done_);
  if (!sent) [[unlikely]] {
    relay_trouble(Moved::sink_gone, true);
    return Step::closed;
  }
  if (e.response.upgrade) return Step::tunnel;
  if (response_done_ && request_sent_ && !client_out_.blocked()) return Step::answered;
  return Step::go_on;
}

void Run::fix_response_length() {
  txn::Exchange& e = x();
  response_body_.edited = false;
  e.response.headers.remove(http::HeaderId::content_length);
  if (server_in_.all_here()) {
    e.response.content_length = server_in_.payload().size();
    char digits[20];
    auto [end, error] = std::to_chars(digits, digits + sizeof digits, e.response.content_length);
    e.response.headers.add("content-length",
                           e.arena.copy({digits, static_cast<std::size_t>(end - digits)}), e.arena);
  } else {
    e.response.framing = http::Framing::chunked;
    e.response.headers.add("transfer-encoding", "chunked", e.arena);
  }
}

// Waits until the client has taken what is kept for it.
bool Run::flush_client(rt::Instant deadline) {
  while (client_out_.blocked()) {
    const std::size_t before = client_out_.kept();
    if (!client_out_.flush()) return false;
    if (!client_out_.blocked()) break;
    if (client_out_.kept() != before) sent_to_client();
    if (rt::now() >= deadline || wait(deadline) == rt::Wait::cancelled) return false;
  }
  return !client_out_.broken();
}

}  // namespace proxy

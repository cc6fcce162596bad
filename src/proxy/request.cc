// From the first byte of a request to the point where a server is needed.
#include <algorithm>

#include "http/uri.h"
#include "proxy/filters.h"
#include "proxy/hooks.h"
#include "proxy/run.h"
#include "proxy/session.h"
#include "proxy/tracing.h"

namespace proxy {

namespace h1 = obs::trace::h1;
namespace stream = obs::trace::stream;

namespace {

http::ParseLimits limits_of(const Config& config) {
  return {.max_head = config.buffer_size - config.rewrite_reserve,
          .max_headers = config.max_headers,
          .any_payload = config.accept_any_payload};
}

rt::Duration first_set(std::initializer_list<rt::Duration> timeouts) {
  for (rt::Duration t : timeouts)
    if (t != rt::kForever) return t;
  return rt::kForever;
}

}  // namespace

Step Run::receive_head() {
  const Timeouts& t = frontend_->timeouts;
  const rt::Instant deadline = x().times.request_start == rt::kNever ? rt::kNever : [&] {
    rt::Duration d = first_set({t.http_request, t.client});
    return d == rt::kForever ? rt::kNever : x().times.request_start + d;
  }();
  const http::ParseLimits limits = limits_of(*config_);
  bool forgiven = false;
  http::ParseError error;
  rt::Wait how = rt::Wait::ready;
  http::Parse parse = http::Parse::need_more;
  bool news = client_in_.has_bytes();
  while (true) {
    if (news) parse = parse_request(limits, error, forgiven);
    if (parse != http::Parse::need_more) break;
    const wire::Fill fill = client_in_.fill();
    news = fill == wire::Fill::some;
    if (news) continue;
    if (fill != wire::Fill::nothing) break;
    how = rt::now() >= deadline ? rt::Wait::timed_out : wait(deadline);
    if (how != rt::Wait::ready) break;
  }
  if (parse != http::Parse::complete) return head_missing(parse, error, how);
  note_request();
  if (forgiven && client_glitched()) return refuse_silently();
  // Broken framing that is here already is refused before anybody acts on the request.
  if (!decode_request()) return fail(txn::Cause::proxy, txn::Phase::request, 400);
  if (obs::trace::on()) [[unlikely]]
    trace_request_head();
  return Step::go_on;
}

// Of what is no request: no rule sees the answer.
Step Run::refuse(txn::Cause cause, std::uint16_t status) {
  handling_after_rules_ = true;
  const Step step = fail(cause, txn::Phase::request, status);
  handling_after_rules_ = false;
  return step;
}

Step Run::head_missing(http::Parse parse, const http::ParseError& error, rt::Wait how) {
  state::ProxyCounters& counters = frontend_->state->frontend.mine();
  keep_alive_ = false;
  // Who has seen a stream of bytes begin calls its end a protocol error, however it comes.
  const auto cause = [&](txn::Cause usual) { return upgraded_ ? txn::Cause::proxy : usual; };
  if (parse == http::Parse::error) {
    capture(*frontend_, txn::Direction::request, client_in_.raw(), error);
    if (obs::trace::on()) [[unlikely]]
      trace_h1(h1::h1s_err | h1::strm_err | h1::h1c_err | h1::rx_data, TraceLevel::error,
               "parsing error, reject H1 message", Peer::client);
    x().request.clear();
    counters.requests.add();
    counters.failed_requests.add();
    count_request();
    count_tracked(state::StickEvent::error);
    if (client_glitched()) return refuse_silently();
    return refuse(txn::Cause::proxy, error.status);
  }
  const bool nothing = !client_in_.has_bytes();
  const bool probe = nothing && frontend_->options.has(Option::http_ignore_probes);
  if (how == rt::Wait::cancelled || probe || (nothing && x().session.requests > 1)) {
    logged_ = true;
    return Step::closed;
  }
  x().request.clear();
  count_request();
  if (how == rt::Wait::timed_out) {
    counters.failed_requests.add();
    return refuse(cause(txn::Cause::client_timeout), 408);
  }
  if (nothing && frontend_->options.has(Option::dontlognull)) logged_ = true;
  if (!nothing) counters.failed_requests.add();
  counters.client_aborts.add();
  count_tracked(state::StickEvent::error);
  return refuse(cause(txn::Cause::client), 400);
}

void Run::note_request() {
  txn::Exchange& e = x();
  if (!upgraded_) log_step(txn::LogOrigin::accept);
  e.request_valid = true;
  e.original_target = e.request.target;
  e.original_method = e.request.method_text;
  e.times.request_done = rt::now();
  e.point = txn::Point::http_request;
  client_in_.begin_body(e.request.framing, e.request.content_length);
  client_leaves_ = !persists(e.request);
  keep_alive_ =
      persists(e.request) && !frontend_->options.has(Option::httpclose) && !ends_with_process();
  state::ProxyCounters& counters = frontend_->state->frontend.mine();
  const auto now_ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<rt::milliseconds>(rt::now().time_since_epoch()).count());
  counters.requests.add();
  counters.request_rate_max.raise_to(counters.request_rate.count(now_ms));
  state::ProcessCounters& process = config_->registry->process().counters.mine();
  process.requests.add();
  process.request_rate.add(now_ms);
  if (!frontend_->state->request_captures.empty()) capture_request_headers();
  if (!frontend_->cookie_capture.name.empty()) capture_request_cookie();
}

void Run::capture_request_headers() {
  txn::Exchange& e = x();
  const std::vector<state::CaptureSlot>& wanted = frontend_->state->request_captures;
  if (e.request_captures.size() < wanted.size()) e.request_captures.resize(wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i].header.empty()) continue;
    std::string_view value;  // of the last one
    for (const http::Field& f : e.request.headers)
      if (f.name == wanted[i].header) value = f.value;
    if (!value.empty()) e.request_captures[i] = e.arena.copy(value.substr(0, wanted[i].length));
  }
}

Step Run::frontend_rules() {
  if (Step step = attach_filters(*frontend_); step != Step::go_on) return step;
  if (!frontend_->tcp_request.empty()) {
    x().point = txn::Point::request_content;
    Step step = content_rules(frontend_->tcp_request, *frontend_, frontend_->inspect_delay,
                              txn::Direction::request);
    if (step != Step::go_on) return step;
    x().point = txn::Point::http_request;
  }
  return frontend_http_rules();
}

Step Run::frontend_http_rules() {
  count_request();
  if (is_monitored()) return monitor();
  log_step(txn::LogOrigin::request);
  if (frontend_->options.has(Option::http_buffer_request)) {
    Step step = buffer_request_body();
    if (step != Step::go_on) return step;
  }
  x().rewrite_room = rewrite_room(client_in_.received() - received_before_);
  if (obs::trace::on()) [[unlikely]]
    trace_stream(stream::strm_ana | stream::http_ana, TraceLevel::state, "rules of the frontend");
  return http_rules(*frontend_);
}

// Waits for the whole body, or as much of it as fits (option http-buffer-request).
Step Run::buffer_request_body() {
  const rt::Duration limit = first_set({frontend_->timeouts.http_request, client_timeout()});
  const rt::Instant deadline = limit == rt::kForever ? rt::kNever : x().times.request_start + limit;
  while (!request_body_.complete() && !request_body_.full()) {
    const rt::Wait how = request_body_.wait_more(deadline);
    if (body_error_.what[0] != '\0') return fail(txn::Cause::proxy, txn::Phase::request, 400);
    if (how == rt::Wait::timed_out)
      return fail(txn::Cause::client_timeout, txn::Phase::request, 408);
    if (how == rt::Wait::cancelled) return Step::closed;
  }
  x().times.request_done = rt::now();
  return Step::go_on;
}

// The target as it is written, or the path of an absolute one.
bool Run::asks_for_monitor() const {
  const std::string_view wanted = frontend_->monitor_uri;
  std::string_view target = x().request.target;
  if (target == wanted) return true;
  const std::size_t scheme = target.find("://");
  if (target.starts_with('/') || scheme == target.npos) return false;
  const std::size_t path = target.find('/', scheme + 3);
  return path != target.npos && target.substr(path) == wanted;
}

// "monitor-uri" answers before any rule and is not logged.
Step Run::monitor() {
  expr::Context ctx = context(*frontend_, txn::Direction::request);
  bool failed = false;
  for (const auto& condition : frontend_->monitor_fail) failed |= condition->evaluate(ctx) == 1;
  x().end = {txn::Cause::local, txn::Phase::request};
  logged_ = !failed;
  return answer(*error_reply(frontend_->state, failed ? 503 : 200));
}

namespace {

bool is_open(const state::Proxy& backend) {
  return !backend.disabled.load(std::memory_order_relaxed) &&
         !backend.unpublished.load(std::memory_order_relaxed);
}

}  // namespace

// Rules pass over backends that are disabled or not published, unless force-be-switch says
// otherwise.
bool Run::may_switch_to(const state::Proxy& backend, expr::Context& ctx) const {
  if (is_open(backend)) return true;
  for (const auto& condition : frontend_->force_switch)
    if (condition->evaluate(ctx) == 1) return true;
  return false;
}

// By use_backend and default_backend; null when none of them names one.
const Proxy* Run::backend_by_rules() {
  const state::Proxy* usual = frontend_->default_backend;
  if (frontend_->use_backend.empty() && usual != nullptr && is_open(*usual))
    return config_->of(usual);
  expr::Context ctx = context(*frontend_, txn::Direction::request);
  for (const UseBackend& rule : frontend_->use_backend) {
    if (rule.condition != nullptr && rule.condition->evaluate(ctx) != 1) continue;
    const state::Proxy* found = rule.fixed;
    if (rule.dynamic != nullptr) {
      found = config_->registry->find(rule.dynamic->text(ctx), state::kBackend);
      // A name that is none's falls through to the default backend (manual, "use_backend").
      if (found == nullptr) break;
    }
    if (!may_switch_to(*found, ctx)) continue;
    if (const Proxy* chosen = config_->of(found); chosen != nullptr) return chosen;
    break;
  }
  return usual != nullptr && may_switch_to(*usual, ctx) ? config_->of(usual) : nullptr;
}

Step Run::choose_backend() {
  if (backend_ != nullptr) return Step::go_on;
  const Proxy* chosen = config_->of(x().forced_backend);
  if (chosen == nullptr) chosen = backend_by_rules();
  if (chosen == nullptr && frontend_->is_backend()) chosen = frontend_;
  if (chosen == nullptr) return fail(txn::Cause::server, txn::Phase::connect, 503);
  if (chosen->mode == state::Mode::http && !x().is_http)
    if (Step step = become_http(); step != Step::go_on) return step;
  enter_backend(*chosen);
  if (obs::trace::on()) [[unlikely]]
    trace_stream(stream::strm_ana, TraceLevel::state, "backend chosen");
  if (filters_ != nullptr && chosen == frontend_) filters_->backend_chosen();
  return chosen->mode != state::Mode::http && x().is_http ? no_way_to_tcp() : Step::go_on;
}

// A request cannot go on to a backend of TCP servers, which only names made at run time lead to,
// and upgrades.
Step Run::no_way_to_tcp() {
  txn::Exchange& e = x();
  e.end = {txn::Cause::internal, txn::Phase::request};
  e.response.status = 500;
  e.response_valid = true;
  frontend_->state->frontend.mine().internal_errors.add();
  abrupt_ = true;
  return Step::closed;
}

Step Run::backend_rules() {
  if (backend_ != frontend_) {
    if (Step step = attach_filters(*backend_); step != Step::go_on) return step;
    if (!backend_->tcp_request.empty()) {
      x().point = txn::Point::request_content;
      Step step = content_rules(backend_->tcp_request, *backend_, backend_->inspect_delay,
                                txn::Direction::request);
      if (step != Step::go_on) return step;
      x().point = txn::Point::http_request;
    }
    if (backend_->options.has(Option::http_buffer_request)) {
      Step step = buffer_request_body();
      if (step != Step::go_on) return step;
    }
    Step step = http_rules(*backend_);
    if (step != Step::go_on) return step;
  }
  if (backend_->options.has(Option::httpclose)) keep_alive_ = false;
  return Step::go_on;
}

// The client is gone and the rest of the body with it: there is nothing to send to a server, and
// nobody to answer.
Step Run::request_cut_off() {
  txn::Exchange& e = x();
  e.end = {txn::Cause::client, txn::Phase::request};
  e.response.status = 400;
  e.response_valid = true;
  frontend_->state->frontend.mine().client_aborts.add();
  return Step::closed;
}

// What the proxy itself adds to a request, once all rules have seen it.
Step Run::prepare_request() {
  txn::Exchange& e = x();
  if (client_in_.at_end() && !client_in_.all_here()) return request_cut_off();
  if (!frontend_->unique_id_header.empty())
    e.request.headers.add(frontend_->unique_id_header, make_unique_id(), e.arena);
  add_forwarded_headers();
  const std::uint32_t retry_on = backend_->backend->settings.retry_on;
  keep_body_ =
      config_->retry_bodies && (retry_on & ~std::uint32_t{upstream::kRetryConnFailure}) != 0;
  if (!backend_->backend->settings.cookie_name.empty()) read_persistence_cookie();
  stick_to_server();
  return filter_head(txn::Direction::request);
}

// Before we wait for a body that the client holds back until it is told to go on.
bool Run::send_continue() {
  txn::Exchange& e = x();
  if (!e.is_http || !e.request.expect_continue || continue_sent_ || request_head_sent_) return true;
  continue_sent_ = true;
  e.request.headers.remove(http::HeaderId::expect);
  return client_out_.send("HTTP/1.1 100 Continue\r\n\r\n");
}

}  // namespace proxy

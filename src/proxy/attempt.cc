// A server for the request: which one, a connection to it, the request sent, the response's head
// awaited; and what may be tried again.
#include <algorithm>
#include <charconv>

#include "expr/fetch/support.h"
#include "proxy/run.h"
#include "proxy/session.h"
#include "proxy/tracing.h"
#include "upstream/rdp_cookie.h"

namespace proxy {

namespace {

bool idempotent(http::Method m) {  // RFC 9110 section 9.2.2
  switch (m) {
    case http::Method::get:
    case http::Method::head:
    case http::Method::options:
    case http::Method::put:
    case http::Method::delete_:
    case http::Method::trace:
      return true;
    default:
      return false;
  }
}

rt::Instant after(rt::Duration timeout) {
  return timeout == rt::kForever ? rt::kNever : rt::now() + timeout;
}

rt::Duration chosen(std::int64_t ms, rt::Duration configured) {
  return ms < 0 ? configured : ms == 0 ? rt::kForever : rt::Duration(rt::milliseconds(ms));
}

// Where the algorithm's choice means nothing, so that another server is as good.
bool indifferent(const upstream::BackendSettings& settings) {
  return settings.balance == "roundrobin" || settings.balance == "static-rr" ||
         settings.balance == "leastconn" || settings.balance == "random";
}

}  // namespace

// The server of the last response, where the session has a connection of its own to it and shall
// stay with it: by option, or because that connection is authenticated (manual, "option
// prefer-last-server").
void Run::prefer_last_server() {
  const upstream::BackendSettings& settings = backend_->backend->settings;
  if (!indifferent(settings) || (!session_->authenticated && !settings.prefer_last_server)) return;
  for (upstream::Server* server : session_->private_pools) {
    if (&server->state() != session_->last_server || &server->backend() != backend_->backend.get())
      continue;
    const std::int64_t limit = settings.keep_alive_queue;
    const bool waits = session_->authenticated || limit < 0 || server->has_room() ||
                       server->state().queued.load(std::memory_order_relaxed) < limit;
    if (server->scaled_weight() != 0 && server->has_idle() && waits)
      x().forced_server = &server->state();
    return;
  }
}

// "persist rdp-cookie": the token of a terminal server names the server by its address.
void Run::follow_rdp_cookie() {
  const std::string& name = backend_->backend->settings.rdp_cookie;
  if (x().is_http || x().request_channel == nullptr) return;
  const auto value = upstream::rdp_cookie(x().request_channel->data(), name);
  if (!value) return;
  const net::Address named = upstream::address_of_rdp_token(*value);
  if (named.kind() == net::Address::Kind::none) return;
  for (const auto& server : backend_->backend->servers()) {
    if (!(server->address() == named)) continue;
    if (!may_persist_on(server->state())) continue;
    x().forced_server = &server->state();
    persistent_ = true;
    return;
  }
}

// "use-server": the first rule that holds and names a server that can take the request.
void Run::choose_by_rules() {
  txn::Exchange& e = x();
  if (e.forced_server != nullptr) {
    persistent_ = true;
    return;
  }
  expr::Context ctx = context(*backend_, txn::Direction::request);
  for (const UseServer& rule : backend_->use_server) {
    if (rule.condition != nullptr && rule.condition->evaluate(ctx) != 1) continue;
    state::Server* found = rule.fixed;
    if (rule.dynamic != nullptr) found = backend_->state->find_server(rule.dynamic->text(ctx));
    if (found == nullptr) continue;
    const bool up = found->oper.load(std::memory_order_relaxed) != state::OperState::stopped &&
                    !found->in_maintenance();
    if (!up && !backend_->backend->settings.persist) continue;
    e.forced_server = found;
    persistent_ = true;
    return;
  }
}

Step Run::pick_server() {
  txn::Exchange& e = x();
  e.point = txn::Point::balance;
  if (!pick_) {
    if (e.forced_server != nullptr || !backend_->use_server.empty()) choose_by_rules();
    if (persistence_ != nullptr && e.forced_server == nullptr) {
      e.forced_server = persistence_;
      persistent_ = true;
    }
    if (e.forced_server == nullptr && !backend_->backend->settings.rdp_cookie.empty())
      follow_rdp_cookie();
    if (e.forced_server == nullptr && !session_->private_pools.empty()) prefer_last_server();
    pick_.emplace(e);
  }
  if (e.times.queued == rt::kNever) e.times.queued = rt::now();
  const Timeouts& t = backend_->timeouts;
  const rt::Duration queue =
      chosen(e.queue_timeout_ms, t.queue != rt::kForever ? t.queue : t.connect);
  abort_cancels_ = true;
  const auto taken = backend_->backend->acquire(*pick_, after(queue), slot_);
  abort_cancels_ = false;
  e.times.dequeued = rt::now();
  if (taken) [[likely]] {
    server_ = slot_.server();
    if (obs::trace::on()) [[unlikely]]
      trace_chosen_server();
    return Step::go_on;
  }
  state::ProxyCounters& counters = backend_->state->backend.mine();
  counters.failed_connections.add();
  switch (taken.error()) {
    case upstream::NoSlot::no_server:
      return fail(txn::Cause::server, txn::Phase::connect, 503);
    case upstream::NoSlot::queue_timeout:
      return fail(txn::Cause::server_timeout, txn::Phase::queue, 503);
    case upstream::NoSlot::queue_full:
      return fail(txn::Cause::server, txn::Phase::queue, 503);
    case upstream::NoSlot::cancelled:
      break;
  }
  const bool aborted = client_aborted();
  if (aborted) counters.client_aborts.add();
  e.end = {aborted ? txn::Cause::client : txn::Cause::killed, txn::Phase::queue};
  return Step::closed;
}

// "redir" of a server: its clients are told to ask elsewhere.
Step Run::redirect_there() {
  txn::Exchange& e = x();
  const std::string& prefix = server_->settings().redirect_prefix;
  const http::Method method = e.request.method;
  if (method != http::Method::get && method != http::Method::head) return Step::go_on;
  std::string_view path = expr::fetch::path_and_query(e.request.target);
  txn::Reply reply;
  reply.status = 302;
  reply.headers = {{"cache-control", "no-cache"},
                   {"location", prefix + std::string(path.empty() ? "/" : path)}};
  e.end = {txn::Cause::local, txn::Phase::connect};
  slot_.free();
  return answer(reply);
}

// http-reuse (manual): a first request is not repeated by the client when its connection turns out
// to be dead, later ones are.
upstream::Reuse Run::reuse() const {
  using upstream::Reuse;
  if (!x().is_http || server_close_wanted() || fresh_only_) return Reuse::none;
  const bool first = x().session.requests <= 1;
  switch (backend_->backend->settings.reuse) {
    case upstream::PoolPolicy::never:
    case upstream::PoolPolicy::safe:
      return first ? Reuse::none : Reuse::any;
    case upstream::PoolPolicy::aggressive:
      return first ? Reuse::proven : Reuse::any;
    case upstream::PoolPolicy::always:
      return x().retries == 0 || idempotent(x().request.method) ? Reuse::any : Reuse::none;
  }
  return Reuse::none;
}

// Whether server connections are this client's alone: with "http-reuse never", and after it has
// authenticated one.
std::uint64_t Run::pool_session() const {
  const bool never = backend_->backend->settings.reuse == upstream::PoolPolicy::never;
  return never || session_->authenticated ? session_->pool_id() : 0;
}

Step Run::connect_server() {
  txn::Exchange& e = x();
  e.point = txn::Point::server_connect;
  upstream::Server& server = *slot_.server();
  const rt::Duration timeout = chosen(e.connect_timeout_ms, backend_->timeouts.connect);
  abort_cancels_ = true;
  const auto made = server.connect(e, pool_session(), reuse(), after(timeout), link_);
  abort_cancels_ = false;
  if (!made) return connect_failed(made.error());
  net::Connection* connection = link_.connection.get();
  e.times.connected = rt::now();
  e.server_connection = connection;
  e.server_uses = static_cast<std::uint32_t>(link_.uses);
  server_in_.attach(connection);
  server_out_.attach(connection);
  connection->io().park(this);
  server_seen_ = server_took_ = rt::now();
  server_keep_alive_ = false;
  if (!link_.reused) server.observed(true, false);
  log_step(txn::LogOrigin::connect);
  if (obs::trace::on()) [[unlikely]]
    trace_connected();
  return Step::go_on;
}

Step Run::connect_failed(net::IoError error) {
  txn::Exchange& e = x();
  e.server_uses = 1;
  upstream::Server& server = *slot_.server();
  state::ProxyCounters& counters = backend_->state->backend.mine();
  if (error == net::IoError::cancelled) {
    const bool aborted = client_aborted();
    if (aborted) counters.client_aborts.add();
    e.end = {aborted ? txn::Cause::client : txn::Cause::killed, txn::Phase::connect};
    return Step::closed;
  }
  server.observed(false, false);
  if (obs::trace::on()) [[unlikely]]
    trace_unconnected();
  if (may_retry(false)) {
    if (!client_aborted()) return Step::again;
    counters.client_aborts.add();
    e.end = {txn::Cause::client, txn::Phase::connect};
    return Step::closed;
  }
  counters.failed_connections.add();
  server.state().counters.mine().failed_connections.add();
  if (error == net::IoError::no_resources)
    return fail(txn::Cause::resource, txn::Phase::connect, 503);
  const bool late = error == net::IoError::timed_out;
  return fail(late ? txn::Cause::server_timeout : txn::Cause::server, txn::Phase::connect, 503);
}

// Whether another attempt is left; if so it is counted, and the server is kept or given up as
// "option redispatch" says. Waits before it goes back to the same server.
bool Run::may_retry(bool connected) {
  txn::Exchange& e = x();
  const upstream::BackendSettings& s = backend_->backend->settings;
  const std::uint32_t limit =
      e.max_retries >= 0 ? static_cast<std::uint32_t>(e.max_retries) : s.retries;
  if (e.retries >= limit) return false;
  upstream::Server* server = slot_.server();
  ++e.retries;
  const int number = static_cast<int>(e.retries), most = static_cast<int>(limit);
  const int interval = s.redispatch_interval;
  const bool by_option =
      interval > 0 ? number % interval == 0 : interval < 0 && number == most + 1 + interval;
  const bool freely = !persistent_ && backend_->backend->usable().active > 1 && indifferent(s);
  state::ProxyCounters& counters = backend_->state->backend.mine();
  if (by_option || freely) {
    e.forced_server = nullptr;
    persistence_ = nullptr;
    persistent_ = false;
    e.redispatched = true;
    if (!pick_->avoids(server)) pick_->tried.push_back(server);
    counters.redispatches.add();
    server->state().counters.mine().redispatches.add();
    slot_.free();
    return true;
  }
  counters.retries.add();
  server->state().counters.mine().retries.add();
  e.forced_server = &server->state();
  slot_.free();
  if (connected) return true;
  const rt::Duration pause =
      std::min<rt::Duration>(backend_->timeouts.connect, rt::milliseconds(1000));
  const rt::Instant until = rt::now() + pause;
  while (rt::now() < until)
    if (wait(until) == rt::Wait::cancelled || client_aborted()) break;
  return true;
}

void Run::forget_attempt() {
  if (link_.connection) {
    link_.connection->io().park(nullptr);
    x().server_connection = nullptr;
    server_bytes_ += server_in_.received();
    server_in_.detach();
    server_out_.detach();
    link_.drop();
  }
  txn::Exchange& e = x();
  e.response.clear();
  e.response_valid = false;
  e.response_channel = nullptr;
  e.times.connected = e.times.response_start = rt::kNever;
  request_sent_ = request_head_sent_ = false;
}

bool Run::retryable(Outcome outcome) const {
  const upstream::BackendSettings& s = backend_->backend->settings;
  switch (outcome) {
    case Outcome::head:
      return (s.retry_on & upstream::kRetryStatus) != 0 &&
             std::find(s.retry_statuses.begin(), s.retry_statuses.end(), x().response.status) !=
                 s.retry_statuses.end();
    case Outcome::empty:
    case Outcome::broken:
      return (s.retry_on & upstream::kRetryEmptyResponse) != 0;
    case Outcome::junk:
      return (s.retry_on & upstream::kRetryJunkResponse) != 0;
    case Outcome::timed_out:
      return (s.retry_on & upstream::kRetryResponseTimeout) != 0;
    default:
      return false;
  }
}

// Whether the request shall go out again: then everything of the attempt is forgotten.
bool Run::retry_judged(Outcome outcome) {
  txn::Exchange& e = x();
  // A pooled connection that the server was just closing says nothing about the request.
  const bool stale = link_.reused && (outcome == Outcome::empty || outcome == Outcome::broken) &&
                     idempotent(e.request.method) && e.request.framing == http::Framing::none;
  if (stale) {
    forget_attempt();
    e.forced_server = &slot_.server()->state();
    slot_.free();
    fresh_only_ = true;
    return true;
  }
  if (!keep_body_ || e.no_l7_retry || response_started_ || !retryable(outcome)) return false;
  upstream::Server* server = slot_.server();
  if (!may_retry(true)) return false;
  if (outcome != Outcome::head) server->observed(false, true);
  forget_attempt();
  return true;
}

bool Run::server_close_wanted() const {
  const auto has = [&](Option o) { return frontend_->options.has(o) || backend_->options.has(o); };
  return has(Option::httpclose) || has(Option::http_server_close);
}

// What belongs to this hop and this attempt.
void Run::add_hop_headers(bool modern, bool close) {
  http::RequestHead& head = x().request;
  if (close && modern)
    head.headers.add_parsed({"connection", "close", http::HeaderId::connection});
  else if (!close && !modern && !head.upgrade)
    head.headers.add_parsed({"connection", "keep-alive", http::HeaderId::connection});
  const std::string& name_header = backend_->backend->settings.name_header;
  if (!name_header.empty())
    head.headers.add_parsed({name_header, x().server->name, http::id_of(name_header)});
}

void Run::send_request() {
  txn::Exchange& e = x();
  http::RequestHead& head = e.request;
  if (request_body_.edited) [[unlikely]]
    fix_request_length();
  const std::size_t own = head.headers.size();
  const bool modern =
      head.version.major > 1 || (head.version.major == 1 && head.version.minor >= 1);
  const bool odd = !modern && head.framing == http::Framing::chunked;  // see RFC 9112 section 6.1
  const bool close = (server_close_wanted() || odd) &&
                     !backend_->options.has(Option::http_pretend_keepalive) && !head.upgrade;
  const bool adds = close || !modern || !backend_->backend->settings.name_header.empty();
  if (adds) [[unlikely]]
    add_hop_headers(modern, close);

  std::span<char> room = wire::scratch();
  std::string large;
  std::string_view bytes;
  {
    const CaseAdjusted written(head.headers,
                               config_->cases_for(*backend_, Option::h1_case_adjust_bogus_server));
    const std::size_t size = http::write_request_head(head, room);
    bytes = {room.data(), std::min(size, room.size())};
    if (size > room.size()) [[unlikely]] {
      http::write_request_head(head, large);
      bytes = large;
    }
  }
  if (adds) [[unlikely]]  // for the writing only
    while (head.headers.size() > own) head.headers.remove_at(head.headers.size() - 1);
  server_keep_alive_ = !close;
  request_head_sent_ = true;
  sent_to_server();

  if (filtered(txn::Direction::request)) [[unlikely]] {
    send_filtered(txn::Direction::request, bytes);
    return;
  }
  const bool chunked = head.framing == http::Framing::chunked;
  const std::string_view again = kept_body_;
  if (!again.empty() && !client_in_.over()) [[unlikely]] {
    server_out_.send_body(bytes, again, chunked, false);
    return;
  }
  const std::string_view payload = again.empty() ? client_in_.payload() : again;
  const bool last = client_in_.all_here() && (again.empty() || client_in_.over());
  if (again.empty()) keep_for_retry(payload);
  std::string_view whole;
  if (!chunked) whole = wire::join_in_scratch(bytes, payload);
  // A client that may be gone could have the connection shut before the request is out.
  const bool soon = last && !session_->connection->io().hung_up() && !client_in_.at_end();
  if (whole.empty())
    server_out_.send_body(bytes, payload, chunked, last, request_trailers());
  else if (soon)
    server_out_.send_soon(whole);
  else
    server_out_.send_in_scratch(whole);
  if (again.empty()) {
    e.request_body_bytes += payload.size();
    client_in_.consume(payload.size());
  }
  request_sent_ = last;
}

// Rules may have edited a body that has a length.
void Run::fix_request_length() {
  txn::Exchange& e = x();
  if (e.request.framing == http::Framing::chunked) return;
  request_body_.edited = false;
  const bool whole = client_in_.all_here();
  e.request.headers.remove(http::HeaderId::content_length);
  if (whole) {
    e.request.framing = http::Framing::length;
    e.request.content_length = client_in_.payload().size();
    char digits[20];
    auto [end, error] = std::to_chars(digits, digits + sizeof digits, e.request.content_length);
    e.request.headers.add("content-length",
                          e.arena.copy({digits, static_cast<std::size_t>(end - digits)}), e.arena);
  } else {
    e.request.framing = http::Framing::chunked;
    e.request.headers.add("transfer-encoding", "chunked", e.arena);
  }
}

// The server's end of stream, or silence, before a response head.
Outcome Run::server_silent() {
  if (request_half_closed_) return Outcome::client_gone;
  if (server_in_.has_bytes()) return Outcome::junk;
  return server_in_.broken() ? Outcome::broken : Outcome::empty;
}

Outcome Run::await_response() {
  txn::Exchange& e = x();
  const http::ParseLimits limits{.max_head = config_->buffer_size - config_->rewrite_reserve,
                                 .max_headers = config_->max_headers};
  while (true) {
    const wire::Fill fill = server_in_.fill();
    if (fill == wire::Fill::some) {
      touch_server();
      while (true) {
        const http::Parse parse = parse_response(limits);
        if (parse == http::Parse::error) [[unlikely]] {
          capture(*backend_, txn::Direction::response, server_in_.raw(), body_error_);
          if (obs::trace::on()) [[unlikely]]
            trace_h1(obs::trace::h1::h1s_err | obs::trace::h1::strm_err | obs::trace::h1::rx_data,
                     TraceLevel::error, "parsing error, reject H1 message", Peer::server);
          return Outcome::junk;
        }
        if (parse == http::Parse::need_more) break;
        const unsigned status = e.response.status;
        if (status < 100 || status >= 200 || status == 101) return Outcome::head;
        if (!forward_interim()) return Outcome::client_gone;
      }
      continue;
    }
    if (fill != wire::Fill::nothing) [[unlikely]]
      return fill == wire::Fill::full ? Outcome::junk : server_silent();
    Moved moved = move_request();
    if (moved == Moved::bad_framing || moved == Moved::refused) return Outcome::request_bad;
    if (moved == Moved::source_gone) return Outcome::client_gone;
    if (moved == Moved::some) continue;
    if (client_aborted()) [[unlikely]] {
      if (client_in_.broken() || session_->connection->io().failed()) return Outcome::client_gone;
      if (!request_half_closed_ && !server_out_.blocked()) {
        request_half_closed_ = true;
        link_.connection->shutdown_write();
      }
    }
    const rt::Instant deadline = body_deadline();
    if (rt::now() >= deadline) [[unlikely]]
      return rt::now() >= client_body_deadline() ? Outcome::request_timeout : Outcome::timed_out;
    if (wait_for_bodies(deadline) == rt::Wait::cancelled) return Outcome::killed;
  }
}

Step Run::response_missing(Outcome outcome) {
  txn::Exchange& e = x();
  state::ProxyCounters& counters = backend_->state->backend.mine();
  state::ServerCounters& server = slot_.server()->state().counters.mine();
  e.response.clear();
  server_keep_alive_ = false;
  const bool servers_fault = outcome == Outcome::empty || outcome == Outcome::junk ||
                             outcome == Outcome::timed_out || outcome == Outcome::broken;
  if (servers_fault) {
    counters.failed_responses.add();
    server.failed_responses.add();
    count_tracked(state::StickEvent::failure);
    slot_.server()->observed(false, true);
  }
  switch (outcome) {
    case Outcome::timed_out:
      keep_alive_ = false;
      return fail(txn::Cause::server_timeout, txn::Phase::headers, 504);
    case Outcome::junk:
      return fail(txn::Cause::proxy, txn::Phase::headers, 502);
    case Outcome::request_bad:
      frontend_->state->frontend.mine().failed_requests.add();
      return fail(txn::Cause::proxy, txn::Phase::headers, 400);
    case Outcome::request_timeout:
      keep_alive_ = false;
      return fail(txn::Cause::client_timeout, txn::Phase::headers, 408);
    case Outcome::client_gone:
      counters.client_aborts.add();
      server.client_aborts.add();
      return fail(txn::Cause::client, txn::Phase::headers, 400);
    case Outcome::killed: {
      const upstream::Kill why = slot_.killed();
      e.end = {why == upstream::Kill::server_down ? txn::Cause::down
               : why == upstream::Kill::server_up ? txn::Cause::killed_up
                                                  : txn::Cause::killed,
               txn::Phase::headers};
      keep_alive_ = false;
      return Step::closed;
    }
    default:
      return fail(txn::Cause::server, txn::Phase::headers, 502);
  }
}

}  // namespace proxy

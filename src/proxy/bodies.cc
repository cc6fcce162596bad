// Moving bodies: both directions at once, in one fiber, whichever has something to give. What one
// side does not take stops the other side's reading.
#include <algorithm>
#include <array>

#include "proxy/run.h"
#include "proxy/session.h"

namespace proxy {

namespace {
constexpr int kPieces = 8;  // moved in one direction before the other is looked at
}

// A side that takes bytes is alive, so that nothing is held against it which it does not send
// meanwhile; unless "option independent-streams" says otherwise.
void Run::sent_to_client() {
  client_took_ = rt::now();
  if (!frontend_->options.has(Option::independent_streams)) client_seen_ = client_took_;
}
void Run::sent_to_server() {
  server_took_ = rt::now();
  if (!backend_->options.has(Option::independent_streams)) server_seen_ = server_took_;
}

// The request whole, or given up: for an attempt to be repeated its body is kept up to a buffer's
// size, or what a rule has waited for in a large buffer.
bool Run::keep_piece(std::string_view payload) {
  if (kept_body_.size() + payload.size() > std::max(config_->buffer_size, payload.size())) {
    keep_body_ = false;
    std::string().swap(kept_body_);
    return false;
  }
  kept_body_ += payload;
  return true;
}

Run::Moved Run::move_request() {
  if (filtered(txn::Direction::request)) return move_filtered(txn::Direction::request);
  if (request_dead_ || server_out_.is_going()) return Moved::nothing;
  Moved result = Moved::nothing;
  const bool chunked = x().request.framing == http::Framing::chunked;
  for (int pieces = 0; pieces < kPieces; ++pieces) {
    if (server_out_.blocked()) {
      const std::size_t before = server_out_.kept();
      if (!server_out_.flush()) return Moved::sink_gone;
      if (server_out_.kept() != before) {
        sent_to_server();
        result = Moved::some;
      }
      if (server_out_.blocked()) return result;
    }
    if (request_sent_) return result;
    if (client_in_.payload().empty() && !client_in_.all_here()) {
      wire::Fill fill = wire::Fill::nothing;
      if (!keep_body_ && server_out_.can_pull(client_in_, chunked)) {
        const wire::Output::Passing passing = server_out_.pull(client_in_, chunked);
        if (passing.count != 0) {
          touch_client();
          result = Moved::some;
          x().request_body_bytes += passing.count;
          if (!server_out_.push(passing, chunked)) return Moved::sink_gone;
          sent_to_server();
          if (client_in_.all_here()) request_sent_ = true;
          if (obs::trace::on()) [[unlikely]]
            trace_moved(Peer::client, passing.count, request_sent_);
          continue;
        }
        if (server_out_.broken()) return Moved::sink_gone;
        fill = passing.how;
      } else {
        fill = client_in_.fill();
      }
      if (fill == wire::Fill::nothing || fill == wire::Fill::full) return result;
      if (fill != wire::Fill::some) return Moved::source_gone;
      touch_client();
    }
    if (!decode_request()) return Moved::bad_framing;
    const std::string_view payload = client_in_.payload();
    const bool last = client_in_.all_here();
    if (payload.empty() && !last) continue;
    keep_for_retry(payload);
    if (!server_out_.send_body({}, payload, chunked, last, request_trailers()))
      return Moved::sink_gone;
    sent_to_server();
    x().request_body_bytes += payload.size();
    if (obs::trace::on()) [[unlikely]]
      trace_moved(Peer::client, payload.size(), last);
    client_in_.consume(payload.size());
    result = Moved::some;
    request_sent_ = last;
  }
  return Moved::some;
}

// Null where an option drops them.
const http::Headers* Run::request_trailers() const {
  if (backend_->options.has(Option::http_drop_request_trailers)) return nullptr;
  return &client_in_.trailers();
}
const http::Headers* Run::response_trailers() const {
  if (frontend_->options.has(Option::http_drop_response_trailers)) return nullptr;
  return &server_in_.trailers();
}

Run::Moved Run::move_response() {
  if (filtered(txn::Direction::response)) return move_filtered(txn::Direction::response);
  Moved result = Moved::nothing;
  for (int pieces = 0; pieces < kPieces; ++pieces) {
    if (client_out_.blocked()) {
      const std::size_t before = client_out_.kept();
      if (!client_out_.flush()) return Moved::sink_gone;
      if (client_out_.kept() != before) {
        sent_to_client();
        result = Moved::some;
      }
      if (client_out_.blocked()) return result;
    }
    if (response_done_) return result;
    if (server_in_.payload().empty() && !server_in_.all_here()) {
      wire::Fill fill = wire::Fill::nothing;
      if (!body_hidden_ && client_out_.can_pull(server_in_, response_chunked_)) {
        const wire::Output::Passing passing = client_out_.pull(server_in_, response_chunked_);
        if (passing.count != 0) {
          touch_server();
          result = Moved::some;
          x().response_body_bytes += passing.count;
          if (server_in_.all_here()) server_is_done();
          if (!client_out_.push(passing, response_chunked_)) return Moved::sink_gone;
          sent_to_client();
          response_done_ = server_in_.all_here();
          if (obs::trace::on()) [[unlikely]]
            trace_moved(Peer::server, passing.count, response_done_);
          continue;
        }
        if (client_out_.broken()) return Moved::sink_gone;
        fill = passing.how;
      } else {
        fill = server_in_.fill();
      }
      if (fill == wire::Fill::nothing || fill == wire::Fill::full) return result;
      if (fill == wire::Fill::some) touch_server();
      const bool ends =
          fill == wire::Fill::end && server_in_.framing() == http::Framing::until_close;
      if (fill != wire::Fill::some && !ends) return Moved::source_gone;
    }
    if (!server_in_.decode(body_error_)) return Moved::bad_framing;
    const std::string_view payload = server_in_.payload();
    const bool last = server_in_.all_here();
    if (payload.empty() && !last) continue;
    if (last) server_is_done();
    if (!send_to_client({}, payload, last)) return Moved::sink_gone;
    x().response_body_bytes += payload.size();
    if (obs::trace::on()) [[unlikely]]
      trace_moved(Peer::server, payload.size(), last);
    server_in_.consume(payload.size());
    result = Moved::some;
    response_done_ = last;
  }
  return Moved::some;
}

// The server has done its part: its place is free before the client can know of it, so that whoever
// reacts to a response finds the server's sessions counted without it.
void Run::server_is_done() {
  if (request_sent_) slot_.free();
}

// Rules may have made another method of a client's HEAD; the client still expects no body.
bool Run::send_to_client(std::string_view head, std::string_view payload, bool last) {
  sent_to_client();
  if (body_hidden_) return head.empty() || client_out_.send(head);
  return client_out_.send_body(head, payload, response_chunked_, last, response_trailers(),
                               last && close_follows());
}

bool Run::asked_for_head() const {
  const txn::Exchange& e = x();
  return e.original_method.empty() ? e.request_valid && e.request.method == http::Method::head
                                   : e.original_method == "HEAD";
}

// When the client is given up: it has to take what is kept for it, and to send what is not there
// yet where the server takes it.
rt::Instant Run::client_body_deadline() const {
  const rt::Duration timeout = client_timeout();
  rt::Instant since = rt::kNever;
  if (client_out_.blocked()) since = client_took_;
  if (!request_sent_ && !request_dead_ && !server_out_.blocked())
    since = std::min(since, client_seen_);
  return since == rt::kNever || timeout == rt::kForever ? rt::kNever : since + timeout;
}

// Of the server nothing is expected before it has the whole request.
rt::Instant Run::server_body_deadline() const {
  const rt::Duration timeout = server_timeout();
  rt::Instant since = rt::kNever;
  if (server_out_.blocked()) since = server_took_;
  if (!response_done_ && !client_out_.blocked() && (request_sent_ || request_dead_))
    since = std::min(since, server_seen_);
  return since == rt::kNever || timeout == rt::kForever ? rt::kNever : since + timeout;
}

rt::Instant Run::body_deadline() const {
  return std::min(client_body_deadline(), server_body_deadline());
}

void Run::body_timed_out() {
  const bool clients = rt::now() >= client_body_deadline();
  x().end = {clients ? txn::Cause::client_timeout : txn::Cause::server_timeout,
             response_done_ ? txn::Phase::last : txn::Phase::data};
}

void Run::relay_trouble(Moved moved, bool response_side) {
  txn::Exchange& e = x();
  state::ProxyCounters& counters = backend_->state->backend.mine();
  state::ServerCounters& server = e.server->counters.mine();
  const txn::Phase phase = response_done_ ? txn::Phase::last : txn::Phase::data;
  const bool clients_end = response_side == (moved == Moved::sink_gone);
  if (moved == Moved::refused) {
    e.end = {txn::Cause::proxy, txn::Phase::data};
  } else if (moved == Moved::bad_framing) {
    e.end = {response_side ? txn::Cause::server : txn::Cause::proxy, txn::Phase::data};
  } else if (clients_end) {
    e.end = {txn::Cause::client, phase};
    counters.client_aborts.add();
    server.client_aborts.add();
  } else {
    e.end = {txn::Cause::server, phase};
    counters.server_aborts.add();
    server.server_aborts.add();
  }
}

Step Run::relay_bodies() {
  constexpr int kRounds = 16;  // turns before others get theirs
  int rounds = 0;
  sent_to_client();
  while (true) {
    const Moved response = move_response();
    if (response > Moved::some) {
      relay_trouble(response, true);
      return Step::closed;
    }
    if (response_done_ && !client_out_.blocked() && (request_sent_ || request_dead_)) break;
    Moved request = move_request();
    if (request == Moved::sink_gone) {
      // The server has enough of the request; its response may still come.
      request_dead_ = true;
      keep_alive_ = false;
      request = Moved::some;
    }
    if (request > Moved::some) {
      relay_trouble(request, false);
      return Step::closed;
    }
    if (response == Moved::some || request == Moved::some) {
      if (++rounds % kRounds == 0) rt::yield();
      continue;
    }
    if (response_done_ && server_in_.at_end() && !request_sent_) request_dead_ = true;
    const rt::Instant deadline = body_deadline();
    if (rt::now() >= deadline) {
      body_timed_out();
      return Step::closed;
    }
    if (client_out_.broken() || session_->connection->io().failed()) {
      relay_trouble(Moved::sink_gone, true);
      return Step::closed;
    }
    if (wait_for_bodies(deadline) == rt::Wait::cancelled) {
      x().end = {txn::Cause::killed, txn::Phase::data};
      return Step::closed;
    }
  }
  return request_dead_ ? Step::closed : Step::answered;
}

// After an answer of our own: the rest of the request is read and dropped, so that the connection
// can go on, or close without losing the answer.
void Run::drain_request() {
  constexpr std::uint64_t kMost = 1 << 20;
  if (client_in_.connection() == nullptr || !x().request_valid) return;
  std::uint64_t dropped = 0;
  touch_client();
  while (keep_alive_ && !client_in_.over()) {
    if (!client_in_.decode(body_error_)) keep_alive_ = false;
    const std::size_t count = client_in_.payload().size();
    client_in_.consume(count);
    dropped += count;
    if (client_in_.over()) break;
    if (dropped > kMost || client_in_.at_end()) keep_alive_ = false;
    if (client_in_.fill() != wire::Fill::nothing) continue;
    const rt::Duration timeout = client_timeout();
    const rt::Instant deadline = timeout == rt::kForever ? rt::kNever : client_seen_ + timeout;
    if (wait(deadline) != rt::Wait::ready && rt::now() >= deadline) keep_alive_ = false;
    if (rt::cancelled()) keep_alive_ = false;
  }
}

}  // namespace proxy

// An exchange whose proxies have filters: when each callback comes, and bodies that go through
// lanes. Nothing here runs where there are none.
#include <algorithm>

#include "proxy/filters.h"
#include "proxy/run.h"
#include "proxy/session.h"
#include "proxy/tracing.h"

namespace proxy {

using txn::Direction;

bool Run::engaged(Direction direction) const { return filters_->lane(direction).engaged; }

Step Run::filter_failed(Direction direction, rules::Filtered how) {
  const bool late = how == rules::Filtered::wait;
  if (obs::trace::on()) [[unlikely]]
    trace_stream(obs::trace::stream::flt_err | obs::trace::stream::strm_err, TraceLevel::error,
                 late ? "a filter did not let the message pass in time" : "a filter failed");
  if (direction == Direction::request) {
    frontend_->state->frontend.mine().failed_requests.add();
    keep_alive_ = false;
    return late ? fail(txn::Cause::client_timeout, txn::Phase::request, 408)
                : fail(txn::Cause::proxy, txn::Phase::request, 400);
  }
  (backend_ != nullptr ? backend_ : frontend_)->state->backend.mine().failed_responses.add();
  server_keep_alive_ = false;
  return late ? fail(txn::Cause::server_timeout, txn::Phase::headers, 504)
              : fail(txn::Cause::proxy, txn::Phase::headers, 502);
}

// Until a filter that said "wait" may be asked again: bytes came, or its time has.
bool Run::wait_for_filter(Direction direction, rt::Instant deadline) {
  if (rt::now() >= deadline) return false;
  const rt::Instant until = std::min(deadline, filters_->next_wake());
  BodyChannel& body = direction == Direction::request ? request_body_ : response_body_;
  const bool more = direction == Direction::request || server_in_.connection() != nullptr;
  const rt::Wait how =
      more && !body.complete() && !body.full() ? body.wait_more(until) : wait(until);
  return how != rt::Wait::cancelled;
}

template <class F>
Step Run::ask_filters(Direction direction, F&& ask) {
  const rt::Duration patience =
      direction == Direction::request ? client_timeout() : server_timeout();
  const rt::Instant deadline = patience == rt::kForever ? rt::kNever : rt::now() + patience;
  while (true) {
    const rules::Filtered result = ask();
    if (result == rules::Filtered::go_on) return Step::go_on;
    if (result == rules::Filtered::error || !wait_for_filter(direction, deadline))
      return filter_failed(direction, result);
  }
}

// The filters of the frontend, or of the backend that was chosen, see the request begin.
Step Run::attach_more_filters(const Proxy& of) {
  if (of.filters.empty()) {
    if (backend_ != nullptr) filters_->backend_chosen();
    return Step::go_on;
  }
  if (filters_ == nullptr) filters_ = std::make_unique<Filters>(*this);
  if (obs::trace::on()) [[unlikely]]
    trace_stream(obs::trace::stream::flt_ana, TraceLevel::state, "attaching filters");
  if (!filters_->attach(of)) {
    frontend_->state->frontend.mine().internal_errors.add();
    return fail(txn::Cause::internal, txn::Phase::request, 500);
  }
  if (backend_ != nullptr) filters_->backend_chosen();
  return ask_filters(Direction::request, [&] { return filters_->start(Direction::request); });
}

Step Run::start_response_filters() {
  if (filters_ == nullptr) return Step::go_on;
  return ask_filters(Direction::response, [&] { return filters_->start(Direction::response); });
}

// The head is as the rules left it. What has come of the body is filtered before a server is
// chosen, so that a refusal still is an answer.
Step Run::ask_about_head(Direction direction) {
  Step step = ask_filters(direction, [&] { return filters_->headers(direction); });
  if (step != Step::go_on || !filters_->engage(direction)) return step;
  if (direction == Direction::request) keep_body_ = false;
  if (feed_filters(direction) > Moved::some) return Step::go_on;  // told when it is relayed
  return filters_->pump(direction) == rules::Filtered::error
             ? filter_failed(direction, rules::Filtered::error)
             : Step::go_on;
}

// What has come of a body goes into its lane.
Run::Moved Run::feed_filters(Direction direction) {
  const bool request = direction == Direction::request;
  wire::Input& in = request ? client_in_ : server_in_;
  Lane& lane = filters_->lane(direction);
  const std::size_t room = lane.room(config_->buffer_size);
  if (lane.over() || room == 0) return Moved::nothing;
  if (in.payload().empty() && !in.all_here()) {
    const wire::Fill fill = in.fill();
    if (fill == wire::Fill::nothing || fill == wire::Fill::full) return Moved::nothing;
    const bool ends = fill == wire::Fill::end && in.framing() == http::Framing::until_close;
    if (fill != wire::Fill::some && !ends) return Moved::source_gone;
    request ? touch_client() : touch_server();
  }
  const bool sound =
      direction == txn::Direction::request ? decode_request() : in.decode(body_error_);
  if (!sound) return Moved::bad_framing;
  const std::string_view payload = in.payload().substr(0, room);
  (request ? x().request_body_bytes : x().response_body_bytes) += payload.size();
  lane.add(payload);
  in.consume(payload.size());
  if (in.over()) lane.end();
  return payload.empty() && !lane.over() ? Moved::nothing : Moved::some;
}

std::uint64_t Run::declared_length(Direction direction) const {
  const bool request = direction == Direction::request;
  if (!x().is_http ||
      (request ? x().request.framing : x().response.framing) != http::Framing::length)
    return UINT64_MAX;
  return request ? x().request.content_length : x().response.content_length;
}

// What the filters passed on goes out, behind `head`.
bool Run::send_filtered(Direction direction, std::string_view head) {
  Lane& lane = filters_->lane(direction);
  const std::string_view passed = filters_->passed(direction);
  const bool last = filters_->finished(direction);
  // A filter may have made another length of the body than its head says: never may the next
  // message be read from the wrong place.
  std::string_view bytes = passed;
  const std::uint64_t declared = declared_length(direction);
  if (declared - lane.sent < bytes.size()) bytes = bytes.substr(0, declared - lane.sent);
  lane.sent += bytes.size();
  const bool cut = lane.cut || (declared != UINT64_MAX && lane.sent != declared);
  bool sent = false;
  if (direction == Direction::request) {
    const bool chunked = x().is_http && x().request.framing == http::Framing::chunked;
    sent = server_out_.send_body(head, bytes, chunked, last, request_trailers());
    sent_to_server();
    request_sent_ = last;
    if (last && cut) server_keep_alive_ = false;
    if (last && lane.cut) keep_alive_ = false;
  } else {
    if (last && !x().response.upgrade) server_is_done();
    if (last && cut) keep_alive_ = false;
    if (last && lane.cut) server_keep_alive_ = false;
    sent = send_to_client(head, bytes, last);
    response_done_ = last;
  }
  filters_->left(direction, passed.size());
  return sent;
}

Run::Moved Run::move_filtered(Direction direction) {
  constexpr int kPieces = 8;
  const bool request = direction == Direction::request;
  wire::Output& out = request ? server_out_ : client_out_;
  if (request && request_dead_) return Moved::nothing;
  Moved result = Moved::nothing;
  for (int pieces = 0; pieces < kPieces; ++pieces) {
    if (out.blocked()) {
      const std::size_t before = out.kept();
      if (!out.flush()) return Moved::sink_gone;
      if (out.kept() != before) {
        request ? sent_to_server() : sent_to_client();
        result = Moved::some;
      }
      if (out.blocked()) return result;
    }
    if (request ? request_sent_ : response_done_) return result;
    const Moved fed = feed_filters(direction);
    if (fed > Moved::some) return fed;
    if (filters_->pump(direction) == rules::Filtered::error) return Moved::refused;
    if (filters_->passed(direction).empty() && !filters_->finished(direction)) {
      if (fed == Moved::nothing) return result;
      continue;
    }
    if (!send_filtered(direction, {})) return Moved::sink_gone;
    result = Moved::some;
  }
  return Moved::some;
}

rt::Instant Run::before_filters_wake(rt::Instant deadline) const {
  return std::min(filters_->next_wake(), deadline);
}

// What keeps one side alive keeps both, unless "option independent-streams" says otherwise.
rt::Instant Run::tunnel_deadline(const Proxy& side, rt::Instant seen, rt::Duration patience) const {
  if (const rt::Duration tunnel = tunnel_timeout(); tunnel != rt::kForever) patience = tunnel;
  if (patience == rt::kForever) return rt::kNever;
  if (!side.options.has(Option::independent_streams)) seen = std::max(client_seen_, server_seen_);
  return seen + patience;
}

// Whether filters look at the bytes of a tunnel; then both of its lanes are made ready.
bool Run::prepare_filtered_tunnel() {
  if (filters_ == nullptr) return false;
  if (!filters_->wants_payload(Direction::request) && !filters_->wants_payload(Direction::response))
    return false;
  if (x().is_http) {  // behind an upgrade
    client_in_.begin_body(http::Framing::until_close, 0);
    server_in_.begin_body(http::Framing::until_close, 0);
    filters_->renew(Direction::request);
    filters_->renew(Direction::response);
  }
  filters_->lane(Direction::request).engaged = filters_->lane(Direction::response).engaged = true;
  request_sent_ = response_done_ = response_chunked_ = body_hidden_ = false;
  return true;
}

// A tunnel whose bytes filters look at stays with its fiber.
Step Run::relay_filtered() {
  constexpr Direction kBoth[] = {Direction::request, Direction::response};
  bool closed[2] = {false, false};
  touch_client();
  touch_server();
  while (true) {
    bool some = false;
    for (const Direction direction : kBoth) {
      const bool request = direction == Direction::request;
      const Moved moved = move_filtered(direction);
      if (moved > Moved::some) {
        relay_trouble(moved, !request);
        return Step::closed;
      }
      some |= moved == Moved::some;
      wire::Output& out = request ? server_out_ : client_out_;
      if ((request ? request_sent_ : response_done_) && !out.blocked() &&
          !std::exchange(closed[request ? 0 : 1], true))
        out.connection()->shutdown_write();
    }
    if (closed[0] && closed[1]) return Step::answered;
    if (some) {
      rt::yield();
      continue;
    }
    const rt::Instant client_due = tunnel_deadline(*frontend_, client_seen_, client_timeout());
    const rt::Instant server_due = tunnel_deadline(*backend_, server_seen_, server_timeout());
    const rt::Instant deadline = std::min(client_due, server_due);
    if (rt::now() >= deadline) {
      const bool client =
          client_due == server_due ? client_timeout() <= server_timeout() : client_due < server_due;
      x().end = {client ? txn::Cause::client_timeout : txn::Cause::server_timeout,
                 txn::Phase::data};
      return Step::closed;
    }
    if (wait_for_bodies(deadline) == rt::Wait::cancelled) {
      x().end = {txn::Cause::killed, txn::Phase::data};
      return Step::closed;
    }
  }
}

// --- services: their input and output go through the lanes as well

Step Run::prepare_filtered_service() {
  if (x().is_http) return filter_head(Direction::request);
  const Step step = start_response_filters();
  filters_->engage(Direction::request);
  filters_->engage(Direction::response);
  return step;
}

Step Run::filter_service_head() {
  if (filters_ == nullptr) return Step::go_on;
  const Step step =
      ask_filters(Direction::response, [&] { return filters_->headers(Direction::response); });
  if (step == Step::go_on) filters_->engage(Direction::response);
  return step;
}

std::string_view Run::receive_filtered(std::size_t taken, rt::Instant deadline) {
  constexpr Direction kIn = Direction::request;
  filters_->left(kIn, taken);
  while (true) {
    const Moved fed = feed_filters(kIn);
    if (fed > Moved::some || filters_->pump(kIn) == rules::Filtered::error) {
      filters_->lane(kIn).end();
      return {};
    }
    if (!filters_->passed(kIn).empty() || filters_->finished(kIn)) break;
    if (fed == Moved::some) continue;
    if (rt::now() >= deadline || wait_for_bodies(deadline) == rt::Wait::cancelled) break;
  }
  return filters_->passed(kIn);
}

// False when the client has gone, a filter failed, or nobody took anything until the deadline.
bool Run::send_through_filters(std::string_view head, std::string_view bytes, bool last,
                               rt::Instant deadline) {
  constexpr Direction kOut = Direction::response;
  Lane& lane = filters_->lane(kOut);
  while (true) {
    const std::string_view piece = bytes.substr(0, lane.room(config_->buffer_size));
    lane.add(piece);
    bytes.remove_prefix(piece.size());
    if (last && bytes.empty()) lane.end();
    if (filters_->pump(kOut) == rules::Filtered::error) return false;
    const bool done = filters_->finished(kOut);
    if (!head.empty() || done || !filters_->passed(kOut).empty()) {
      if (!send_filtered(kOut, std::exchange(head, {})) || !flush_client(deadline)) return false;
    }
    if (bytes.empty() && (done || !last)) return true;
    if (!piece.empty()) continue;
    if (rt::now() >= deadline || wait_for_bodies(deadline) == rt::Wait::cancelled) return false;
  }
}

void Run::finish_filters() {
  filters_->finish(Direction::request);
  filters_->finish(Direction::response);
  filters_.reset();
}

}  // namespace proxy

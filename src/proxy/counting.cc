// What an exchange leaves in the statistics.
#include <chrono>
#include <utility>

#include "proxy/run.h"
#include "proxy/session.h"
#include "txn/tracking.h"

namespace proxy {

namespace {

std::uint64_t between(rt::Instant from, rt::Instant to) {
  if (from == rt::kNever || to == rt::kNever || to < from) return 0;
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<rt::milliseconds>(to - from).count());
}

template <class Counters>
void add_times(Counters& counters, const txn::Times& t) {
  counters.queue_ms.add(between(t.queued, t.dequeued));
  counters.connect_ms.add(between(t.dequeued, t.connected));
  counters.response_ms.add(between(t.connected, t.response_start));
  counters.total_ms.add(between(t.request_start, t.end));
  counters.timed.add();
}

}  // namespace

void Run::count_status() {
  const unsigned kind = x().response.status / 100;
  const std::size_t slot = kind >= 1 && kind <= 5 ? kind - 1 : 5;
  frontend_->state->frontend.mine().responses[slot].add();
  if (backend_ != nullptr) backend_->state->backend.mine().responses[slot].add();
  if (server_ != nullptr && !is_reply_) server_->state().counters.mine().responses[slot].add();
}

void Run::count_tracked(state::StickEvent event, std::uint64_t n) {
  txn::count_tracked(session_->facts, &x(), event, n);
}

// Entries that are tracked from later rules on count it then.
void Run::count_request() {
  if (std::exchange(x().request_counted, true)) return;
  count_tracked(state::StickEvent::request);
}

void Run::count_server_status() {
  txn::Exchange& e = x();
  e.counted_error = config_->error_statuses[e.response.status % 1000];
  e.counted_failure = config_->failure_statuses[e.response.status % 1000];
  if (e.counted_error) count_tracked(state::StickEvent::error);
  if (e.counted_failure) count_tracked(state::StickEvent::failure);
}

// What came from servers or a service, as it came.
void Run::count_tracked_bytes() {
  const txn::Exchange& e = x();
  if (!e.is_http || e.request_valid) count_tracked(state::StickEvent::bytes_in, e.bytes_in);
  const std::uint64_t out = server_bytes_ + (service_ran_ ? e.bytes_out : 0);
  if (out != 0) count_tracked(state::StickEvent::bytes_out, out);
}

void Run::count_end() {
  txn::Exchange& e = x();
  state::ProxyCounters& front = frontend_->state->frontend.mine();
  front.bytes_in.add(e.bytes_in);
  front.bytes_out.add(e.bytes_out);
  if (state::ListenerState* listener = e.session.listener;
      listener != nullptr && listener->counts) {
    listener->counters.mine().bytes_in.add(e.bytes_in);
    listener->counters.mine().bytes_out.add(e.bytes_out);
  }
  if (backend_ == nullptr) return;
  state::ProxyCounters& back = backend_->state->backend.mine();
  back.bytes_in.add(e.bytes_in);
  back.bytes_out.add(e.bytes_out);
  if (e.server == nullptr) return;
  state::ServerCounters& server = e.server->counters.mine();
  server.bytes_in.add(e.bytes_in);
  server.bytes_out.add(e.bytes_out);
  if (!response_started_ || is_reply_) return;
  add_times(back, e.times);
  add_times(server, e.times);
  server.requests.add(e.is_http ? 1 : 0);
}

}  // namespace proxy

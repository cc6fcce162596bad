// What an exchange leaves in the statistics.
#include <chrono>
#include <utility>

#include "proxy/relay.h"
#include "proxy/run.h"
#include "proxy/session.h"
#include "txn/tracking.h"

namespace proxy {

namespace {

std::uint64_t between(rt::Instant from, rt::Instant to) {
  static_assert(rt::kNever == rt::Instant::max());
  // Nor has it begun where `from` never came. Most take less than what is counted.
  if (to == rt::kNever || to - from < rt::milliseconds(1)) return 0;
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<rt::milliseconds>(to - from).count());
}

struct Spans {
  std::uint64_t queue_ms, connect_ms, response_ms, total_ms;
};

Spans spans_of(const txn::Times& t) {
  return {between(t.queued, t.dequeued), between(t.dequeued, t.connected),
          between(t.connected, t.response_start), between(t.request_start, t.end)};
}

template <class Counters>
void add_times(Counters& counters, const Spans& spans) {
  counters.timed.add();
  if ((spans.queue_ms | spans.connect_ms | spans.response_ms | spans.total_ms) == 0) return;
  counters.queue_ms.add(spans.queue_ms);
  counters.connect_ms.add(spans.connect_ms);
  counters.response_ms.add(spans.response_ms);
  counters.total_ms.add(spans.total_ms);
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
  if (session_->facts.tracked_numbers == 0 && x().tracked.empty()) return;
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

Run::Traffic Run::traffic() const {
  Traffic sum{.in = client_in_.received() - client_in_.raw().size() - received_before_,
              .out = client_out_.sent() - sent_before_,
              .from_servers = server_bytes_};
  if (server_in_.connection() != nullptr) sum.from_servers += server_in_.received();
  if (relay_ != nullptr) {
    sum.in += relay_->from_client();
    sum.out += relay_->from_server();
    sum.from_servers += relay_->received_from_server();
  }
  return sum;
}

// The bytes that have come since this was called last.
void Run::count_traffic(const Traffic& now) {
  const txn::Exchange& e = x();
  const Traffic before = std::exchange(counted_, now);
  const std::uint64_t in = now.in - before.in, out = now.out - before.out;
  const auto add = [&](auto& counters) {
    counters.bytes_in.add(in);
    counters.bytes_out.add(out);
  };
  add(frontend_->state->frontend.mine());
  if (state::ListenerState* listener = e.session.listener; listener != nullptr && listener->counts)
    add(listener->counters.mine());
  if (backend_ != nullptr) {
    add(backend_->state->backend.mine());
    if (e.server != nullptr) add(e.server->counters.mine());
  }
  if (!e.is_http || e.request_valid) count_tracked(state::StickEvent::bytes_in, in);
  // What came from servers or a service, as it came.
  const std::uint64_t given = now.from_servers - before.from_servers + (service_ran_ ? out : 0);
  if (given != 0) count_tracked(state::StickEvent::bytes_out, given);
}

// Not before it is known on whose account.
void Run::CountTimer::fire(rt::Timer& timer) {
  Run& run = static_cast<CountTimer&>(timer).run;
  if (run.x().server != nullptr || run.service_ran_) run.count_traffic(run.traffic());
  timer.arm(rt::now() + kRecount);
}

void Run::count_end() {
  txn::Exchange& e = x();
  if (backend_ == nullptr) return;
  if (e.server == nullptr || !response_started_ || is_reply_) return;
  state::ServerCounters& server = e.server->counters.mine();
  const Spans spans = spans_of(e.times);
  add_times(backend_->state->backend.mine(), spans);
  add_times(server, spans);
  server.requests.add(e.is_http ? 1 : 0);
}

}  // namespace proxy

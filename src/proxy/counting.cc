// What an exchange leaves in the statistics.
#include <chrono>

#include "proxy/run.h"
#include "proxy/session.h"

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

void Run::count_end() {
  txn::Exchange& e = x();
  state::ProxyCounters& front = frontend_->state->frontend.mine();
  front.bytes_in.add(e.bytes_in);
  front.bytes_out.add(e.bytes_out);
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

#include "expr/timing.h"

namespace expr::timing {
namespace {

std::int64_t between(rt::Instant from, rt::Instant to) {
  if (from == rt::kNever || to == rt::kNever) return -1;
  std::int64_t ms = std::chrono::duration_cast<rt::milliseconds>(to - from).count();
  return ms < 0 ? 0 : ms;
}
rt::Instant over(const txn::Exchange& exchange) {
  return exchange.times.end == rt::kNever ? rt::now() : exchange.times.end;
}
// When the connection, or the wait for this request on it, began.
rt::Instant begin(const txn::Exchange& exchange) {
  return exchange.session.requests <= 1 ? exchange.session.accepted : exchange.times.idle_start;
}
rt::Instant handshaken(const txn::Exchange& exchange) {
  return exchange.times.idle_start == rt::Instant{} ? exchange.session.accepted
                                                    : exchange.times.idle_start;
}
rt::Instant started(const txn::Exchange& exchange) {
  return exchange.times.request_start == rt::Instant{} ? handshaken(exchange)
                                                       : exchange.times.request_start;
}

}  // namespace

std::int64_t handshake(const txn::Exchange& exchange) {
  return exchange.session.requests <= 1 ? between(exchange.session.accepted, handshaken(exchange))
                                        : 0;
}
std::int64_t idle(const txn::Exchange& exchange) {
  return between(handshaken(exchange), started(exchange));
}
std::int64_t request(const txn::Exchange& exchange) {
  return between(started(exchange), exchange.times.request_done);
}
std::int64_t total_request(const txn::Exchange& exchange) {
  return between(begin(exchange), exchange.times.request_done);
}
std::int64_t queue(const txn::Exchange& exchange) {
  const txn::Times& times = exchange.times;
  rt::Instant from = times.request_done == rt::kNever ? started(exchange) : times.request_done;
  if (times.dequeued != rt::kNever) return between(from, times.dequeued);
  return times.connected != rt::kNever ? 0 : -1;
}
std::int64_t connect(const txn::Exchange& exchange) {
  const txn::Times& times = exchange.times;
  rt::Instant from = times.dequeued != rt::kNever       ? times.dequeued
                     : times.request_done != rt::kNever ? times.request_done
                                                        : started(exchange);
  return between(from, times.connected);
}
std::int64_t response(const txn::Exchange& exchange) {
  return between(exchange.times.connected, exchange.times.response_start);
}
std::int64_t data(const txn::Exchange& exchange) {
  const txn::Times& times = exchange.times;
  if (times.response_start != rt::kNever) return between(times.response_start, over(exchange));
  return exchange.is_http ? -1 : between(times.connected, over(exchange));
}
std::int64_t active(const txn::Exchange& exchange) {
  return between(started(exchange), over(exchange));
}
std::int64_t total(const txn::Exchange& exchange) {
  return between(begin(exchange), over(exchange));
}
std::int64_t user(const txn::Exchange& exchange) { return total(exchange) - idle(exchange); }

}  // namespace expr::timing

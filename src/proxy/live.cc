#include "proxy/live.h"

#include <atomic>
#include <functional>
#include <iterator>
#include <mutex>

#include "proxy/run.h"
#include "proxy/session.h"
#include "rt/fiber.h"
#include "rt/worker.h"

namespace proxy {
namespace {

// Runs `work` in the loop of every worker and waits until all are done. Each reports in a task of
// the waiter's own worker, so that the waiter cannot be gone when it is woken.
void on_every_worker(const std::function<void()>& work) {
  rt::Runtime& runtime = *rt::Runtime::instance();
  rt::Worker& home = *rt::this_worker();
  rt::Fiber& waiter = *rt::current();
  unsigned left = runtime.size();
  runtime.post_all([&](rt::Worker&) {
    work();
    home.post([&] {
      if (--left == 0) rt::wake(waiter);
    });
  });
  while (left != 0)
    if (rt::suspend(rt::kNever) == rt::Wait::cancelled) rt::yield();
}

// Set in every identifier, so that no small number names an exchange by accident.
constexpr std::uint64_t kExchangeMark = std::uint64_t{1} << 32;

std::string text_of(const net::Address& address) {
  return address.is_unix() ? "unix:1" : address.text();
}

}  // namespace

bool Run::describe(LiveExchange& out) const {
  if (!exchange_) return false;
  const txn::Exchange& e = *exchange_;
  out.id = kExchangeMark | e.id;
  out.worker = rt::worker_index();
  out.is_http = e.is_http;
  out.has_request = e.is_http && e.request_valid;
  out.source = text_of(e.session.source);
  if (out.has_request) {
    out.method = e.request.method_text;
    out.target = e.request.target;
  }
  out.frontend = e.frontend;
  out.backend = e.backend;
  out.server = e.server;
  out.service = e.service_name;
  out.age = rt::now() - e.session.accepted;
  out.start_wall_us = e.times.start_wall_us;
  const Traffic so_far = traffic();
  out.bytes_in = so_far.in;
  out.bytes_out = so_far.out;
  out.retries = e.retries;
  out.tunnel = fiber_ == nullptr;
  return true;
}

void Run::shut() {
  if (slot_)
    slot_.cut(upstream::Kill::by_command);
  else if (fiber_ != nullptr)
    rt::cancel(*fiber_);
}

std::vector<LiveExchange> live_exchanges() {
  std::mutex mutex;
  std::vector<LiveExchange> all;
  on_every_worker([&] {
    std::vector<LiveExchange> here = Session::snapshot();
    std::lock_guard lock(mutex);
    all.insert(all.end(), std::make_move_iterator(here.begin()),
               std::make_move_iterator(here.end()));
  });
  return all;
}

bool shut_exchange(std::uint64_t id) {
  std::atomic<bool> found{false};
  on_every_worker([&] {
    if (Session::shut(id)) found = true;
  });
  return found;
}

}  // namespace proxy

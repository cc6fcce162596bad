#include "proxy/live.h"

#include <atomic>
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

}  // namespace

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

#include "rt/standstill.h"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "rt/worker.h"

namespace rt {

namespace {

constexpr auto kPatience = std::chrono::seconds(5);

struct Meeting {
  std::mutex mutex;
  std::condition_variable changed;
  unsigned arrived = 0;
  bool over = false;

  void attend() {
    std::unique_lock lock(mutex);
    if (over) return;
    ++arrived;
    changed.notify_all();
    changed.wait(lock, [this] { return over; });
  }
};

}  // namespace

bool at_standstill(base::Function<void()> work) {
  Runtime* runtime = Runtime::instance();
  if (runtime == nullptr) {
    work();
    return true;
  }
  auto meeting = std::make_shared<Meeting>();
  const unsigned others = runtime->size() - 1;
  for (unsigned i = 0; i < runtime->size(); ++i)
    if (i != worker_index()) runtime->worker(i).post([meeting] { meeting->attend(); });
  std::unique_lock lock(meeting->mutex);
  const bool all =
      meeting->changed.wait_for(lock, kPatience, [&] { return meeting->arrived == others; });
  if (all) work();
  meeting->over = true;
  meeting->changed.notify_all();
  return all;
}

}  // namespace rt

#include "lua/on_worker.h"

#include "rt/fiber.h"
#include "rt/worker.h"

namespace lua {

void run_on(unsigned worker, base::Function<void()> work) {
  if (worker == rt::worker_index()) return work();
  rt::Runtime& runtime = *rt::Runtime::instance();
  rt::Worker& mine = runtime.worker(rt::worker_index());
  rt::Fiber* waiting = rt::current();
  bool done = false;
  runtime.worker(worker).post([&] {
    rt::spawn([&] {
      work();
      mine.post([&] {
        done = true;
        rt::wake(*waiting);
      });
    });
  });
  while (!done)
    if (rt::suspend(rt::kNever) == rt::Wait::cancelled) rt::yield();
}

void leave_to(unsigned worker, base::Function<void()> work) {
  rt::Runtime* runtime = rt::Runtime::instance();
  if (worker == rt::worker_index() || runtime == nullptr) return work();
  runtime->worker(worker).post(std::move(work));
}

}  // namespace lua

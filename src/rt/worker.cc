#include "rt/worker.h"

#include <sched.h>
#include <time.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "rt/helper_pool.h"
#include "rt/loop.h"
#include "rt/placement.h"
#include "rt/shared_number.h"
#include "rt/watcher_thread.h"

namespace rt {

constinit thread_local unsigned detail::here_index = 0;
constinit thread_local const Instant* detail::turn_time = nullptr;

namespace {

constexpr Duration kGrace = std::chrono::seconds(2);
Runtime* the_runtime = nullptr;
std::vector<Processors> places;  // by worker

struct PostedTask : Mail {
  explicit PostedTask(Task t) : Mail{nullptr, &PostedTask::on_delivery}, task(std::move(t)) {}
  static void on_delivery(Mail& mail, bool run) {
    std::unique_ptr<PostedTask> self(static_cast<PostedTask*>(&mail));
    if (run) self->task();
  }
  Task task;
};

// A set that holds none of the machine's is refused as a whole: the thread stays where it may run.
void take_place(unsigned worker) {
  if (worker >= places.size() || places[worker].empty()) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const unsigned number : places[worker]) CPU_SET(number, &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

}  // namespace

struct Runtime::State {
  std::atomic<bool> stopping{false};
  std::atomic<int> stops{0};  // calls of stop() that other threads are in
  std::vector<std::unique_ptr<Loop>> loops;
  HelperPool helpers;  // its threads write to the mailboxes of the loops: they end first
  std::vector<std::thread> threads;

  void start_others() {
    if (!threads.empty()) return;
    for (std::size_t i = 1; i < loops.size(); ++i)
      threads.emplace_back([this, loop = loops[i].get()] {
        take_place(loop->index());
        Loop::set_here(loop);
        loop->run();
        loop->wind_down(kGrace);
        Loop::set_here(nullptr);
      });
    take_place(0);
  }
  void end_all() {
    loops[0]->wind_down(kGrace);
    for (std::thread& thread : threads) thread.join();
    threads.clear();
    // What they have sent meanwhile is about what is there now, and may be gone later.
    if (!loops[0]->mailbox().empty()) loops[0]->wind_down(kGrace);
  }
};

Runtime::Runtime(unsigned workers) : state_(std::make_unique<State>()) {
  for (unsigned i = 0; i < workers; ++i)
    state_->loops.push_back(std::make_unique<Loop>(i, state_->stopping, state_->helpers));
  Loop::set_here(state_->loops[0].get());
  the_runtime = this;
  detail::one_worker = workers == 1;
}

Runtime::~Runtime() {
  stop();
  state_->end_all();
  while (state_->stops.load() != 0) std::this_thread::yield();
  state_.reset();
  the_runtime = nullptr;
  detail::one_worker = false;
  Loop::set_here(nullptr);
}

void place_workers(std::vector<Processors> workers) {
  places = std::move(workers);
  HelperPool::run_anywhere();
}

void poll_busily() { Loop::poll_busily(); }

void never_rest() { Loop::never_rest(); }

unsigned Runtime::size() const { return static_cast<unsigned>(state_->loops.size()); }
Worker& Runtime::worker(unsigned index) { return *state_->loops[index]; }

std::uint32_t Runtime::open_descriptors() const {
  std::uint32_t all = 0;
  for (const auto& loop : state_->loops) all += loop->descriptors();
  return all;
}

void Runtime::run() {
  WatcherThread watchdog(state_->loops);
  state_->start_others();
  state_->loops[0]->run();
  state_->end_all();
}

void Runtime::run_until(const std::function<bool()>& done) {
  state_->start_others();
  state_->loops[0]->run(&done);
}

void Runtime::stop() {
  state_->stops.fetch_add(1);
  state_->stopping.store(true);
  for (const auto& loop : state_->loops) loop->mailbox().ring();
  state_->stops.fetch_sub(1);
}

void Runtime::post_all(const std::function<void(Worker&)>& task) {
  for (const auto& loop : state_->loops) loop->post([task, worker = loop.get()] { task(*worker); });
}

Runtime* Runtime::instance() { return the_runtime; }

void Worker::post(Task task) {
  static_cast<Loop*>(this)->deliver(*new PostedTask(std::move(task)));
}

Worker* this_worker() { return Loop::here(); }
unsigned worker_count() { return the_runtime != nullptr ? the_runtime->size() : 1; }

Instant precise_now() {
  timespec time;
  ::clock_gettime(CLOCK_MONOTONIC, &time);  // what steady_clock asks, with a call less
  return Instant(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

void Timer::arm_earlier(Instant at) {
  disarm();
  if (at != kNever) Loop::here()->timers().arm(*this, at);
}

}  // namespace rt

#include "rt/watchdog.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "rt/loop.h"
#include "rt/watcher_thread.h"

namespace rt {

using std::chrono::nanoseconds;

// --- what it sees -----------------------------------------------------------------------------

void Pulse::begin() {
  clockid_t clock = 0;
  if (pthread_getcpuclockid(pthread_self(), &clock) != 0) return;
  clock_.store(clock);
  thread_.store(::gettid());
}

void Pulse::end() {
  thread_.store(0);
  sleep();
}

std::int64_t Pulse::cpu_ns() const {
  timespec used{};
  if (thread_.load() == 0 || clock_gettime(clock_.load(), &used) != 0) return 0;
  return used.tv_sec * 1'000'000'000L + used.tv_nsec;
}

bool Pulse::runnable() const {
  char path[64], text[256];
  std::snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread_.load());
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const ssize_t got = ::read(fd, text, sizeof text - 1);
  ::close(fd);
  text[std::max<ssize_t>(got, 0)] = '\0';
  const char* state = std::strrchr(text, ')');
  return state != nullptr && std::strncmp(state, ") R", 3) == 0;
}

bool asked_what() noexcept {
  Loop* loop = Loop::here();
  return loop != nullptr && loop->pulse().question.load() == Pulse::Question::asked;
}

void describe(std::string_view what) noexcept {
  Pulse& pulse = Loop::here()->pulse();
  const std::size_t size = std::min(what.size(), pulse.answer.size() - 1);
  std::memcpy(pulse.answer.data(), what.data(), size);
  pulse.answer[size] = '\0';
  pulse.answered_at = pulse.current();
  pulse.question.store(Pulse::Question::answered);
}

unsigned worker_load() {
  Loop* loop = Loop::here();
  return loop == nullptr ? 0 : loop->pulse().load.load(std::memory_order_relaxed);
}

unsigned load_of_all() {
  unsigned sum = 0;
  for (unsigned i = 0; i < worker_count(); ++i) sum += activity_of(i).load;
  return sum / worker_count();
}

Activity activity_of(unsigned worker) {
  Runtime* runtime = Runtime::instance();
  if (runtime == nullptr || worker >= runtime->size()) return {};
  const Pulse& pulse = static_cast<Loop&>(runtime->worker(worker)).pulse();
  const std::uint64_t steps = pulse.current();
  return {.asleep = steps == 0,
          .steps = steps,
          .on_cpu = nanoseconds(pulse.cpu_ns()),
          .load = pulse.load.load(std::memory_order_relaxed)};
}

// --- the thread -------------------------------------------------------------------------------

namespace {
Duration the_limit{};
std::function<void(const Overdue&)> the_teller;
constexpr Duration kLoadWindow = milliseconds(100);
}  // namespace

void watch_workers(Duration limit, std::function<void(const Overdue&)> tell) {
  the_limit = limit;
  the_teller = std::move(tell);
}

WatcherThread::WatcherThread(const std::vector<std::unique_ptr<Loop>>& loops) {
  if (!the_teller) return;
  for (const auto& loop : loops) seen_.push_back({.pulse = &loop->pulse()});
  // Handlers write to descriptors, which this thread does not have.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

WatcherThread::~WatcherThread() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void WatcherThread::run() {
  // With a table of descriptors of its own the one of the workers is not shared, if there is but
  // one worker: the kernel then takes no reference to a descriptor for each call, a few percent of
  // them. (ThreadSanitizer takes descriptors of the same number for the same.)
#if !defined(__SANITIZE_THREAD__)
  ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_UNSHARE);
#endif
  std::unique_lock lock(mutex_);
  while (!ending_) {
    const bool idle = std::all_of(seen_.begin(), seen_.end(),
                                  [](const Seen& one) { return one.pulse->current() == 0; });
    const Duration pause = idle ? the_limit : the_limit / 2;
    changed_.wait_for(lock, pause);
    const Instant now = precise_now();
    for (std::size_t i = 0; i < seen_.size() && !ending_; ++i)
      look(seen_[i], static_cast<unsigned>(i), now);
    measure(now);
  }
}

void WatcherThread::look(Seen& one, unsigned worker, Instant now) {
  Pulse& pulse = *one.pulse;
  const std::uint64_t current = pulse.current();
  if (current == 0 || current != one.step) {
    pulse.question.store(Pulse::Question::none);
    one.step = current;
    one.since = now;
    one.cpu_ns = current == 0 ? 0 : pulse.cpu_ns();
    one.next = the_limit;
    return;
  }
  const Duration busy = now - one.since;
  // Asked a little earlier, for the answer to be there in time.
  if (2 * busy >= one.next && pulse.question.load() == Pulse::Question::none)
    pulse.question.store(Pulse::Question::asked);
  if (busy < one.next) return;
  const Duration on_cpu = nanoseconds(pulse.cpu_ns() - one.cpu_ns);
  if (on_cpu < one.next && pulse.runnable()) return;  // others keep it from its work
  one.next *= 2;
  const bool known =
      pulse.question.load() == Pulse::Question::answered && pulse.answered_at == current;
  the_teller({worker, busy, on_cpu, known ? std::string(pulse.answer.data()) : std::string()});
  pulse.question.store(Pulse::Question::none);
}

// How busy each worker is.
void WatcherThread::measure(Instant now) {
  const Duration span = now - measured_;
  if (span < kLoadWindow) return;
  measured_ = now;
  for (Seen& one : seen_) {
    const std::int64_t used = one.pulse->cpu_ns();
    const std::int64_t share = (used - one.measured_cpu_ns) * 100 / nanoseconds(span).count();
    one.pulse->load.store(static_cast<unsigned>(std::clamp<std::int64_t>(share, 0, 100)),
                          std::memory_order_relaxed);
    one.measured_cpu_ns = used;
  }
}

}  // namespace rt

#include "rt/loop.h"

#include <cxxabi.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <system_error>

#include "rt/memory.h"
#include "rt/system_call.h"

namespace rt {

using boost::context::detail::jump_fcontext;
using boost::context::detail::make_fcontext;
using boost::context::detail::transfer_t;

constinit thread_local Loop* Loop::here_ = nullptr;
constinit bool Loop::busy_ = false;
constinit bool Loop::restless_ = false;

namespace {

// Events carry a pointer; its lowest bit says that it is the Watcher of a shared descriptor.
constexpr std::uint64_t kSharedTag = 1;

std::uint64_t tag(const Descriptor& descriptor) {
  return reinterpret_cast<std::uintptr_t>(&descriptor);
}
std::uint64_t tag(const Watcher& watcher) {
  return reinterpret_cast<std::uintptr_t>(&watcher) | kSharedTag;
}

void epoll_add(int epoll_fd, int fd, std::uint32_t events, std::uint64_t data) {
  epoll_event event{.events = events, .data = {.u64 = data}};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
}

constexpr std::size_t kStackTouched = 16384;  // what a fiber that serves traffic takes of its stack
constexpr Duration kFresh = milliseconds(5);
constexpr Duration kShortSleep = milliseconds(100);
constexpr std::uint32_t kGone = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

}  // namespace

Loop::Loop(unsigned index, const std::atomic<bool>& stopping, HelperPool& helpers)
    : stopping_(stopping),
      helpers_(helpers),
      now_(precise_now()),
      epoll_fd_(epoll_create1(EPOLL_CLOEXEC)),
      timers_(now_),
      stacks_(*this) {
  index_ = index;
  if (epoll_fd_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  epoll_add(epoll_fd_, mailbox_.event_fd(), EPOLLIN | EPOLLET, 0);
}

Loop::~Loop() {
  for (Mail* mail = mailbox_.take_all(); mail != nullptr;) {
    Mail* next = mail->next;
    mail->deliver(*mail, false);
    mail = next;
  }
  ::close(epoll_fd_);
}

// --- fibers ---------------------------------------------------------------------------------

Fiber& Loop::spawn(base::Function<void()>&& body) {
  Fiber& fiber = stacks_.take();
  stack_reused(fiber.stack);
  fiber.body = std::move(body);
  fiber.notified = false;
  fiber.cancelled = winding_down_;
  fiber.local = nullptr;
  fiber.used_size = 0;
  fiber.state = Fiber::State::ready;
  memory_taken(kStackTouched);
  const auto room = reinterpret_cast<char*>(&fiber) - fiber.mapping;
  fiber.context = make_fcontext(&fiber, static_cast<std::size_t>(room), &Loop::enter);
  begun_.push(fiber);
  if (measuring_) [[unlikely]] {
    fiber.cost = {};
    fiber.ready_since = precise_now();
  }
  return fiber;
}

void Loop::enter(transfer_t from) noexcept {
  Fiber& fiber = *static_cast<Fiber*>(from.data);
  Loop& loop = fiber.loop;
  arrived_on(fiber.stack, &loop.stack_);
  loop.context_ = from.fctx;
  fiber.body();
  fiber.body = nullptr;
  fiber.state = Fiber::State::ended;
  leave_for(fiber.stack, loop.stack_, true);
  jump_fcontext(loop.context_, nullptr);
  __builtin_unreachable();
}

inline void Loop::switch_in(Fiber& fiber) {
  pulse_.step();
  running_ = &fiber;
  fiber.state = Fiber::State::running;
  *exceptions_ = fiber.exceptions;
  leave_for(stack_, fiber.stack);
  const transfer_t from = jump_fcontext(fiber.context, &fiber);
  arrived_on(stack_);
  fiber.context = from.fctx;
  fiber.exceptions = *exceptions_;
  *exceptions_ = {};
  running_ = nullptr;
}

// Its timer hangs on: where the next body waits until later than this one, that is one store.
inline void Loop::retire(Fiber& fiber) {
  if (!fiber.mail_queued.load(std::memory_order_acquire)) release(fiber);
}

void Loop::resume(Fiber& fiber) {
  switch_in(fiber);
  if (fiber.state == Fiber::State::ended) retire(fiber);
}

void Loop::resume_measured(Fiber& fiber) {
  const Instant start = precise_now();
  Duration waited{};
  if (fiber.ready_since != Instant{}) waited = start - fiber.ready_since;
  ++fiber.cost.runs;
  fiber.cost.waiting += waited;
  fiber.ready_since = {};
  fiber.run_since = start;
  switch_in(fiber);
  const Instant end = precise_now();
  costs_.add(end - start, waited);
  fiber.cost.computing += end - fiber.run_since;
  fiber.run_since = {};
  if (fiber.state == Fiber::State::ended) retire(fiber);
}

void Loop::send_in_a_row(int fd, std::string_view bytes, int flags, Sender& sender) {
  // Those of watchers may be followed by others of the same turn.
  if (alone() && (running_ != nullptr || row_size_ != 0))
    return sender.on_sent(send(fd, bytes, flags));
  row_[row_size_++] = {&sender, bytes, fd, flags};
}

long Loop::send_in_a_row(int fd, std::string_view bytes, int flags) {
  if (alone()) return send(fd, bytes, flags);
  struct Waiting final : Sender {
    explicit Waiting(Fiber& f) : fiber(f) {}
    void on_sent(long put) override {
      sent = put;
      fiber.become_ready();
    }
    Fiber& fiber;
    long sent = 0;
  } waiting{*running_};
  row_[row_size_++] = {&waiting, bytes, fd, flags};
  running_->state = Fiber::State::ready;
  switch_out(*running_);
  return waiting.sent;
}

void Loop::take_back(Sender& sender) {
  for (std::size_t i = 0; i < row_size_; ++i)
    if (row_[i].sender == &sender) row_[i].sender = nullptr;
}

void Loop::send_row() {
  for (std::size_t i = 0; i < row_size_; ++i) {
    const Sending& one = row_[i];
    if (one.sender == nullptr) [[unlikely]]
      continue;
    __builtin_prefetch(one.sender);
    const long put = send(one.fd, one.bytes, one.flags);
    one.sender->on_sent(put);
  }
  row_size_ = 0;
}

void Loop::release(Fiber& fiber) {
  fiber.state = Fiber::State::unused;
  memory_given_back(kStackTouched);
  stacks_.give(fiber);
}

// --- descriptors ----------------------------------------------------------------------------

void Loop::add(Descriptor& descriptor, int fd) {
  epoll_add(epoll_fd_, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, tag(descriptor));
  descriptors_.store(descriptors() + 1, std::memory_order_relaxed);
}

void Loop::remove(Descriptor& descriptor, int fd) {
  if (fd >= 0) {
    descriptors_.store(descriptors() - 1, std::memory_order_relaxed);
    // Closing alone would leave the registration alive while a forked child holds the descriptor.
    epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
    for (int i = event_at_; i < event_end_; ++i)
      if (events_[i].data.u64 == tag(descriptor)) events_[i].data.u64 = 0;
  }
  std::replace(due_watchers_.begin(), due_watchers_.end(), &descriptor,
               static_cast<Descriptor*>(nullptr));
}

void Loop::expect_fresh(Descriptor& descriptor) { fresh_.add(descriptor, now_); }

void FreshDescriptors::add(Descriptor& descriptor, Instant now) {
  younger.push_back(descriptor);
  if (!armed()) arm(now + kFresh);
}

void FreshDescriptors::sweep(Timer& timer) {
  auto& self = static_cast<FreshDescriptors&>(timer);
  while (!self.older.empty()) self.older.front().register_fresh();
  self.older.swap(self.younger);
  if (!self.older.empty()) self.arm(now() + kFresh);
}

void Loop::add_shared(int fd, Watcher& watcher) {
  epoll_add(epoll_fd_, fd, EPOLLIN | EPOLLEXCLUSIVE, tag(watcher));
}

void Loop::remove_shared(int fd, Watcher& watcher) {
  epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
  for (int i = event_at_; i < event_end_; ++i)
    if (events_[i].data.u64 == tag(watcher)) events_[i].data.u64 = 0;
}

void Loop::on_event(Descriptor& descriptor, std::uint32_t events) {
  moderation_.heard(descriptor.heard_);
  bool news = false;
  if ((events & (EPOLLIN | kGone)) != 0) {
    descriptor.readable_ = news = true;
    if ((events & kGone) != 0) descriptor.hung_up_ = true;
    if ((events & EPOLLERR) != 0) descriptor.failed_ = true;
    descriptor.end_wait(descriptor.reader_);
  }
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) {
    news = news || !descriptor.writable_;
    descriptor.writable_ = true;
    descriptor.end_wait(descriptor.writer_);
  }
  if (news && descriptor.watcher_ != nullptr) descriptor.watcher_->on_ready();
}

void Loop::call_due_watchers() {
  for (std::size_t i = 0; i < due_watchers_.size(); ++i) {  // may grow
    Descriptor* descriptor = due_watchers_[i];
    if (descriptor != nullptr && descriptor->watcher_ != nullptr && descriptor->readable_)
      descriptor->watcher_->on_ready();
  }
  due_watchers_.clear();
}

// --- the loop -------------------------------------------------------------------------------

void Loop::run_ready() {
  ready_.append(begun_);
  for (int i = 0; i < kResumesATurn && !ready_.empty(); ++i) {
    Fiber& fiber = ready_.pop();
    if (const Fiber* next = ready_.front(); next != nullptr) next->fetch_used();
    if (measuring_) [[unlikely]]
      resume_measured(fiber);
    else
      resume(fiber);
    if (ready_.empty()) {
      if (begun_.empty()) send_row();
      ready_.append(begun_);
    }
  }
  send_row();
  ready_.append(yielded_);
}

void Loop::read_mail() {
  if (mailbox_.empty()) return;
  for (Mail* mail = mailbox_.take_all(); mail != nullptr;) {
    Mail* next = mail->next;
    mail->deliver(*mail, true);
    mail = next;
  }
}

int Loop::sleep_ms(Duration longest) {
  if (busy_ || !ready_.empty() || !begun_.empty() || !mailbox_.empty() || !due_watchers_.empty())
    return 0;
  Duration span = longest;
  const Instant next = timers_.next();
  if (next != kNever) {
    Duration left = next - now_;
    // This turn may have taken long; that matters only where the sleep is short.
    if (left < kShortSleep) left = next - precise_now();
    span = std::clamp(left, Duration::zero(), span);
  }
  return static_cast<int>((span + milliseconds(1) - Duration(1)) / milliseconds(1));
}

// What the next events lead to is fetched meanwhile: the kernel has used the cache since.
inline void Loop::fetch_ahead() const {
  constexpr int kWatcher = 2, kDescriptor = 5;  // events ahead
  if (event_at_ + kWatcher < event_end_) {
    const std::uint64_t next = events_[event_at_ + kWatcher].data.u64;
    if (next != 0 && (next & kSharedTag) == 0)
      __builtin_prefetch(reinterpret_cast<const Descriptor*>(next)->watcher_);
  }
  if (event_at_ + kDescriptor < event_end_)
    __builtin_prefetch(reinterpret_cast<const void*>(events_[event_at_ + kDescriptor].data.u64));
}

inline int Loop::ask(int timeout_ms) {
  return static_cast<int>(
      std::max(0L, system_call(SYS_epoll_pwait, epoll_fd_, events_.data(), kEvents, timeout_ms)));
}

// Unless a turn with many events has let others come meanwhile: how many.
int Loop::rest() {
  if (event_end_ >= Moderation::kEnough)
    if (const int found = ask(0); found != 0) return found;
  constexpr timespec kSpan{.tv_sec = 0, .tv_nsec = Moderation::kRest.count()};
  ::nanosleep(&kSpan, nullptr);
  return 0;
}

void Loop::poll(int timeout_ms) {
  const bool sleeps = timeout_ms > 0 && mailbox_.fall_asleep();
  int found = 0;
  if (sleeps) {
    pulse_.sleep();
    if (moderation_.worthwhile() && event_end_ != 0 && !restless_) found = rest();
  }
  if (found == 0) found = ask(sleeps ? timeout_ms : 0);
  event_at_ = 0;
  event_end_ = found;
  pulse_.step();
  if (sleeps) mailbox_.awake();
  now_ = precise_now();
  moderation_.turn(now_);
  while (event_at_ < event_end_) {
    const std::uint64_t whose = events_[event_at_].data.u64;
    const std::uint32_t what = events_[event_at_].events;
    ++event_at_;
    fetch_ahead();
    if (whose == 0) continue;  // the mailbox, or closed since
    if ((whose & kSharedTag) != 0) {
      moderation_.heard();
      reinterpret_cast<Watcher*>(whose & ~kSharedTag)->on_ready();
    } else {
      on_event(*reinterpret_cast<Descriptor*>(whose), what);
    }
  }
}

void Loop::turn(Duration longest) {
  poll(sleep_ms(longest));
  timers_.advance(now_);
  read_mail();
  if (!due_watchers_.empty()) call_due_watchers();
  if (row_size_ != 0) send_row();  // of watchers: no fiber is waited for
  run_ready();
}

void Loop::start_turning() {
  exceptions_ = reinterpret_cast<ExceptionState*>(abi::__cxa_get_globals());
  identify_thread(stack_);
  ::prctl(PR_SET_TIMERSLACK, 1000UL);  // ns: how much longer than asked for a rest may be
  now_ = precise_now();
  detail::turn_time = &now_;
}

void Loop::end_turning() {
  pulse_.end();
  detail::turn_time = nullptr;
}

void Loop::run(const std::function<bool()>* done) {
  constexpr Duration kLongSleep = std::chrono::minutes(10);
  start_turning();
  pulse_.begin();
  const Duration longest = done != nullptr ? Duration(milliseconds(1)) : kLongSleep;
  while (!stopping_.load(std::memory_order_relaxed) && (done == nullptr || !(*done)()))
    turn(longest);
  end_turning();
}

void Loop::wind_down(Duration grace) {
  start_turning();
  winding_down_ = true;
  for (Fiber* fiber : stacks_.all())
    if (fiber->state != Fiber::State::unused) cancel(*fiber);
  const Instant end = precise_now() + grace;
  while ((stacks_.in_use() != 0 || !mailbox_.empty()) && precise_now() < end)
    turn(milliseconds(10));
  end_turning();
  winding_down_ = false;
}

}  // namespace rt

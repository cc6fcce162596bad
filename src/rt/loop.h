// The inside of a worker: its epoll, its ready fibers, its timers, its mailbox. Known to this room
// only. Created by Runtime, lives until it ends; touched by its thread alone, except post() and
// deliver().
#pragma once

#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <boost/intrusive/list.hpp>
#include <string_view>
#include <vector>

#include "rt/cost_sums.h"
#include "rt/fiber_object.h"
#include "rt/io.h"
#include "rt/mailbox.h"
#include "rt/moderation.h"
#include "rt/pulse.h"
#include "rt/stack_pool.h"
#include "rt/timer_wheel.h"
#include "rt/worker.h"

namespace rt {

class HelperPool;

// Descriptors that were opened and not registered yet. Swept every few milliseconds: those that
// were there at the sweep before are registered.
struct FreshDescriptors : Timer {
  using List = boost::intrusive::list<
      Descriptor, boost::intrusive::constant_time_size<false>,
      boost::intrusive::member_hook<Descriptor, Descriptor::FreshHook, &Descriptor::fresh_>>;
  FreshDescriptors() : Timer(&FreshDescriptors::sweep) {}
  void add(Descriptor& descriptor, Instant now);
  static void sweep(Timer& timer);
  List younger, older;
};

class Loop final : public Worker {
 public:
  Loop(unsigned index, const std::atomic<bool>& stopping, HelperPool& helpers);
  ~Loop();

  static Loop* here() { return here_; }
  static void set_here(Loop* loop) {
    here_ = loop;
    detail::here_index = loop != nullptr ? loop->index() : 0;
  }
  static void poll_busily() { busy_ = true; }
  static void never_rest() { restless_ = true; }
  HelperPool& helpers() { return helpers_; }
  StackPool& stacks() { return stacks_; }
  TimerWheel& timers() { return timers_; }

  // --- fibers ---
  Fiber& spawn(base::Function<void()>&& body);
  Fiber* running() { return running_; }
  void make_ready(Fiber& fiber) {
    ready_.push(fiber);
    if (measuring_) [[unlikely]]
      fiber.ready_since = precise_now();
  }
  void make_ready_later(Fiber& fiber) {
    yielded_.push(fiber);
    if (measuring_) [[unlikely]]
      fiber.ready_since = precise_now();
  }
  long send_in_a_row(int fd, std::string_view bytes, int flags);
  void send_in_a_row(int fd, std::string_view bytes, int flags, Sender& sender);
  void take_back(Sender& sender);
  // Leaves the running fiber, whose state has been set, for the loop.
  void switch_out(Fiber& fiber) {
    leave_for(fiber.stack, stack_);
    const auto from = boost::context::detail::jump_fcontext(context_, nullptr);
    arrived_on(fiber.stack, &stack_);
    context_ = from.fctx;
  }
  void release(Fiber& fiber);

  // --- costs ---
  void measure(bool on);
  const Costs& costs() const { return costs_; }

  // --- descriptors ---
  void add(Descriptor& descriptor, int fd);
  void remove(Descriptor& descriptor, int fd);  // fd < 0: it was never added
  // Adds it a little later, if it is still there.
  void expect_fresh(Descriptor& descriptor);
  std::uint32_t descriptors() const { return descriptors_.load(std::memory_order_relaxed); }
  void add_shared(int fd, Watcher& watcher);
  void remove_shared(int fd, Watcher& watcher);
  // Has the watcher of a descriptor that is readable already called in the next turn.
  void watch_soon(Descriptor& descriptor) { due_watchers_.push_back(&descriptor); }

  // --- mail, any thread ---
  void deliver(Mail& mail) {
    if (mailbox_.push(mail) && here_ != this) mailbox_.ring();
  }
  Mailbox& mailbox() { return mailbox_; }
  Pulse& pulse() { return pulse_; }

  // --- the loop ---
  // Until stop(); with `done`, until that says so (asked about once a millisecond).
  void run(const std::function<bool()>* done = nullptr);
  // Cancels all fibers and turns until they have ended and no mail is left, or until `grace` has
  // passed.
  void wind_down(Duration grace);

 private:
  struct Sending {
    Sender* sender;  // null: taken back
    std::string_view bytes;
    int fd;
    int flags;
  };
  static constexpr int kEvents = 256;
  static constexpr int kResumesATurn = 1024;

  void start_turning();
  void end_turning();
  void turn(Duration longest);
  void run_ready();
  // Whether what shall be sent in a row would be the only one, or one too many.
  bool alone() const {
    return (ready_.empty() && begun_.empty() && row_size_ == 0) || row_size_ == row_.size();
  }
  void send_row();
  void switch_in(Fiber& fiber);
  void resume(Fiber& fiber);
  void resume_measured(Fiber& fiber);
  void retire(Fiber& fiber);
  void read_mail();
  void call_due_watchers();
  void poll(int timeout_ms);
  int ask(int timeout_ms);
  int rest();
  void fetch_ahead() const;
  int sleep_ms(Duration longest);
  void on_event(Descriptor& descriptor, std::uint32_t events);
  static void enter(boost::context::detail::transfer_t from) noexcept;

  static constinit thread_local Loop* here_;
  static constinit bool busy_, restless_;

  const std::atomic<bool>& stopping_;
  HelperPool& helpers_;
  bool winding_down_ = false;
  bool measuring_ = costs_measured();
  Instant now_;
  int epoll_fd_;
  Fiber* running_ = nullptr;
  ExceptionState* exceptions_ = nullptr;                  // of this thread
  boost::context::detail::fcontext_t context_ = nullptr;  // the loop's, while a fiber runs
  StackIdentity stack_;
  FiberQueue ready_;
  FiberQueue begun_;  // behind them: the same code for one after the other
  std::array<Sending, 256> row_;
  std::size_t row_size_ = 0;
  FiberQueue yielded_;
  Mailbox mailbox_;
  Pulse pulse_;
  TimerWheel timers_;
  StackPool stacks_;
  std::vector<Descriptor*> due_watchers_;
  FreshDescriptors fresh_;
  Costs costs_;
  std::atomic<std::uint32_t> descriptors_{0};  // written by this thread alone
  Moderation moderation_;
  int event_at_ = 0;  // the part of events_ not looked at yet
  int event_end_ = 0;
  std::array<epoll_event, kEvents> events_;
};

}  // namespace rt

#include "rt/fiber.h"

#include "rt/fetch.h"
#include "rt/fiber_object.h"
#include "rt/loop.h"

namespace rt {

// Its stack comes nearer until its turn comes.
void Fiber::become_ready() {
  fetch_stack();
  state = State::ready;
  loop.make_ready(*this);
}

void Fiber::on_deadline(Timer& timer) {
  auto& fiber = static_cast<Fiber&>(timer);
  if (fiber.state == State::waiting) fiber.become_ready();
}

void Fiber::on_mail(Mail& mail, bool run) {
  auto& fiber = static_cast<Fiber&>(mail);
  // Reads what the last waker wrote: everything before its wake() has happened before this.
  fiber.mail_queued.exchange(false, std::memory_order_acq_rel);
  if (!run) return;
  if (fiber.state == State::ended)
    fiber.loop.release(fiber);
  else
    wake(fiber);
}

Fiber& spawn(base::Function<void()> body) { return Loop::here()->spawn(std::move(body)); }

Fiber* current() {
  Loop* loop = Loop::here();
  return loop != nullptr ? loop->running() : nullptr;
}

Wait suspend(Instant deadline) {
  Loop& loop = *Loop::here();
  Fiber& fiber = *loop.running();
  if (fiber.cancelled) return Wait::cancelled;
  if (!fiber.notified) {
    fiber.arm(deadline);
    fiber.state = Fiber::State::waiting;
    loop.switch_out(fiber);
    if (fiber.cancelled) return Wait::cancelled;
    if (!fiber.notified) return Wait::timed_out;
  }
  fiber.notified = false;
  return Wait::ready;
}

void suspend_uninterruptibly() {
  Loop& loop = *Loop::here();
  Fiber& fiber = *loop.running();
  if (!fiber.notified) {
    fiber.uninterruptible = true;
    fiber.arm(kNever);
    fiber.state = Fiber::State::waiting;
    loop.switch_out(fiber);
    fiber.uninterruptible = false;
  }
  fiber.notified = false;
}

void wake(Fiber& fiber) {
  fiber.notified = true;
  if (fiber.state == Fiber::State::waiting) fiber.become_ready();
}

void cancel(Fiber& fiber) {
  fiber.cancelled = true;
  if (fiber.state == Fiber::State::waiting && !fiber.uninterruptible) fiber.become_ready();
}

bool cancelled() {
  const Fiber* fiber = current();
  return fiber != nullptr && fiber->cancelled;
}

void forget_cancel() { current()->cancelled = false; }

void fetch_ahead(Fiber& fiber, const void* memory, std::size_t size) {
  fiber.used = memory;
  fiber.used_size = size;
}

void yield() {
  Loop& loop = *Loop::here();
  Fiber& fiber = *loop.running();
  fiber.state = Fiber::State::ready;
  loop.make_ready_later(fiber);
  loop.switch_out(fiber);
}

Wait sleep_for(Duration duration) {
  const Instant end = duration == kForever ? kNever : precise_now() + duration;
  while (true) {
    const Wait how = suspend(end);
    if (how != Wait::ready) return how;
  }
}

void*& fiber_local() { return current()->local; }

WakeHandle::WakeHandle() : worker_(Loop::here()), fiber_(current()) {}

void WakeHandle::wake() const {
  if (worker_ == Loop::here())
    rt::wake(*fiber_);
  else if (!fiber_->mail_queued.exchange(true, std::memory_order_acq_rel))
    fiber_->loop.deliver(*fiber_);
}

}  // namespace rt

#include "rt/io.h"

#include <sys/socket.h>
#include <unistd.h>

#include <system_error>

#include "rt/loop.h"

namespace rt {

// Whoever ends the wait says so here, so that the fiber need not look at a descriptor that may be
// gone when it runs again.
struct Descriptor::Waiting {
  Fiber& fiber;
  bool over = false;
};

void Descriptor::open(int fd) {
  fd_ = fd;
  join();
}

void Descriptor::open_fresh(int fd) {
  fd_ = fd;
  readable_ = true;
  Loop::here()->expect_fresh(*this);
}

void Descriptor::register_fresh() {
  if (fresh_.is_linked()) fresh_.unlink();
  try {
    Loop::here()->add(*this, fd_);
    registered_ = true;
  } catch (const std::system_error&) {  // nothing would be heard of it any more: it ends
    ::shutdown(fd_, SHUT_RDWR);
    readable_ = writable_ = hung_up_ = failed_ = true;
    if (watcher_ != nullptr) watch_soon();
  }
}

void Descriptor::join() {
  try {
    Loop::here()->add(*this, fd_);
    registered_ = true;
  } catch (...) {
    ::close(std::exchange(fd_, -1));
    throw;
  }
}

void Descriptor::forget() {
  end_wait(reader_);
  end_wait(writer_);
  watcher_ = nullptr;
  readable_ = hung_up_ = failed_ = false;
  writable_ = true;
  if (fresh_.is_linked()) fresh_.unlink();
  const bool registered = std::exchange(registered_, false);
  if (Loop* loop = Loop::here(); loop != nullptr) loop->remove(*this, registered ? fd_ : -1);
}

void Descriptor::close() {
  if (fd_ < 0) return;
  forget();
  ::close(std::exchange(fd_, -1));
}

int Descriptor::release() {
  if (fd_ < 0) return -1;
  forget();
  return std::exchange(fd_, -1);
}

void Descriptor::end_wait(Waiting*& direction) {
  if (direction == nullptr) return;
  Waiting& waiting = *direction;
  if (reader_ == &waiting) reader_ = nullptr;
  if (writer_ == &waiting) writer_ = nullptr;
  waiting.over = true;
  wake(waiting.fiber);
}

Wait Descriptor::wait(unsigned directions, Instant deadline) {
  watch_now();
  if (!registered_) return Wait::ready;  // and there it finds the end
  Waiting waiting{*current()};
  if ((directions & kRead) != 0) reader_ = &waiting;
  if ((directions & kWrite) != 0) writer_ = &waiting;
  while (true) {
    const Wait how = suspend(deadline);
    if (waiting.over) return how == Wait::cancelled ? how : Wait::ready;
    if (how == Wait::ready) continue;  // a wake-up that was meant for something else
    if (reader_ == &waiting) reader_ = nullptr;
    if (writer_ == &waiting) writer_ = nullptr;
    return how;
  }
}

void Descriptor::send_in_a_row(std::string_view bytes, int flags, Sender& sender) {
  Loop::here()->send_in_a_row(fd_, bytes, flags, sender);
}

long Descriptor::send_in_a_row(std::string_view bytes, int flags) {
  return Loop::here()->send_in_a_row(fd_, bytes, flags);
}

void Descriptor::take_back(Sender& sender) { Loop::here()->take_back(sender); }

void Descriptor::watch_soon() { Loop::here()->watch_soon(*this); }

void SharedDescriptor::pause() {
  if (std::exchange(paused_, true)) return;
  if (Loop* loop = Loop::here(); loop != nullptr) loop->remove_shared(fd_, watcher_);
}

void SharedDescriptor::resume() {
  if (!std::exchange(paused_, false)) return;
  Loop::here()->add_shared(fd_, watcher_);
}

}  // namespace rt

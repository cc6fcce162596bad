// A descriptor on the loop: registered once, edge-triggered, never modified. The loop keeps for
// each direction whether it is believed ready; code tries first where it is, and says when the
// kernel had nothing more. Owned by the worker that registered it, touched by its thread alone.
#pragma once

#include <boost/intrusive/list_hook.hpp>
#include <cstdint>
#include <string_view>
#include <utility>

#include "rt/fiber.h"
#include "rt/time.h"

namespace rt {

// Called in the loop (not in a fiber) when something happens on a parked descriptor: bytes, end,
// error, or room to write where there was none. A parked connection has no fiber; the callback
// usually spawns one. It may destroy the watcher and the descriptor.
class Watcher {
 public:
  virtual void on_ready() = 0;

 protected:
  ~Watcher() = default;
};

// Hears what became of bytes that were sent in a row with those of others: a count, or -errno. It
// sends nothing in a row itself then.
class Sender {
 public:
  virtual void on_sent(long put) = 0;

 protected:
  ~Sender() = default;
};

class Descriptor {
 public:
  Descriptor() = default;
  // Takes `fd`, which must be non-blocking, and registers it with this thread's worker. Throws
  // std::system_error when epoll does not take it; the descriptor is closed then.
  explicit Descriptor(int fd) { open(fd); }
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  void open(int fd);  // as the constructor, on an empty one
  // As open(), but registered only once somebody waits, or by the loop within ten milliseconds:
  // what was just accepted has its first bytes mostly there, and is often closed before anybody
  // must wait. Believed readable. Where epoll takes no more, it is shut down later on.
  void open_fresh(int fd);
  void close();   // unregisters and closes; waits on it end as ready
  int release();  // unregisters, gives the fd away; waits end as with close()
  // Moves to another worker: leave() on the old one, join() on the new one, nothing in between but
  // the destructor. join() throws as the constructor does.
  void leave() { forget(); }
  void join();

  int fd() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

  // What the loop last said. Writable starts true; readable starts false.
  bool readable() const { return readable_; }
  bool writable() const { return writable_; }
  // The peer closed its sending side, or the connection broke (EPOLLRDHUP, EPOLLHUP, EPOLLERR).
  bool hung_up() const { return hung_up_; }
  bool failed() const { return failed_; }
  // The kernel said EAGAIN, or gave less than asked: wait for the next edge.
  void read_drained() { readable_ = false; }
  void write_blocked() {
    writable_ = false;
    watch_now();
  }
  // Bytes are known to be there (the reader stopped early): do not wait for an edge.
  void assume_readable() { readable_ = true; }

  // As send(2), once all that are ready have come as far: watchers of the events of this turn, or
  // fibers until each waits or sends; at once in a fiber where there are no others. What the kernel
  // runs through for a call and what a request does keep each other out of the first-level cache;
  // in a row, each finds its code there. No event is looked at in between. The descriptor stays
  // open and the bytes stay where they are until the sender has heard of it or is taken back.
  void send_in_a_row(std::string_view bytes, int flags, Sender& sender);
  // The same for a fiber, which waits for it; cancel() does not end that. A count, or -errno.
  long send_in_a_row(std::string_view bytes, int flags);
  static void take_back(Sender& sender);

  // Waits until readable (or hung up or closed): at once if it is believed so. One fiber a
  // direction. After a wait that ended because the descriptor was closed, it may be gone.
  [[nodiscard]] Wait wait_readable(Instant deadline) {
    return readable_ || !is_open() ? Wait::ready : wait(kRead, deadline);
  }
  [[nodiscard]] Wait wait_writable(Instant deadline) {
    return writable_ || !is_open() ? Wait::ready : wait(kWrite, deadline);
  }
  // Until the next event in either direction; at once when readable. For relays.
  [[nodiscard]] Wait wait_any(Instant deadline) {
    return readable_ || !is_open() ? Wait::ready : wait(kRead | kWrite, deadline);
  }

  // Parks the descriptor: `watcher` hears of the next events until park(nullptr) or until it is
  // replaced. Called soon from the loop when already readable. Null ends it.
  void park(Watcher* watcher) {
    if (watcher != nullptr) watch_now();
    park_unhurried(watcher);
  }
  // As park(), for a watcher to whom the news of a fresh descriptor may come a few milliseconds
  // late.
  void park_unhurried(Watcher* watcher) {
    watcher_ = watcher;
    if (watcher != nullptr && readable_) watch_soon();
  }
  // Registers a fresh one that news are awaited from.
  void watch_now() {
    if (!registered_ && is_open()) register_fresh();
  }

 private:
  friend class Loop;
  friend struct FreshDescriptors;
  enum Direction : unsigned { kRead = 1, kWrite = 2 };
  struct Waiting;  // lives on the stack of the fiber that waits
  Wait wait(unsigned directions, Instant deadline);
  void end_wait(Waiting*& direction);
  void forget();
  void register_fresh();
  void watch_soon();

  using FreshHook = boost::intrusive::list_member_hook<
      boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

  int fd_ = -1;
  bool readable_ = false;
  bool writable_ = true;
  bool hung_up_ = false;
  bool failed_ = false;
  bool registered_ = false;
  std::uint32_t heard_ = 0;  // see moderation.h
  Waiting* reader_ = nullptr;
  Waiting* writer_ = nullptr;
  Watcher* watcher_ = nullptr;
  FreshHook fresh_;
};

// A descriptor that several workers watch, each with a registration of its own: a listening socket.
// Level-triggered; the kernel wakes one of the sleeping workers for an event (EPOLLEXCLUSIVE).
class SharedDescriptor {
 public:
  // Does not take `fd`. `watcher` is called in the loop as long as the descriptor is readable.
  SharedDescriptor(int fd, Watcher& watcher) : fd_(fd), watcher_(watcher) { resume(); }
  ~SharedDescriptor() { pause(); }
  SharedDescriptor(const SharedDescriptor&) = delete;
  SharedDescriptor& operator=(const SharedDescriptor&) = delete;

  void pause();
  void resume();
  bool paused() const { return paused_; }

 private:
  int fd_;
  bool paused_ = true;
  Watcher& watcher_;
};

}  // namespace rt

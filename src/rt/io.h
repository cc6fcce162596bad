// A descriptor on the loop: registered once, edge-triggered, never modified. The loop keeps for each
// direction whether it is believed ready; code tries first where it is, and says when the kernel had
// nothing more. Owned by the worker that registered it.
#pragma once

#include <cstdint>
#include <utility>

#include "rt/fiber.h"
#include "rt/time.h"

namespace rt {

// Called in the loop (not in a fiber) when something happens on a parked descriptor: bytes, end,
// error. A parked connection has no fiber; the callback usually spawns one.
class Watcher {
 public:
  virtual void on_ready() = 0;

 protected:
  ~Watcher() = default;
};

class Descriptor {
 public:
  Descriptor() = default;
  // Takes `fd`, which must be non-blocking, and registers it with this thread's worker.
  explicit Descriptor(int fd);
  ~Descriptor();  // closes
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  void open(int fd);  // as the constructor, on an empty one
  void close();       // unregisters and closes; waits on it end as ready
  int release();      // unregisters, gives the fd away

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
  void write_blocked() { writable_ = false; }
  // Bytes are known to be there (the reader stopped early): do not wait for an edge.
  void assume_readable() { readable_ = true; }

  // Waits until readable (or hung up or closed): at once if it is believed so. One fiber a direction.
  [[nodiscard]] Wait wait_readable(Instant deadline);
  [[nodiscard]] Wait wait_writable(Instant deadline);
  // Either direction; for relays.
  [[nodiscard]] Wait wait_any(Instant deadline);

  // Parks the descriptor: `watcher` hears of the next events until unpark() or until it is replaced.
  // Called at once from the loop when already readable. Null ends it.
  void park(Watcher* watcher);

 private:
  friend class Loop;
  int fd_ = -1;
  bool readable_ = false;
  bool writable_ = true;
  bool hung_up_ = false;
  bool failed_ = false;
  Fiber* reader_ = nullptr;
  Fiber* writer_ = nullptr;
  Watcher* watcher_ = nullptr;
};

}  // namespace rt

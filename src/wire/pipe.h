// A kernel pipe that takes bytes from one socket to another without copying them (splice(2)). Pipes
// come from a pool of the calling thread; one that still holds bytes is closed instead of kept. All
// workers together have no more than were allowed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "net/connection.h"

namespace wire {

// For all threads, before traffic: how many pipes there may be (0: nothing is spliced), and their
// size, 0 for the kernel's.
void set_pipes(std::uint32_t most, std::size_t size);

class Pipe {
 public:
  Pipe() = default;
  Pipe(Pipe&& other) noexcept
      : in_(std::exchange(other.in_, -1)),
        out_(std::exchange(other.out_, -1)),
        size_(std::exchange(other.size_, 0)) {}
  Pipe& operator=(Pipe&&) = delete;
  ~Pipe() { drop(); }

  bool take();  // an empty pipe, unless one is held; false when there is none to be had
  void drop() {
    if (held()) give_back();
  }
  bool held() const { return in_ >= 0; }
  std::size_t size() const { return size_; }  // bytes in it

  // As much as there is and fits, at most `most`, into the empty pipe; 0 at the end of the stream.
  [[nodiscard]] base::Result<std::size_t, net::IoError> fill(net::Connection& from,
                                                             std::uint64_t most);
  // As much as the connection takes.
  [[nodiscard]] base::Result<std::size_t, net::IoError> drain(net::Connection& to,
                                                              bool more_follows);

 private:
  void give_back();

  int in_ = -1, out_ = -1;
  std::size_t size_ = 0;
};

}  // namespace wire

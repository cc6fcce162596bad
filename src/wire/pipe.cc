#include "wire/pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <vector>

namespace wire {

namespace {

constexpr std::size_t kKept = 32;  // empty pipes a thread keeps
constexpr std::uint64_t kAtOnce = 1 << 20;

std::uint32_t most_pipes = 0;
std::size_t pipe_size = 0;
std::atomic<std::uint32_t> pipes{0};

struct Ends {
  int in, out;
};

void close_ends(Ends ends) {
  ::close(ends.in);
  ::close(ends.out);
  pipes.fetch_sub(1, std::memory_order_relaxed);
}

struct PipePool {
  std::vector<Ends> free;
  ~PipePool() {
    for (const Ends ends : free) close_ends(ends);
  }
};
thread_local PipePool pool;

}  // namespace

void set_pipes(std::uint32_t most, std::size_t size) {
  most_pipes = most;
  pipe_size = size;
}

bool Pipe::take() {
  if (held()) return true;
  if (!pool.free.empty()) {
    in_ = pool.free.back().in;
    out_ = pool.free.back().out;
    pool.free.pop_back();
    return true;
  }
  if (pipes.fetch_add(1, std::memory_order_relaxed) < most_pipes) {
    int ends[2];
    if (::pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0) {
      out_ = ends[0];
      in_ = ends[1];
      if (pipe_size != 0) ::fcntl(in_, F_SETPIPE_SZ, static_cast<int>(pipe_size));
      return true;
    }
  }
  pipes.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

void Pipe::give_back() {
  const Ends ends{std::exchange(in_, -1), std::exchange(out_, -1)};
  if (std::exchange(size_, 0) == 0 && pool.free.size() < kKept)
    pool.free.push_back(ends);
  else
    close_ends(ends);
}

base::Result<std::size_t, net::IoError> Pipe::fill(net::Connection& from, std::uint64_t most) {
  rt::Descriptor& io = from.io();
  if (!io.readable()) return base::fail(net::IoError::would_block);
  ssize_t got;
  do {
    got = ::splice(io.fd(), nullptr, in_, nullptr, std::min(most, kAtOnce),
                   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    if (errno == EAGAIN) io.read_drained();
    return base::fail(net::io_error(errno));
  }
  size_ = static_cast<std::size_t>(got);
  return size_;
}

base::Result<std::size_t, net::IoError> Pipe::drain(net::Connection& to, bool more_follows) {
  rt::Descriptor& io = to.io();
  if (!io.writable()) return base::fail(net::IoError::would_block);
  const unsigned flags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK | (more_follows ? SPLICE_F_MORE : 0);
  ssize_t put;
  do {
    put = ::splice(out_, nullptr, io.fd(), nullptr, size_, flags);
  } while (put < 0 && errno == EINTR);
  if (put < 0) {
    if (errno == EAGAIN) io.write_blocked();
    return base::fail(net::io_error(errno));
  }
  size_ -= static_cast<std::size_t>(put);
  return static_cast<std::size_t>(put);
}

}  // namespace wire

#include "obs/descriptor_sink.h"

#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>

namespace obs {
namespace {

struct SinkList {
  std::mutex mutex;
  std::map<int, std::weak_ptr<DescriptorSink>> sinks;
};
SinkList& sink_list() {
  static SinkList list;
  return list;
}

}  // namespace

std::shared_ptr<DescriptorSink> DescriptorSink::of(int fd) {
  std::lock_guard lock(sink_list().mutex);
  std::weak_ptr<DescriptorSink>& known = sink_list().sinks[fd];
  std::shared_ptr<DescriptorSink> sink = known.lock();
  if (!sink) known = sink = std::make_shared<DescriptorSink>(fd);
  return sink;
}

DescriptorSink::DescriptorSink(int fd) : fd_(fd) {
  struct stat info {};
  Way way = Way::polled;
  if (::fstat(fd, &info) == 0) {
    if (S_ISREG(info.st_mode)) way = Way::plain;
    if (S_ISFIFO(info.st_mode)) way = Way::no_wait;
    if (S_ISSOCK(info.st_mode)) way = Way::socket;
  }
  way_.store(way, std::memory_order_relaxed);
}

long DescriptorSink::write_once(std::span<const iovec> parts) {
  int count = static_cast<int>(parts.size());
  switch (way_.load(std::memory_order_relaxed)) {
    case Way::plain:
      break;
    case Way::no_wait: {
      long done = ::pwritev2(fd_, parts.data(), count, -1, RWF_NOWAIT);
      if (done >= 0 || errno != EOPNOTSUPP) return done;
      way_.store(Way::polled, std::memory_order_relaxed);
      [[fallthrough]];
    }
    case Way::polled: {
      pollfd ready{fd_, POLLOUT, 0};
      if (::poll(&ready, 1, 0) != 1) {
        errno = EAGAIN;
        return -1;
      }
      break;
    }
    case Way::socket: {
      msghdr message{};
      message.msg_iov = const_cast<iovec*>(parts.data());
      message.msg_iovlen = parts.size();
      return ::sendmsg(fd_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
  }
  return ::writev(fd_, parts.data(), count);
}

bool DescriptorSink::write_tail() {
  while (!tail_.empty()) {
    iovec part{tail_.data(), tail_.size()};
    long done = write_once({&part, 1});
    if (done <= 0) return false;
    tail_.erase(0, static_cast<std::size_t>(done));
  }
  has_tail_.store(false, std::memory_order_release);
  return true;
}

bool DescriptorSink::write_locked(std::span<const iovec> line, std::size_t size) {
  std::lock_guard lock(mutex_);
  if (!write_tail()) return false;
  long done = write_once(line);
  if (done < 0) return false;
  if (static_cast<std::size_t>(done) == size) return true;
  std::size_t skip = static_cast<std::size_t>(done);
  for (const iovec& part : line) {
    std::size_t taken = std::min(skip, part.iov_len);
    tail_.append(static_cast<const char*>(part.iov_base) + taken, part.iov_len - taken);
    skip -= taken;
  }
  has_tail_.store(true, std::memory_order_release);
  return true;
}

bool DescriptorSink::write(std::span<const iovec> line) {
  std::size_t size = 0;
  for (const iovec& part : line) size += part.iov_len;
  // Up to PIPE_BUF the kernel takes all or nothing from a pipe, and all of it into a file.
  bool atomic = way_.load(std::memory_order_relaxed) != Way::socket && size <= PIPE_BUF;
  if (!atomic || has_tail_.load(std::memory_order_acquire)) return write_locked(line, size);
  return write_once(line) == static_cast<long>(size);
}

}  // namespace obs

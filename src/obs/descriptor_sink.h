// Whole lines to a descriptor that others use as well (stdout, a pipe, a file, a socket), without
// waiting and without changing its flags: O_NONBLOCK on a terminal would be the shell's, too. A
// line that was taken in part is finished before the next one; lines that find the way blocked are
// lost. One for each descriptor number, shared by all targets and workers.
#pragma once

#include <sys/uio.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>

namespace obs {

class DescriptorSink {
 public:
  static std::shared_ptr<DescriptorSink> of(int fd);
  explicit DescriptorSink(int fd);
  bool write(std::span<const iovec> line);  // false: dropped

 private:
  enum class Way : std::uint8_t { plain, no_wait, socket, polled };
  long write_once(std::span<const iovec> parts);
  bool write_tail();
  bool write_locked(std::span<const iovec> line, std::size_t size);

  int fd_;
  std::atomic<Way> way_;
  std::atomic<bool> has_tail_{false};
  std::mutex mutex_;  // guards tail_, and lines that the kernel may take in parts
  std::string tail_;  // of a line that was taken in part
};

}  // namespace obs

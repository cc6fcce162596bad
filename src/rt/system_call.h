// System calls without the C library: its functions prepare for the cancellation of threads in each
// call, and they are frames to return through. A processor forgets during a system call where the
// frames below would return to, so that each of them costs 15 to 20 ns; these calls add none.
// Answers are the kernel's: a count, or -errno. See docs/decisions/0009.
#pragma once

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <string_view>

namespace rt {

// The two arguments behind `fourth` are null and 0.
inline long system_call(long number, int fd, const void* bytes, std::size_t size, long fourth) {
#if defined(__x86_64__)
  long result = number;
  register long fourth_in __asm__("r10") = fourth;
  register const void* fifth __asm__("r8") = nullptr;
  register long sixth __asm__("r9") = 0;
  __asm__ volatile("syscall"
                   : "+a"(result)
                   : "D"(static_cast<long>(fd)), "S"(bytes), "d"(size), "r"(fourth_in), "r"(fifth),
                     "r"(sixth)
                   : "rcx", "r11", "memory");
  return result;
#else
  const long result = ::syscall(number, fd, bytes, size, fourth, nullptr, 0);
  return result < 0 ? -errno : result;
#endif
}

inline long receive(int fd, void* into, std::size_t size) {
  long got;
  do {
    got = system_call(SYS_recvfrom, fd, into, size, 0);
  } while (got == -EINTR);
  return got;
}

inline long send(int fd, std::string_view bytes, int flags) {
  long put;
  do {
    put = system_call(SYS_sendto, fd, bytes.data(), bytes.size(), flags);
  } while (put == -EINTR);
  return put;
}

}  // namespace rt

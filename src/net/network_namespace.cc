#include "net/network_namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <exception>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>

namespace net {

namespace {

#ifndef SO_NETNS_COOKIE
constexpr int SO_NETNS_COOKIE = 71;  // Linux 5.14
#endif

// The kernel's number of the namespace that a socket belongs to; 0: it tells none.
std::uint64_t cookie_of(int fd) {
  std::uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  return ::getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}

int open_file(const std::string& path) { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }

struct Opened {
  int fd;
  std::uint64_t cookie;
};

// The thread speaks for its connections again afterwards: in the wrong network it must not go on.
int socket_within(int target, int own, int family, int type, int protocol) {
  if (::setns(target, CLONE_NEWNET) != 0) return -1;
  const int fd = ::socket(family, type, protocol);
  const int error = errno;
  if (::setns(own, CLONE_NEWNET) != 0) std::terminate();
  errno = error;
  return fd;
}

class Namespaces {
 public:
  static Namespaces& all() {
    static Namespaces one;
    return one;
  }

  bool open(std::string_view name) {
    if (name.empty() || name.find('/') != name.npos || name == "." || name == "..") {
      errno = ENOENT;
      return false;
    }
    const std::unique_lock lock(mutex_);
    if (opened_.contains(name)) return true;
    if (own_ < 0) own_ = open_file("/proc/thread-self/ns/net");
    if (own_ < 0) return false;
    const int fd = open_file("/var/run/netns/" + std::string(name));
    if (fd < 0) return false;
    const int probe = socket_within(fd, own_, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    opened_.emplace(name, Opened{fd, probe < 0 ? 0 : cookie_of(probe)});
    if (probe >= 0) ::close(probe);
    some_.store(true, std::memory_order_relaxed);
    return true;
  }

  bool knows(std::string_view name) const {
    const std::shared_lock lock(mutex_);
    return opened_.contains(name);
  }

  std::string_view name_of(int fd) const {
    if (!some_.load(std::memory_order_relaxed)) return {};
    const std::uint64_t cookie = cookie_of(fd);
    if (cookie == 0) return {};
    const std::shared_lock lock(mutex_);
    for (const auto& [name, one] : opened_)
      if (one.cookie == cookie) return name;
    return {};
  }

  int socket(std::string_view name, int family, int type, int protocol) const {
    const std::shared_lock lock(mutex_);
    const auto found = opened_.find(name);
    if (found == opened_.end()) {
      errno = ENONET;
      return -1;
    }
    return socket_within(found->second.fd, own_, family, type, protocol);
  }

 private:
  mutable std::shared_mutex mutex_;
  std::atomic<bool> some_ = false;
  int own_ = -1;
  std::map<std::string, Opened, std::less<>> opened_;
};

}  // namespace

bool open_namespace(std::string_view name) { return Namespaces::all().open(name); }

bool knows_namespace(std::string_view name) { return Namespaces::all().knows(name); }

std::string_view namespace_of_socket(int fd) { return Namespaces::all().name_of(fd); }

int socket_in(std::string_view name, int family, int type, int protocol) {
  if (name.empty()) return ::socket(family, type, protocol);
  return Namespaces::all().socket(name, family, type, protocol);
}

}  // namespace net

#include "net/listener.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "net/network_namespace.h"

namespace net {

namespace {

// Closes what was opened unless all went well, and words the failure.
class Opening {
 public:
  Opening(const Address& at, const ListenOptions& options) : at_(at), network_(options.network) {}
  ~Opening() {
    if (fd_ >= 0) ::close(fd_);
  }
  Opening(const Opening&) = delete;
  Opening& operator=(const Opening&) = delete;

  bool socket(int protocol = 0, int type = SOCK_STREAM) {
    fd_ = socket_in(network_, at_.family(), type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    return fd_ >= 0 || failed("create a socket for");
  }
  bool set(int level, int name, int value, const char* what) {
    return ::setsockopt(fd_, level, name, &value, sizeof value) == 0 || failed(what);
  }
  bool set(int level, int name, const void* value, std::size_t size, const char* what) {
    return ::setsockopt(fd_, level, name, value, static_cast<socklen_t>(size)) == 0 || failed(what);
  }
  bool bind(const Address& address) {
    sockaddr_storage storage;
    const socklen_t size = address.to_sockaddr(storage);
    return ::bind(fd_, reinterpret_cast<sockaddr*>(&storage), size) == 0 || failed("bind");
  }
  bool tune(const SocketTuning& tuning) {
    return net::tune(fd_, tuning, at_.is_ip()) || failed("tune");
  }
  bool listen(int backlog) {
    return ::listen(fd_, backlog > 0 ? backlog : SOMAXCONN) == 0 || failed("listen on");
  }
  // Always false, for `return ... || failed(...)`.
  bool failed(const char* what) { return failed(what, std::strerror(errno)); }
  bool failed(const char* what, std::string_view why) {
    error_ = fmt::format("cannot {} {}: {}", what, at_.text(), why);
    return false;
  }

  void take(int fd) { fd_ = fd; }
  int fd() const { return fd_; }
  base::Result<int> finish(bool ok) {
    if (!ok) return base::fail(std::move(error_));
    return std::exchange(fd_, -1);
  }

 private:
  const Address& at_;
  const std::string& network_;
  int fd_ = -1;
  std::string error_;
};

bool set_md5(Opening& o, const Address& at, const std::string& secret) {
  tcp_md5sig key{};
  key.tcpm_flags = TCP_MD5SIG_FLAG_PREFIX;  // of length 0: any peer
  key.tcpm_addr.ss_family = static_cast<sa_family_t>(at.family());
  key.tcpm_keylen = static_cast<__u16>(std::min<std::size_t>(secret.size(), TCP_MD5SIG_MAXKEYLEN));
  std::memcpy(key.tcpm_key, secret.data(), key.tcpm_keylen);
  return o.set(IPPROTO_TCP, TCP_MD5SIG_EXT, &key, sizeof key, "set the MD5 signature of");
}

bool set_tcp_options(Opening& o, const Address& at, const ListenOptions& options) {
  if (!o.set(IPPROTO_TCP, TCP_NODELAY, 1, "set TCP_NODELAY on")) return false;
  // The kernel may not know it: has_congestion_control() tells.
  const std::string& control = options.congestion_control;
  if (!control.empty())
    (void)::setsockopt(o.fd(), IPPROTO_TCP, TCP_CONGESTION, control.data(),
                       static_cast<socklen_t>(control.size()));
  if (options.defer_accept && !o.set(IPPROTO_TCP, TCP_DEFER_ACCEPT, 60, "defer accepting on"))
    return false;
  const int queue = options.backlog > 0 ? options.backlog : SOMAXCONN;
  if (options.fast_open && !o.set(IPPROTO_TCP, TCP_FASTOPEN, queue, "enable TCP fast open on"))
    return false;
  if (options.mss != 0 &&
      !o.set(IPPROTO_TCP, TCP_MAXSEG, static_cast<int>(options.mss), "set the MSS of"))
    return false;
  if (options.tcp_user_timeout_ms != 0 &&
      !o.set(IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(options.tcp_user_timeout_ms),
             "set the user timeout of"))
    return false;
  return options.md5_secret.empty() || set_md5(o, at, options.md5_secret);
}

bool set_ip_options(Opening& o, const Address& at, const ListenOptions& options) {
  const bool six = at.kind() == Address::Kind::ipv6;
  if (!o.set(SOL_SOCKET, SO_REUSEADDR, 1, "reuse")) return false;
  if (options.reuse_port && !o.set(SOL_SOCKET, SO_REUSEPORT, 1, "share the port of")) return false;
  if (six && (options.v6only || options.v4v6) &&
      !o.set(IPPROTO_IPV6, IPV6_V6ONLY, options.v6only ? 1 : 0, "choose the families of"))
    return false;
  if (options.transparent && !o.set(six ? IPPROTO_IPV6 : IPPROTO_IP,
                                    six ? IPV6_TRANSPARENT : IP_TRANSPARENT, 1, "make transparent"))
    return false;
  const std::string& device = options.interface;
  return device.empty() || o.set(SOL_SOCKET, SO_BINDTODEVICE, device.data(), device.size(),
                                 "bind to the interface of");
}

bool open_ip(Opening& o, const Address& at, const ListenOptions& options) {
  return o.socket(options.multipath ? IPPROTO_MPTCP : 0) && set_ip_options(o, at, options) &&
         set_tcp_options(o, at, options) && o.tune(options.tuning) && o.bind(at) &&
         o.listen(options.backlog);
}

// A socket is made beside its final place and renamed over it, so that a restart finds the path in
// use neither by the old process nor by nobody.
bool open_unix_path(Opening& o, const Address& at, const ListenOptions& options) {
  const std::string path(at.path());
  const std::string temporary = fmt::format("{}.{}.tmp", path, ::getpid());
  struct stat there;
  if (::lstat(path.c_str(), &there) == 0 && !S_ISSOCK(there.st_mode))
    return o.failed("bind", "the path exists and is not a socket");
  const Address beside = Address::unix_socket(Address::Kind::unix_path, temporary);
  if (beside.path() != temporary) return o.failed("bind", "the path is too long");
  ::unlink(temporary.c_str());
  if (!o.socket() || !o.bind(beside)) return false;
  const bool ok = (options.unix_mode < 0 ||
                   ::chmod(temporary.c_str(), static_cast<mode_t>(options.unix_mode)) == 0 ||
                   o.failed("set the mode of")) &&
                  ((options.unix_uid < 0 && options.unix_gid < 0) ||
                   ::chown(temporary.c_str(), static_cast<uid_t>(options.unix_uid),
                           static_cast<gid_t>(options.unix_gid)) == 0 ||
                   o.failed("set the owner of")) &&
                  o.listen(options.backlog) &&
                  (::rename(temporary.c_str(), path.c_str()) == 0 || o.failed("bind"));
  if (!ok) ::unlink(temporary.c_str());
  return ok;
}

bool adopt(Opening& o, const Address& at, const ListenOptions& options) {
  int type = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(at.fd(), SOL_SOCKET, SO_TYPE, &type, &size) != 0) return o.failed("adopt");
  if (type != SOCK_STREAM) return o.failed("adopt", "not a stream socket");
  // A copy: several lines may name the same descriptor, and each is registered for itself.
  const int copy = ::fcntl(at.fd(), F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return o.failed("adopt");
  o.take(copy);
  if (!net::tune(copy, options.tuning, bound_address(copy).is_ip())) return o.failed("tune");
  if (!options.md5_secret.empty() && !set_md5(o, bound_address(copy), options.md5_secret))
    return false;
  return ::fcntl(copy, F_SETFL, ::fcntl(copy, F_GETFL) | O_NONBLOCK) == 0
             ? o.listen(options.backlog)
             : o.failed("adopt");
}

}  // namespace

base::Result<int> open_listener(const Address& at, const ListenOptions& options) {
  Opening o(at, options);
  switch (at.kind()) {
    case Address::Kind::none:
      break;
    case Address::Kind::ipv4:
    case Address::Kind::ipv6:
      return o.finish(open_ip(o, at, options));
    case Address::Kind::unix_path:
      return o.finish(open_unix_path(o, at, options));
    case Address::Kind::abstract:
    case Address::Kind::abstract_z:
      return o.finish(o.socket() && o.bind(at) && o.listen(options.backlog));
    case Address::Kind::inherited_fd:
      return o.finish(adopt(o, at, options));
  }
  return base::fail(std::string("no address to listen on"));
}

base::Result<int> open_datagram(const Address& at, const ListenOptions& options) {
  if (!at.is_ip()) return base::fail(std::string("datagrams need an IP address to bind to"));
  Opening o(at, options);
  return o.finish(o.socket(0, SOCK_DGRAM) && set_ip_options(o, at, options) &&
                  net::tune(o.fd(), options.tuning, false) && o.bind(at));
}

bool has_congestion_control(int fd, std::string_view name) {
  char buffer[16] = {};
  socklen_t size = sizeof buffer;
  return ::getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, buffer, &size) == 0 &&
         std::string_view(buffer, ::strnlen(buffer, sizeof buffer)) == name;
}

Address bound_address(int fd) {
  sockaddr_storage storage;
  socklen_t size = sizeof storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
  return Address::of(reinterpret_cast<sockaddr*>(&storage), size);
}

}  // namespace net

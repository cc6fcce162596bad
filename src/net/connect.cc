#include <fcntl.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "net/connection.h"
#include "net/network_namespace.h"

namespace net {

namespace {

// A descriptor until it is handed on.
class OwnedFd {
 public:
  explicit OwnedFd(int fd) : fd_(fd) {}
  ~OwnedFd() {
    if (fd_ >= 0) ::close(fd_);
  }
  OwnedFd(const OwnedFd&) = delete;
  OwnedFd& operator=(const OwnedFd&) = delete;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

bool set(int fd, int level, int name, int value) {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

bool set_tcp_options(int fd, const ConnectOptions& options) {
  bool ok = set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (options.keepalive) ok = set(fd, SOL_SOCKET, SO_KEEPALIVE, 1) && ok;
  if (options.tcp_user_timeout_ms != 0)
    ok =
        set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(options.tcp_user_timeout_ms)) && ok;
  if (options.mss != 0) ok = set(fd, IPPROTO_TCP, TCP_MAXSEG, static_cast<int>(options.mss)) && ok;
  // Without it in the kernel the connection is an ordinary one.
  if (options.fast_open) set(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
  return ok;
}

// RFC 2385: segments to and from this one peer are signed.
bool set_md5(int fd, const sockaddr_storage& to, const std::string& secret) {
  tcp_md5sig key{};
  std::memcpy(&key.tcpm_addr, &to, sizeof key.tcpm_addr);
  key.tcpm_keylen =
      static_cast<std::uint16_t>(std::min<std::size_t>(secret.size(), TCP_MD5SIG_MAXKEYLEN));
  std::memcpy(key.tcpm_key, secret.data(), key.tcpm_keylen);
  return ::setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &key, sizeof key) == 0;
}

bool bind_source(int fd, const Address& to, const ConnectOptions& options) {
  if (options.source.kind() == Address::Kind::none) return true;
  if (options.transparent) {
    const bool six = to.kind() == Address::Kind::ipv6;
    if (!set(fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_TRANSPARENT : IP_TRANSPARENT, 1))
      return false;
  }
  // The port is chosen at connect(), when the whole pair of addresses is known: more of them fit.
  if (options.source.port() == 0 && !options.source_ports)
    set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  Address source = options.source;
  if (options.source_ports) source.set_port(options.source_ports->take());
  sockaddr_storage storage;
  const socklen_t size = source.to_sockaddr(storage);
  return ::bind(fd, reinterpret_cast<sockaddr*>(&storage), size) == 0;
}

bool prepare(int fd, const Address& to, const ConnectOptions& options) {
  if (!to.is_ip()) return true;
  if (!set_tcp_options(fd, options) || !tune(fd, options.tuning, true)) return false;
  if (options.mark != 0 && !set(fd, SOL_SOCKET, SO_MARK, options.mark)) return false;
  if (options.tos >= 0) {
    const bool six = to.kind() == Address::Kind::ipv6;
    if (!set(fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_TCLASS : IP_TOS, options.tos))
      return false;
  }
  const std::string& control = options.congestion_control;
  if (!control.empty())  // else the default remains (manual, "cc")
    (void)::setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, control.data(),
                       static_cast<socklen_t>(control.size()));
  const std::string& device = options.interface;
  if (!device.empty() && ::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device.data(),
                                      static_cast<socklen_t>(device.size())) != 0)
    return false;
  return bind_source(fd, to, options);
}

base::Result<std::unique_ptr<Connection>, IoError> wrap(OwnedFd& fd) {
  try {
    return std::make_unique<Connection>(fd.release());
  } catch (const std::system_error& error) {
    return base::fail(io_error(error.code().value()));
  }
}

base::Result<std::unique_ptr<Connection>, IoError> adopt(int number) {
  const int copy = ::fcntl(number, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return base::fail(io_error(errno));
  OwnedFd fd(copy);
  if (::fcntl(copy, F_SETFL, ::fcntl(copy, F_GETFL) | O_NONBLOCK) != 0)
    return base::fail(io_error(errno));
  return wrap(fd);
}

// A socket whose connection is made or under way (`under_way`); -1 with errno.
int begin_connect(const Address& to, const ConnectOptions& options, bool& under_way) {
  sockaddr_storage storage;
  const socklen_t size = to.to_sockaddr(storage);
  const int protocol = options.multipath && to.is_ip() ? IPPROTO_MPTCP : 0;
  std::string_view network = options.network;
  if (network == kNamespaceOfClient) network = {};  // a health check has none
  OwnedFd fd(socket_in(network, to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
  if (fd.get() < 0 || !prepare(fd.get(), to, options)) return -1;
  if (!options.md5_secret.empty() && to.is_ip() && !set_md5(fd.get(), storage, options.md5_secret))
    return -1;
  const int result = ::connect(fd.get(), reinterpret_cast<sockaddr*>(&storage), size);
  under_way = result != 0;
  return result == 0 || errno == EINPROGRESS ? fd.release() : -1;
}

// Ports of a range may be in use: the next ones are tried.
int begin_connect_from_range(const Address& to, const ConnectOptions& options, bool& under_way) {
  const unsigned most = options.source_ports ? options.source_ports->count : 1;
  for (unsigned tried = 1;; ++tried) {
    const int fd = begin_connect(to, options, under_way);
    const bool port_taken = errno == EADDRINUSE || errno == EADDRNOTAVAIL;
    if (fd >= 0 || !port_taken || tried >= most) return fd;
  }
}

base::Result<std::unique_ptr<Connection>, IoError> connect_straight(const Address& to,
                                                                    const ConnectOptions& options,
                                                                    rt::Instant deadline) {
  if (to.kind() == Address::Kind::inherited_fd) return adopt(to.fd());
  if (to.kind() == Address::Kind::none) return base::fail(IoError::unreachable);
  bool under_way = false;
  OwnedFd fd(begin_connect_from_range(to, options, under_way));
  if (fd.get() < 0)  // EAGAIN: the backlog of a unix socket is full
    return base::fail(errno == EAGAIN ? IoError::no_resources : io_error(errno));
  auto connection = wrap(fd);
  if (!connection || !under_way) return connection;

  rt::Descriptor& io = (*connection)->io();
  io.write_blocked();
  const rt::Wait how = io.wait_writable(deadline);
  if (how == rt::Wait::timed_out) return base::fail(IoError::timed_out);
  if (how == rt::Wait::cancelled) return base::fail(IoError::cancelled);
  if (!io.failed()) return connection;
  int error = 0;
  socklen_t error_size = sizeof error;
  ::getsockopt(io.fd(), SOL_SOCKET, SO_ERROR, &error, &error_size);
  if (error != 0) return base::fail(io_error(error));
  return connection;
}

// Asks a SOCKS4 server for a connection to `to` (SOCKS protocol 4, CONNECT).
base::Result<void, IoError> pass_socks4(Connection& connection, const Address& to,
                                        rt::Instant deadline) {
  if (to.kind() != Address::Kind::ipv4) return base::fail(IoError::unreachable);
  char request[16] = {4, 1};
  const std::uint16_t port = htons(to.port());
  const in_addr ip = to.ip().v4;
  std::memcpy(request + 2, &port, 2);
  std::memcpy(request + 4, &ip, 4);
  std::memcpy(request + 8, "HAProxy", 8);  // the user's name, with its zero byte
  auto sent = connection.write(std::string_view(request, sizeof request), deadline);
  if (!sent) return sent;
  char answer[8];
  for (std::size_t have = 0; have < sizeof answer;) {
    auto got = connection.read(std::span(answer).subspan(have), deadline);
    if (!got) return base::fail(got.error());
    if (*got == 0) return base::fail(IoError::reset);
    have += *got;
  }
  constexpr char kGranted = 0x5A;
  if (answer[0] != 0 || answer[1] != kGranted) return base::fail(IoError::refused);
  return {};
}

}  // namespace

base::Result<std::unique_ptr<Connection>, IoError> connect(const Address& to,
                                                           const ConnectOptions& options,
                                                           rt::Instant deadline) {
  if (options.socks4.kind() == Address::Kind::none) return connect_straight(to, options, deadline);
  auto connection = connect_straight(options.socks4, options, deadline);
  if (!connection) return connection;
  auto passed = pass_socks4(**connection, to, deadline);
  if (!passed) return base::fail(passed.error());
  return connection;
}

}  // namespace net

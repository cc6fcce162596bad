// Listening sockets. One socket is shared by all workers, each with its own epoll registration
// (EPOLLEXCLUSIVE), so that inherited descriptors spread as well as own ones. The descriptor
// belongs to whoever called open_listener(); an Acceptor belongs to the worker that made it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "net/address.h"
#include "net/socket_tuning.h"
#include "rt/worker.h"

namespace net {

struct ListenOptions {
  int backlog = 0;     // 0: the system's maximum
  int unix_mode = -1;  // chmod, -1 leaves it
  int unix_uid = -1, unix_gid = -1;
  bool transparent = false;
  bool v4v6 = false, v6only = false;
  bool defer_accept = false;
  bool fast_open = false;
  bool multipath = false;   // MPTCP (RFC 8684), which also takes plain TCP
  bool reuse_port = false;  // several processes of one user may bind the same port
  std::string interface;    // SO_BINDTODEVICE
  std::string network;      // a namespace, see network_namespace.h; empty: the process's own
  unsigned mss = 0;
  unsigned tcp_user_timeout_ms = 0;
  std::string md5_secret;  // TCP_MD5SIG
  std::string congestion_control;
  SocketTuning tuning;
};

// Binds and listens; an error says what and why ("cannot bind 127.0.0.1:80: Address already in
// use"). Adopts a copy of the descriptor for Kind::inherited_fd. A unix socket takes the place of
// one left behind by an earlier process, or still in use by it, in one step. Blocking, at start-up.
[[nodiscard]] base::Result<int> open_listener(const Address& at, const ListenOptions& options);

// Binds a datagram socket; as open_listener() in what it reports.
[[nodiscard]] base::Result<int> open_datagram(const Address& at, const ListenOptions& options);

// Whether a listening TCP socket got the congestion control asked for.
bool has_congestion_control(int fd, std::string_view name);

// The address a listening descriptor is bound to: of an adopted one, or of port 0.
Address bound_address(int fd);

// Accepts on one worker. `on_connection` runs in the loop with a non-blocking descriptor that it
// then owns (it must not wait; it spawns). It returns false to have accepting paused: resume() goes
// on. TCP_NODELAY is inherited from the listening socket. Out of descriptors or memory, accepting
// rests for 100 ms and `on_trouble` hears the errno. Neither callback may destroy the acceptor.
class Acceptor {
 public:
  using Callback = std::function<bool(int fd, const sockaddr_storage& peer, socklen_t peer_size)>;
  using Trouble = std::function<void(int error)>;
  // Registers with this thread's worker.
  Acceptor(int listen_fd, Callback on_connection, Trouble on_trouble = {});
  ~Acceptor();  // does not close the shared descriptor
  void pause();
  void resume();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace net

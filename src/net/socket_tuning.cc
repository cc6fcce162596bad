#include "net/socket_tuning.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace net {

namespace {

bool set(int fd, int level, int name, int value) {
  return value == 0 || ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

}  // namespace

bool tune(int fd, const SocketTuning& tuning, bool tcp) {
  if (!set(fd, SOL_SOCKET, SO_SNDBUF, tuning.send_buffer) ||
      !set(fd, SOL_SOCKET, SO_RCVBUF, tuning.receive_buffer))
    return false;
  return !tcp || (set(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, tuning.unsent_low_water) &&
                  set(fd, IPPROTO_TCP, TCP_KEEPCNT, tuning.keep_alive_count) &&
                  set(fd, IPPROTO_TCP, TCP_KEEPIDLE, tuning.keep_alive_idle_s) &&
                  set(fd, IPPROTO_TCP, TCP_KEEPINTVL, tuning.keep_alive_interval_s));
}

}  // namespace net

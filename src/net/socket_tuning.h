// What is set on a socket beside where it leads: kernel buffers and keep-alive probes. A listening
// socket hands its settings on to the connections it accepts.
#pragma once

namespace net {

struct SocketTuning {  // 0 leaves what the system has
  int send_buffer = 0, receive_buffer = 0;
  int unsent_low_water = 0;  // TCP_NOTSENT_LOWAT
  int keep_alive_count = 0;  // TCP_KEEPCNT
  int keep_alive_idle_s = 0, keep_alive_interval_s = 0;
};

// False with errno when the kernel refuses one of them.
bool tune(int fd, const SocketTuning& tuning, bool tcp);

}  // namespace net

#include "obs/log.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "obs/descriptor_sink.h"
#include "obs/log_header.h"
#include "obs/ring.h"

namespace obs {
namespace {

constexpr std::array<std::string_view, 8> kLevels = {"emerg",   "alert",  "crit", "err",
                                                     "warning", "notice", "info", "debug"};

std::atomic<std::uint64_t> g_dropped{0};

net::SocketTuning g_datagram_tuning;

// The datagram sockets of one worker, one for each family, opened at first use.
class DatagramSockets {
 public:
  ~DatagramSockets() {
    for (int fd : {inet_, inet6_, unix_})
      if (fd >= 0) ::close(fd);
  }
  int of(int family) {
    int& fd = family == AF_INET ? inet_ : family == AF_INET6 ? inet6_ : unix_;
    if (fd >= 0) return fd;
    fd = ::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0) (void)net::tune(fd, g_datagram_tuning, false);
    return fd;
  }

 private:
  int inet_ = -1, inet6_ = -1, unix_ = -1;
};

bool send_parts(const net::Address& to, std::span<iovec> parts) {
  thread_local DatagramSockets sockets;
  sockaddr_storage address;
  msghdr message{};
  message.msg_namelen = to.to_sockaddr(address);
  message.msg_name = &address;
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  int fd = sockets.of(address.ss_family);
  return fd >= 0 && ::sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

// Every `sample_size` lines, those whose number (from 1) lies in one of the ranges.
bool sampled(const LogTarget& target) {
  if (target.sample.empty() || !target.sampled) return true;
  std::uint32_t n =
      target.sampled->fetch_add(1, std::memory_order_relaxed) % target.sample_size + 1;
  return std::any_of(target.sample.begin(), target.sample.end(),
                     [n](const SampleRange& r) { return n >= r.low && n <= r.high; });
}

// The whole line in one piece, for those who keep it.
std::string compose(const LogTarget& target, LogFormatKind format, Level level,
                    const LogLine& line) {
  char header[kHeaderRoom];
  std::string whole(header, write_header(header, format, target.facility, level, line));
  whole.append(line.text);
  if (whole.size() > target.length) whole.resize(target.length);
  return whole;
}

void send_to_ring(const LogTarget& target, Level level, const LogLine& line) {
  if (!target.ring) return;
  LogFormatKind format =
      target.format == LogFormatKind::unspecified ? target.ring->settings().format : target.format;
  target.ring->append(compose(target, format, level, line));
}

void send_to_backend(const LogTarget& target, Level level, const LogLine& line) {
  if (!target.outlet || !target.outlet->write(compose(target, target.format, level, line)))
    count_dropped_line();
}

}  // namespace

std::string_view name_of(Level level) { return kLevels[static_cast<std::size_t>(level)]; }

bool parse_level(std::string_view text, Level& out) {
  auto found = std::find(kLevels.begin(), kLevels.end(), text);
  if (found == kLevels.end()) return false;
  out = static_cast<Level>(found - kLevels.begin());
  return true;
}

void prepare(LogTarget& target) {
  if (!target.sample.empty() && !target.sampled)
    target.sampled = std::make_shared<std::atomic<std::uint32_t>>(0);
  if (target.kind == LogTarget::Kind::descriptor && !target.sink)
    target.sink = DescriptorSink::of(target.fd);
}

void send(const LogTarget& target, const LogLine& line) {
  if (line.level > target.maximum) return;
  if (!sampled(target)) return;
  Level level = std::max(line.level, target.minimum);
  if (target.kind == LogTarget::Kind::ring) return send_to_ring(target, level, line);
  if (target.kind == LogTarget::Kind::backend) return send_to_backend(target, level, line);

  char header[kHeaderRoom];
  std::size_t header_size = write_header(header, target.format, target.facility, level, line);
  // "len" counts all that is sent, the line feed included.
  header_size = std::min(header_size, target.length - 1);
  std::size_t text_size = std::min(line.text.size(), target.length - 1 - header_size);
  char end = '\n';
  std::array<iovec, 3> parts = {
      {{header, header_size}, {const_cast<char*>(line.text.data()), text_size}, {&end, 1}}};
  bool sent = target.kind == LogTarget::Kind::descriptor ? target.sink && target.sink->write(parts)
                                                         : send_parts(target.address, parts);
  if (!sent) count_dropped_line();
}

void send(const std::vector<std::shared_ptr<LogTarget>>& targets, const LogLine& line) {
  for (const auto& target : targets) send(*target, line);
}

bool send_datagram(const net::Address& to, std::string_view line) {
  char end = '\n';
  std::array<iovec, 2> parts = {{{const_cast<char*>(line.data()), line.size()}, {&end, 1}}};
  return send_parts(to, parts);
}

void set_datagram_tuning(const net::SocketTuning& tuning) { g_datagram_tuning = tuning; }

void count_dropped_line() { g_dropped.fetch_add(1, std::memory_order_relaxed); }
std::uint64_t dropped_lines() { return g_dropped.load(std::memory_order_relaxed); }

}  // namespace obs

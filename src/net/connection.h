// A stream connection in non-blocking mode on the loop. Reads and writes are plain calls that wait
// in their fiber. Owned by one worker.
#pragma once

#include <sys/uio.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/result.h"
#include "net/address.h"
#include "net/socket_tuning.h"
#include "rt/io.h"
#include "rt/system_call.h"

namespace net {

enum class IoError : std::uint8_t {
  would_block,   // only from *_now
  timed_out,     // the deadline passed
  cancelled,     // the fiber was cancelled
  reset,         // ECONNRESET, EPIPE: the peer is gone
  refused,       // connect: ECONNREFUSED
  unreachable,   // connect: no route, no such socket
  no_resources,  // descriptors, ports or memory ran out
  other,
};
const char* describe(IoError error);
IoError io_error(int error);  // what an errno means

class Connection {
 public:
  explicit Connection(int fd) : io_(fd) {}
  struct Fresh {};  // see rt::Descriptor::open_fresh()
  Connection(int fd, Fresh) { io_.open_fresh(fd); }
  virtual ~Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Bytes read, 0 at the end of the stream. read() waits for the first byte only. Nothing is asked
  // of the kernel where the loop has not announced something: see Descriptor::assume_readable().
  [[nodiscard, gnu::always_inline]] base::Result<std::size_t, IoError> read_now(
      std::span<char> into) {
    if (!io_.readable()) return base::fail(IoError::would_block);
    const long got = rt::receive(io_.fd(), into.data(), into.size());
    if (got < 0) [[unlikely]]
      return base::fail(read_failed(static_cast<int>(-got)));
    const auto size = static_cast<std::size_t>(got);
    // With the end of the stream already announced there is more to read: the end itself.
    if (size < into.size() && !io_.hung_up()) io_.read_drained();
    return size;
  }
  [[nodiscard]] base::Result<std::size_t, IoError> read(std::span<char> into, rt::Instant deadline);
  // Bytes taken by the kernel, possibly fewer than given.
  [[nodiscard, gnu::always_inline]] base::Result<std::size_t, IoError> write_now(
      std::string_view bytes, bool more_follows = false) {
    if (!io_.writable()) return base::fail(IoError::would_block);
    return written(rt::send(io_.fd(), bytes, flags_for(more_follows)), bytes.size());
  }
  // In a fiber; see rt::Descriptor::send_in_a_row().
  [[nodiscard, gnu::always_inline]] base::Result<std::size_t, IoError> write_in_a_row(
      std::string_view bytes, bool more_follows) {
    if (!io_.writable()) return base::fail(IoError::would_block);
    return written(io_.send_in_a_row(bytes, flags_for(more_follows)), bytes.size());
  }
  // The same for a sender, while writable; written() tells what its answer means.
  void write_in_a_row(std::string_view bytes, rt::Sender& sender) {
    io_.send_in_a_row(bytes, flags_for(false), sender);
  }
  [[gnu::always_inline]] base::Result<std::size_t, IoError> written(long put, std::size_t wanted) {
    if (put < 0) [[unlikely]]
      return base::fail(write_failed(static_cast<int>(-put)));
    const auto size = static_cast<std::size_t>(put);
    if (size < wanted) io_.write_blocked();
    return size;
  }
  [[nodiscard]] base::Result<std::size_t, IoError> write_now(std::span<const iovec> parts,
                                                             bool more_follows = false);
  // Everything, waiting where the peer is slow; each successful step renews nothing: one deadline.
  [[nodiscard]] base::Result<void, IoError> write(std::span<const iovec> parts,
                                                  rt::Instant deadline);
  [[nodiscard]] base::Result<void, IoError> write(std::string_view bytes, rt::Instant deadline);

  virtual void shutdown_write();
  // Close with RST instead of FIN (SO_LINGER 0) at destruction.
  void reset_on_close();

  rt::Descriptor& io() { return io_; }
  // The raw descriptor for splice(2); -1 when bytes on it are not the stream's bytes (TLS).
  virtual int plain_fd() const { return io_.fd(); }
  Address local() const;  // getsockname
  Address peer() const;   // getpeername

  // Messages that came over it and were wrong, forgiven or not ("fc_glitches", "bc_glitches").
  std::uint32_t glitches = 0;

 protected:
  rt::Descriptor io_;

 private:
  static int flags_for(bool more_follows) { return MSG_NOSIGNAL | (more_follows ? MSG_MORE : 0); }
  IoError read_failed(int error);
  IoError write_failed(int error);
  base::Result<std::size_t, IoError> write_rest(std::span<const iovec> parts, std::size_t offset);
};

// The ports that connections may come from, taken in turn by all workers.
struct SourcePorts {
  SourcePorts(std::uint16_t first, std::uint16_t last) : low(first), count(last - first + 1u) {}
  std::uint16_t take() {
    return static_cast<std::uint16_t>(low + next.fetch_add(1, std::memory_order_relaxed) % count);
  }
  std::uint16_t low;
  unsigned count;
  std::atomic<unsigned> next = 0;
};

struct ConnectOptions {
  Address source;                             // bind before connect when not none
  std::shared_ptr<SourcePorts> source_ports;  // in place of the source's own port
  bool transparent = false;                   // IP_TRANSPARENT for a foreign source
  std::string interface;                      // SO_BINDTODEVICE
  std::string network;     // a namespace, see network_namespace.h; empty: the process's own
  int mark = 0;            // SO_MARK
  int tos = -1;            // IP_TOS
  unsigned mss = 0;        // TCP_MAXSEG
  bool keepalive = false;  // SO_KEEPALIVE
  unsigned tcp_user_timeout_ms = 0;
  bool fast_open = false;
  bool multipath = false;  // MPTCP (RFC 8684); with a peer that knows none, plain TCP
  std::string md5_secret;  // TCP_MD5SIG
  std::string congestion_control;
  SocketTuning tuning;
  Address socks4;  // a SOCKS4 server on the way; none: straight
};

// Connects, waiting in the fiber. TCP_NODELAY is set on TCP. Kind::inherited_fd takes the
// descriptor for a connected socket.
[[nodiscard]] base::Result<std::unique_ptr<Connection>, IoError> connect(
    const Address& to, const ConnectOptions& options, rt::Instant deadline);

}  // namespace net

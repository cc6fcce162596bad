#include "net/connection.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace net {

namespace {

constexpr std::size_t kParts = 64;  // iovecs for one call

base::Result<void, IoError> after(rt::Wait how) {
  if (how == rt::Wait::timed_out) return base::fail(IoError::timed_out);
  if (how == rt::Wait::cancelled) return base::fail(IoError::cancelled);
  return {};
}

std::size_t total(std::span<const iovec> parts) {
  std::size_t sum = 0;
  for (const iovec& part : parts) sum += part.iov_len;
  return sum;
}

Address address_of(int (*ask)(int, sockaddr*, socklen_t*), int fd) {
  sockaddr_storage storage;
  socklen_t size = sizeof storage;
  if (ask(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
  return Address::of(reinterpret_cast<sockaddr*>(&storage), size);
}

}  // namespace

IoError io_error(int error) {
  switch (error) {
    case EAGAIN:
      return IoError::would_block;
    case ECONNRESET:
    case EPIPE:
    case ENOTCONN:
    case ECONNABORTED:
    case ESHUTDOWN:
      return IoError::reset;
    case ECONNREFUSED:
      return IoError::refused;
    case ETIMEDOUT:
      return IoError::timed_out;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case ENOENT:
    case EACCES:
    case EPERM:
    case EADDRNOTAVAIL:
      return IoError::unreachable;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EADDRINUSE:
      return IoError::no_resources;
    default:
      return IoError::other;
  }
}

const char* describe(IoError error) {
  switch (error) {
    case IoError::would_block:
      return "would block";
    case IoError::timed_out:
      return "timed out";
    case IoError::cancelled:
      return "cancelled";
    case IoError::reset:
      return "connection reset by peer";
    case IoError::refused:
      return "connection refused";
    case IoError::unreachable:
      return "unreachable";
    case IoError::no_resources:
      return "out of resources";
    case IoError::other:
      break;
  }
  return "input/output error";
}

IoError Connection::read_failed(int error) {
  if (error == EAGAIN) io_.read_drained();
  return io_error(error);
}

IoError Connection::write_failed(int error) {
  if (error == EAGAIN) io_.write_blocked();
  return io_error(error);
}

base::Result<std::size_t, IoError> Connection::read(std::span<char> into, rt::Instant deadline) {
  while (true) {
    auto got = read_now(into);
    if (got || got.error() != IoError::would_block) return got;
    if (auto ok = after(io_.wait_readable(deadline)); !ok) return base::fail(ok.error());
    if (!io_.is_open()) return base::fail(IoError::cancelled);
  }
}

base::Result<std::size_t, IoError> Connection::write_now(std::span<const iovec> parts,
                                                         bool more_follows) {
  const auto text = [](const iovec& part) {
    return std::string_view(static_cast<const char*>(part.iov_base), part.iov_len);
  };
  if (parts.size() == 1) return write_now(text(parts[0]), more_follows);
  if (!io_.writable()) return base::fail(IoError::would_block);
  const bool cut = parts.size() > kParts;
  if (cut) parts = parts.first(kParts);
  const int flags = flags_for(more_follows || cut);
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data());
  message.msg_iovlen = parts.size();
  ssize_t put;
  do {
    put = ::sendmsg(io_.fd(), &message, flags);
  } while (put < 0 && errno == EINTR);
  if (put < 0) return base::fail(write_failed(errno));
  const auto size = static_cast<std::size_t>(put);
  if (size < total(parts)) io_.write_blocked();
  return size;
}

// Writes from `offset` in the first part on.
base::Result<std::size_t, IoError> Connection::write_rest(std::span<const iovec> parts,
                                                          std::size_t offset) {
  std::array<iovec, kParts> window;
  const std::size_t count = std::min(parts.size(), kParts);
  std::copy_n(parts.begin(), count, window.begin());
  window[0].iov_base = static_cast<char*>(window[0].iov_base) + offset;
  window[0].iov_len -= offset;
  return write_now({window.data(), count}, count < parts.size());
}

base::Result<void, IoError> Connection::write(std::span<const iovec> parts, rt::Instant deadline) {
  std::size_t offset = 0;  // bytes of `parts` that are written
  while (true) {
    while (!parts.empty() && offset >= parts[0].iov_len) {
      offset -= parts[0].iov_len;
      parts = parts.subspan(1);
    }
    if (parts.empty()) return {};
    auto put = offset == 0 ? write_now(parts) : write_rest(parts, offset);
    if (put) {
      offset += *put;
      continue;
    }
    if (put.error() != IoError::would_block) return base::fail(put.error());
    if (auto ok = after(io_.wait_writable(deadline)); !ok) return ok;
    if (!io_.is_open()) return base::fail(IoError::cancelled);
  }
}

base::Result<void, IoError> Connection::write(std::string_view bytes, rt::Instant deadline) {
  const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  return write({&part, 1}, deadline);
}

void Connection::shutdown_write() { ::shutdown(io_.fd(), SHUT_WR); }

void Connection::reset_on_close() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(io_.fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

Address Connection::local() const { return address_of(::getsockname, io_.fd()); }
Address Connection::peer() const { return address_of(::getpeername, io_.fd()); }

}  // namespace net

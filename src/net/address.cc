#include "net/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

namespace net {

namespace {

constexpr std::size_t kLongestPath = sizeof(sockaddr_un{}.sun_path) - 1;
constexpr socklen_t kPathOffset = offsetof(sockaddr_un, sun_path);

char* duplicate(std::string_view text) {
  char* out = new char[text.size() + 1];
  std::memcpy(out, text.data(), text.size());
  out[text.size()] = 0;
  return out;
}

Address of_unix(const sockaddr_un& from, socklen_t size) {
  const std::size_t length = size > kPathOffset ? size - kPathOffset : 0;
  const std::string_view path(from.sun_path, length);
  if (length == 0 || path[0] != 0)
    return Address::unix_socket(Address::Kind::unix_path, path.substr(0, path.find('\0')));
  const bool padded = length == sizeof from.sun_path;
  const std::string_view name = path.substr(1);
  return Address::unix_socket(padded ? Address::Kind::abstract : Address::Kind::abstract_z,
                              padded ? name.substr(0, name.find('\0')) : name);
}

}  // namespace

Ip Ip::from(const in_addr& a) {
  Ip ip;
  ip.family = AF_INET;
  ip.v4 = a;
  return ip;
}

Ip Ip::from(const in6_addr& a) {
  Ip ip;
  ip.family = AF_INET6;
  ip.v6 = a;
  return ip;
}

Ip Ip::parse(std::string_view text) {
  char buffer[INET6_ADDRSTRLEN];
  if (text.empty() || text.size() >= sizeof buffer) return {};
  std::memcpy(buffer, text.data(), text.size());
  buffer[text.size()] = 0;
  in_addr four;
  if (inet_pton(AF_INET, buffer, &four) == 1) return from(four);
  in6_addr six;
  if (inet_pton(AF_INET6, buffer, &six) == 1) return from(six);
  return {};
}

std::size_t Ip::write(char* out) const {
  if (family == AF_INET) {  // inet_ntop() prints with sprintf()
    const auto* bytes = reinterpret_cast<const unsigned char*>(&v4);
    char* at = out;
    for (int i = 0; i < 4; ++i) {
      if (i != 0) *at++ = '.';
      at = std::to_chars(at, at + 3, static_cast<unsigned>(bytes[i])).ptr;
    }
    return static_cast<std::size_t>(at - out);
  }
  if (family == 0) return 0;
  inet_ntop(family, &v6, out, INET6_ADDRSTRLEN);
  return std::strlen(out);
}

std::string Ip::text() const {
  char buffer[INET6_ADDRSTRLEN];
  return {buffer, write(buffer)};
}

bool Ip::operator==(const Ip& other) const {
  if (family != other.family) return false;
  if (family == AF_INET) return v4.s_addr == other.v4.s_addr;
  return family == 0 || std::memcmp(&v6, &other.v6, sizeof v6) == 0;
}

Address Address::of(const Ip& ip, std::uint16_t port) {
  Address address;
  address.set_ip(ip);
  address.port_ = port;
  return address;
}

Address Address::of(const sockaddr* sa, socklen_t size) {
  if (size < sizeof(sa_family_t)) return {};
  if (sa->sa_family == AF_INET && size >= sizeof(sockaddr_in)) {
    sockaddr_in in;
    std::memcpy(&in, sa, sizeof in);
    return of(Ip::from(in.sin_addr), ntohs(in.sin_port));
  }
  if (sa->sa_family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
    sockaddr_in6 in;
    std::memcpy(&in, sa, sizeof in);
    return of(Ip::from(in.sin6_addr), ntohs(in.sin6_port));
  }
  if (sa->sa_family != AF_UNIX) return {};
  sockaddr_un un{};
  size = std::min<socklen_t>(size, sizeof un);
  std::memcpy(&un, sa, size);
  return of_unix(un, size);
}

Address Address::unix_socket(Kind kind, std::string_view path) {
  Address address;
  address.path_ = duplicate(path.substr(0, kLongestPath));
  address.kind_ = kind;
  return address;
}

Address Address::inherited(int fd) {
  Address address;
  address.kind_ = Kind::inherited_fd;
  address.fd_ = fd;
  return address;
}

Ip Address::ip() const {
  if (kind_ == Kind::ipv4) return Ip::from(v4_);
  if (kind_ == Kind::ipv6) return Ip::from(v6_);
  return {};
}

std::uint16_t Address::port() const { return is_ip() ? port_ : 0; }
void Address::set_port(std::uint16_t port) { port_ = port; }

void Address::set_ip(const Ip& ip) {
  clear();
  if (ip.family == AF_INET) {
    kind_ = Kind::ipv4;
    v4_ = ip.v4;
  } else if (ip.family == AF_INET6) {
    kind_ = Kind::ipv6;
    v6_ = ip.v6;
  }
}

int Address::fd() const { return kind_ == Kind::inherited_fd ? fd_ : -1; }
std::string_view Address::path() const { return is_unix() ? path_ : std::string_view(); }

socklen_t Address::to_sockaddr(sockaddr_storage& out) const {
  std::memset(&out, 0, sizeof out);
  out.ss_family = static_cast<sa_family_t>(family());
  if (kind_ == Kind::ipv4) {
    auto& in = reinterpret_cast<sockaddr_in&>(out);
    in.sin_port = htons(port_);
    in.sin_addr = v4_;
    return sizeof in;
  }
  if (kind_ == Kind::ipv6) {
    auto& in = reinterpret_cast<sockaddr_in6&>(out);
    in.sin6_port = htons(port_);
    in.sin6_addr = v6_;
    return sizeof in;
  }
  if (!is_unix()) return 0;
  auto& un = reinterpret_cast<sockaddr_un&>(out);
  const std::string_view name = path();
  std::memcpy(un.sun_path + (kind_ == Kind::unix_path ? 0 : 1), name.data(),
              std::min(name.size(), kLongestPath));
  if (kind_ == Kind::abstract) return sizeof un;
  return kPathOffset + 1 + static_cast<socklen_t>(name.size());
}

int Address::family() const {
  if (kind_ == Kind::ipv4) return AF_INET;
  if (kind_ == Kind::ipv6) return AF_INET6;
  return is_unix() ? AF_UNIX : AF_UNSPEC;
}

std::string Address::text() const {
  switch (kind_) {
    case Kind::none:
      return {};
    case Kind::ipv4:
      return fmt::format("{}:{}", ip().text(), port_);
    case Kind::ipv6:
      return fmt::format("[{}]:{}", ip().text(), port_);
    case Kind::unix_path:
      return fmt::format("unix@{}", path());
    case Kind::abstract:
      return fmt::format("abns@{}", path());
    case Kind::abstract_z:
      return fmt::format("abnsz@{}", path());
    case Kind::inherited_fd:
      return fmt::format("fd@{}", fd_);
  }
  return {};
}

bool Address::operator==(const Address& other) const {
  if (kind_ != other.kind_) return false;
  if (is_ip()) return port_ == other.port_ && ip() == other.ip();
  return path() == other.path() && fd() == other.fd();
}

void Address::copy(const Address& other) {
  kind_ = other.kind_;
  port_ = other.port_;
  if (other.is_unix())
    path_ = duplicate(other.path_);
  else
    std::memcpy(&v6_, &other.v6_, sizeof v6_);
}

void Address::take(Address& other) noexcept {
  kind_ = std::exchange(other.kind_, Kind::none);
  port_ = other.port_;
  std::memcpy(&v6_, &other.v6_, sizeof v6_);
}

void Address::free_path() { delete[] path_; }

}  // namespace net

// Where a socket listens or connects: IPv4, IPv6, unix path, abstract unix, an inherited
// descriptor. Texts as HAProxy's manual, section 2.9: "ipv4@", "ipv6@", "unix@", "abns@", "fd@",
// "*:80", ":80",
// "[::1]:80". Values: copied freely, owned by whoever holds them.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace net {

// An IPv4 or IPv6 address without a port, or nothing.
struct Ip {
  std::uint8_t family = 0;  // 0, AF_INET, AF_INET6
  union {
    in_addr v4;
    in6_addr v6{};
  };
  static Ip from(const in_addr& a);
  static Ip from(const in6_addr& a);
  // Numeric text only ("127.0.0.1", "::1"); family 0 when it is none.
  static Ip parse(std::string_view text);
  std::string text() const;
  // As text() into memory of the caller, at least INET6_ADDRSTRLEN bytes; the length.
  std::size_t write(char* out) const;
  bool operator==(const Ip& other) const;
};

// Any socket address that the proxy speaks to; compact (idle connections keep two).
class Address {
 public:
  enum class Kind : std::uint8_t {
    none,
    ipv4,
    ipv6,
    unix_path,
    abstract,
    abstract_z,
    inherited_fd
  };

  Address() : v6_{} {}
  Address(const Address& other) : v6_{} { copy(other); }
  Address& operator=(const Address& other) {
    if (this != &other) {
      clear();
      copy(other);
    }
    return *this;
  }
  Address(Address&& other) noexcept : v6_{} { take(other); }
  Address& operator=(Address&& other) noexcept {
    if (this != &other) {
      clear();
      take(other);
    }
    return *this;
  }
  ~Address() { clear(); }

  static Address of(const Ip& ip, std::uint16_t port);
  static Address of(const sockaddr* sa, socklen_t size);
  // `path` without prefix; at most 107 bytes of it count (sun_path).
  static Address unix_socket(Kind kind, std::string_view path);
  static Address inherited(int fd);

  Kind kind() const { return kind_; }
  bool is_ip() const { return kind_ == Kind::ipv4 || kind_ == Kind::ipv6; }
  bool is_unix() const { return kind_ >= Kind::unix_path && kind_ <= Kind::abstract_z; }
  Ip ip() const;               // family 0 unless is_ip()
  std::uint16_t port() const;  // host order; 0 unless is_ip()
  void set_port(std::uint16_t port);
  void set_ip(const Ip& ip);
  int fd() const;                 // inherited_fd
  std::string_view path() const;  // unix kinds
  // Fills `out`, returns its length.
  socklen_t to_sockaddr(sockaddr_storage& out) const;
  int family() const;        // AF_INET, AF_INET6, AF_UNIX or AF_UNSPEC
  std::string text() const;  // "127.0.0.1:80", "[::1]:80", "unix@/path"
  bool operator==(const Address& other) const;

 private:
  void copy(const Address& other);
  void take(Address& other) noexcept;
  void clear() {
    if (is_unix()) free_path();
    kind_ = Kind::none;
  }
  void free_path();

  Kind kind_ = Kind::none;
  std::uint16_t port_ = 0;
  union {
    in_addr v4_;
    in6_addr v6_;
    int fd_;
    char* path_;  // owned, for unix kinds
  };
};

// What a configuration wrote as an address, before names are resolved.
struct AddressSpec {
  Address::Kind kind = Address::Kind::none;  // none: `host` is a name, or `any` is set
  std::string host;            // name, number, path or "fd" number; no brackets around IPv6
  std::uint16_t port_low = 0;  // "80-90"
  std::uint16_t port_high = 0;
  int port_offset = 0;  // "+10", "-10": added to the client's destination port
  bool has_port = false;
  bool has_offset = false;
  bool any = false;           // "*" or empty host
  bool is_datagram = false;   // "udp@", "udp4@", "udp6@", "uxdg@", "dgram+…"
  bool is_stream = false;     // "tcp@", "tcp4@", "tcp6@", "uxst@", "stream+…": asked for in words
  bool is_multipath = false;  // "mptcp@", "mptcp4@", "mptcp6@"
  int family = AF_UNSPEC;     // as a prefix or a numeric host forces it
};

// Understands every form of section 2.9 but those of QUIC, reverse HTTP and socket pairs, which it
// refuses by name. The error says what is wrong with `text` ("invalid port '65536'").
base::Result<AddressSpec> parse_address(std::string_view text);

// The address that `spec` names, with `port` where it has one; "*" is 0.0.0.0, or :: after an IPv6
// prefix. Nothing for a name, which resolve() must look up first.
Address literal_address(const AddressSpec& spec, std::uint16_t port);

}  // namespace net

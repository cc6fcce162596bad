#include "net/address.h"

#include <gtest/gtest.h>
#include <sys/un.h>

namespace net {
namespace {

TEST(Ip, ParsesNumbersOnly) {
  EXPECT_EQ(Ip::parse("127.0.0.1").text(), "127.0.0.1");
  EXPECT_EQ(Ip::parse("2001:DB8::0:1").text(), "2001:db8::1");
  EXPECT_TRUE(Ip::parse("::ffff:1.2.3.4") == Ip::parse("::ffff:102:304"));
  for (const char* bad :
       {"", "localhost", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "::1::", "12345::", "[::1]",
        "1.2.3.4 ", "fe80::1%lo", "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb"})
    EXPECT_EQ(Ip::parse(bad).family, 0) << bad;
}

struct Good {
  const char* text;
  Address::Kind kind;
  const char* host;
  int low = -1, high = -1;
  bool datagram = false;
  int family = AF_UNSPEC;
  bool any = false;
};

TEST(ParseAddress, UnderstandsEveryForm) {
  using K = Address::Kind;
  const Good cases[] = {
      {"127.0.0.1:80", K::ipv4, "127.0.0.1", 80, 80, false, AF_INET},
      {"127.0.0.1", K::ipv4, "127.0.0.1", -1, -1, false, AF_INET},
      {"127.0.0.1:", K::ipv4, "127.0.0.1", -1, -1, false, AF_INET},
      {"127.0.0.1:0", K::ipv4, "127.0.0.1", 0, 0, false, AF_INET},
      {"127.0.0.1:080", K::ipv4, "127.0.0.1", 80, 80, false, AF_INET},
      {"[::1]:80", K::ipv6, "::1", 80, 80, false, AF_INET6},
      {"[::1]", K::ipv6, "::1", -1, -1, false, AF_INET6},
      {"::1:80", K::ipv6, "::1", 80, 80, false, AF_INET6},
      {":::80", K::ipv6, "::", 80, 80, false, AF_INET6},
      {"[127.0.0.1]:80", K::ipv4, "127.0.0.1", 80, 80, false, AF_INET},
      {"*:80", K::none, "", 80, 80, false, AF_UNSPEC, true},
      {":2000-2100", K::none, "", 2000, 2100, false, AF_UNSPEC, true},
      {"ipv6@:443", K::none, "", 443, 443, false, AF_INET6, true},
      {"ipv4@", K::none, "", -1, -1, false, AF_INET, true},
      {"ipv6@::1:80", K::ipv6, "::1", 80, 80, false, AF_INET6},
      {"ip@1.2.3.4:5", K::ipv4, "1.2.3.4", 5, 5, false, AF_INET},
      {"www.example.org:8080", K::none, "www.example.org", 8080, 8080},
      {"ipv4@www.example.org:8080", K::none, "www.example.org", 8080, 8080, false, AF_INET},
      {"/run/a:b.sock", K::unix_path, "/run/a:b.sock", -1, -1, false, AF_UNIX},
      {"unix@relative", K::unix_path, "relative", -1, -1, false, AF_UNIX},
      {"uxst@/s", K::unix_path, "/s", -1, -1, false, AF_UNIX},
      {"uxdg@/s", K::unix_path, "/s", -1, -1, true, AF_UNIX},
      {"abns@name", K::abstract, "name", -1, -1, false, AF_UNIX},
      {"abnsz@name", K::abstract_z, "name", -1, -1, false, AF_UNIX},
      {"fd@12", K::inherited_fd, "12"},
      {"udp@:514", K::none, "", 514, 514, true, AF_UNSPEC, true},
      {"udp6@[::1]:514", K::ipv6, "::1", 514, 514, true, AF_INET6},
      {"dgram+ipv4@127.0.0.1:514", K::ipv4, "127.0.0.1", 514, 514, true, AF_INET},
      {"dgram+fd@3", K::inherited_fd, "3", -1, -1, true},
      {"tcp4@127.0.0.1:80", K::ipv4, "127.0.0.1", 80, 80, false, AF_INET},
      {"stream+ipv4@127.0.0.1:80", K::ipv4, "127.0.0.1", 80, 80, false, AF_INET},
  };
  for (const Good& c : cases) {
    const auto spec = parse_address(c.text);
    ASSERT_TRUE(spec) << c.text << ": " << spec.error();
    EXPECT_EQ(spec->kind, c.kind) << c.text;
    EXPECT_EQ(spec->host, c.host) << c.text;
    EXPECT_EQ(spec->has_port, c.low >= 0) << c.text;
    if (c.low >= 0) {
      EXPECT_EQ(spec->port_low, c.low) << c.text;
      EXPECT_EQ(spec->port_high, c.high) << c.text;
    }
    EXPECT_EQ(spec->is_datagram, c.datagram) << c.text;
    EXPECT_EQ(spec->family, c.family) << c.text;
    EXPECT_EQ(spec->any, c.any) << c.text;
  }
}

TEST(ParseAddress, Offsets) {
  EXPECT_EQ(parse_address("1.2.3.4:+10")->port_offset, 10);
  EXPECT_EQ(parse_address("1.2.3.4:-5")->port_offset, -5);
  EXPECT_TRUE(parse_address("*:+0")->has_offset);
  EXPECT_FALSE(parse_address("*:+0")->has_port);
  EXPECT_FALSE(parse_address("*:0")->has_offset);
}

TEST(ParseAddress, RefusesWithTheReason) {
  const std::pair<const char*, const char*> cases[] = {
      {"127.0.0.1:65536", "invalid port '65536'"},
      {"127.0.0.1:80-70", "invalid port range '80-70'"},
      {"127.0.0.1:80-", "invalid port ''"},
      {"127.0.0.1:8a", "invalid character 'a' in port number '8a'"},
      {"127.0.0.1:+x", "invalid character 'x' in port number 'x'"},
      {"1:2:3", "invalid address: '1:2'"},
      {"::1", "invalid address: ':'"},
      {"[::1:80", "invalid address: '[::1'"},
      {"ipv4@::1:80", "invalid address: '::1'"},
      {"ipv6@1.2.3.4:80", "invalid address: '1.2.3.4'"},
      {"fe80::1%eth0:80", "invalid address: 'fe80::1%eth0'"},
      {"foo@1.1.1.1:80", "invalid address: 'foo@1.1.1.1'"},
      {"rel/path:80", "invalid address: 'rel/path'"},
      {"fd@x", "file descriptor 'x' is not a valid integer"},
      {"fd@-1", "file descriptor '-1' is not a valid integer"},
      {"unix@", "empty socket path"},
      {"stream+udp@:80", "stream and datagram prefixes exclude each other"},
      {"quic4@:443", "address prefix 'quic4@' is not supported"},
      {"sockpair@4", "address prefix 'sockpair@' is not supported"},
  };
  for (const auto& [text, reason] : cases) {
    const auto spec = parse_address(text);
    ASSERT_FALSE(spec) << text;
    EXPECT_EQ(spec.error(), reason) << text;
  }
  EXPECT_FALSE(parse_address("/" + std::string(107, 'x')));
  EXPECT_TRUE(parse_address("/" + std::string(106, 'x')));
}

TEST(Address, RoundTripsThroughSockaddr) {
  for (const char* text :
       {"127.0.0.1:80", "[2001:db8::1]:65535", "unix@/run/x", "abns@x", "abnsz@name"}) {
    const Address address = literal_address(*parse_address(text), 0);
    Address with_port = address;
    if (address.is_ip()) with_port.set_port(parse_address(text)->port_low);
    sockaddr_storage storage;
    const socklen_t size = with_port.to_sockaddr(storage);
    const Address back = Address::of(reinterpret_cast<sockaddr*>(&storage), size);
    EXPECT_EQ(back.text(), text);
    EXPECT_TRUE(back == with_port);
  }
  sockaddr_storage storage;
  // abns@ fills sun_path with zeros, abnsz@ ends with the name.
  EXPECT_EQ(Address::unix_socket(Address::Kind::abstract, "x").to_sockaddr(storage),
            sizeof(sockaddr_un));
  EXPECT_EQ(Address::unix_socket(Address::Kind::abstract_z, "x").to_sockaddr(storage), 4U);
}

TEST(Address, ValuesOfAllKinds) {
  Address a = Address::unix_socket(Address::Kind::unix_path, "/a");
  Address b = a;
  a = Address::of(Ip::parse("::1"), 1);
  EXPECT_EQ(b.path(), "/a");
  Address c = std::move(b);
  EXPECT_EQ(c.text(), "unix@/a");
  EXPECT_EQ(b.kind(), Address::Kind::none);  // NOLINT(bugprone-use-after-move)
  c.set_ip(Ip::parse("1.2.3.4"));
  c.set_port(9);
  EXPECT_EQ(c.text(), "1.2.3.4:9");
  EXPECT_FALSE(a == c);
  c = *&c;
  EXPECT_EQ(Address::inherited(7).fd(), 7);
  EXPECT_EQ(literal_address(*parse_address("*:80"), 80).text(), "0.0.0.0:80");
  EXPECT_EQ(literal_address(*parse_address("ipv6@*:80"), 80).text(), "[::]:80");
  EXPECT_EQ(literal_address(*parse_address("name:80"), 80).kind(), Address::Kind::none);
  EXPECT_LE(sizeof(Address), 24U);
}

}  // namespace
}  // namespace net

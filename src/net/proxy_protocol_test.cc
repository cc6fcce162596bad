#include "net/proxy_protocol.h"

#include <gtest/gtest.h>

#include "base/hash.h"

namespace net {
namespace {

using namespace std::string_literals;

ProxyParse parse(std::string_view bytes, ProxyHeader& out, std::size_t& consumed) {
  return parse_proxy_header(bytes, out, consumed);
}

ProxyParse verdict(std::string_view bytes) {
  ProxyHeader header;
  std::size_t consumed = 0;
  return parse(bytes, header, consumed);
}

// Every shorter beginning asks for more and reads nothing beyond its end.
void expect_incremental(const std::string& bytes) {
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::string part = bytes.substr(0, size);  // its own buffer, for AddressSanitizer
    EXPECT_EQ(verdict(part), ProxyParse::need_more) << size;
  }
  EXPECT_EQ(verdict(bytes), ProxyParse::complete);
}

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;

TEST(ProxyV1, ReadsAndWrites) {
  const std::string line = "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n";
  ProxyHeader header;
  std::size_t consumed = 0;
  ASSERT_EQ(parse(line + "GET / HTTP/1.1\r\n", header, consumed), ProxyParse::complete);
  EXPECT_EQ(consumed, line.size());
  EXPECT_EQ(header.source.text(), "192.168.0.1:56324");
  EXPECT_EQ(header.destination.text(), "192.168.0.11:443");
  EXPECT_EQ(write_proxy_v1(header), line);
  expect_incremental(line);

  ASSERT_EQ(parse("PROXY TCP6 2001:db8::1 ::1 0 65535\r\n", header, consumed),
            ProxyParse::complete);
  EXPECT_EQ(write_proxy_v1(header), "PROXY TCP6 2001:db8::1 ::1 0 65535\r\n");
  header.source = Address::of(Ip::parse("1.2.3.4"), 5);
  EXPECT_EQ(write_proxy_v1(header), "PROXY TCP6 ::ffff:1.2.3.4 ::1 5 65535\r\n");

  ASSERT_EQ(parse("PROXY UNKNOWN whatever it says\r\n", header, consumed), ProxyParse::complete);
  EXPECT_TRUE(header.local);
  EXPECT_EQ(write_proxy_v1(header), "PROXY UNKNOWN\r\n");
}

TEST(ProxyV1, RefusesWhatIsNotExact) {
  for (const char* bad :
       {"GET / HTTP/1.1\r\n", "proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY\r\n", "PROXY \r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n", "PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 -2\r\n", "PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP4 ::1 ::1 1 2\r\n", "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n",
        "PROXY UNKNOWNX\r\n"})
    EXPECT_EQ(verdict(bad), ProxyParse::malformed) << bad;
  EXPECT_EQ(verdict("PROXY UNKNOWN " + std::string(92, 'x')), ProxyParse::need_more);
  EXPECT_EQ(verdict("PROXY UNKNOWN " + std::string(93, 'x')), ProxyParse::malformed);
  EXPECT_EQ(verdict("PROXY UNKNOWN " + std::string(91, 'x') + "\r\n"), ProxyParse::complete);
}

TEST(ProxyV2, ReadsAndWritesAllFamiliesAndTlvs) {
  const std::pair<Address, Address> pairs[] = {
      {Address::of(Ip::parse("1.2.3.4"), 1000), Address::of(Ip::parse("5.6.7.8"), 443)},
      {Address::of(Ip::parse("2001:db8::1"), 1), Address::of(Ip::parse("::1"), 65535)},
      {Address::unix_socket(Address::Kind::unix_path, "/run/x"),
       Address::unix_socket(Address::Kind::abstract, "y")}};
  for (const auto& [source, destination] : pairs) {
    ProxyHeader header;
    header.source = source;
    header.destination = destination;
    header.tlvs = {{kProxyAuthority, "example.org"},
                   {kProxyNoop, "pad"},
                   {kProxyCrc32c, ""},
                   {0xe0, std::string("\0\1", 2)}};
    const std::string bytes = write_proxy_v2(header);
    ProxyHeader back;
    std::size_t consumed = 0;
    ASSERT_EQ(parse(bytes + "more", back, consumed), ProxyParse::complete);
    EXPECT_EQ(consumed, bytes.size());
    EXPECT_FALSE(back.local);
    EXPECT_EQ(back.source.text(), source.text());
    EXPECT_EQ(back.destination.text(), destination.text());
    ASSERT_EQ(back.tlvs.size(), 3U);
    EXPECT_EQ(back.tlvs[0].value, "example.org");
    EXPECT_EQ(back.tlvs[2].value, std::string("\0\1", 2));
    expect_incremental(bytes);

    std::string damaged = bytes;
    damaged[20] ^= 1;
    EXPECT_EQ(verdict(damaged), ProxyParse::malformed);
  }
}

TEST(ProxyV2, KnownBytes) {
  ProxyHeader header;
  header.source = Address::of(Ip::parse("127.0.0.1"), 0x1234);
  header.destination = Address::of(Ip::parse("10.0.0.2"), 80);
  EXPECT_EQ(write_proxy_v2(header),
            kSignature + "\x21\x11\0\x0c"s + "\x7f\0\0\1\x0a\0\0\2\x12\x34\0\x50"s);
  header.local = true;
  EXPECT_EQ(write_proxy_v2(header), kSignature + "\x20\0\0\0"s);
  EXPECT_EQ(base::hash_crc32c("123456789"), 0xe3069283U);  // RFC 3720 appendix B.4's polynomial
}

TEST(ProxyV2, LocalAndUnspecifiedKeepTheOwnAddresses) {
  for (const std::string& fixed :
       {"\x20\0\0\x03xyz"s, "\x21\0\0\x03xyz"s, "\x21\x12\0\x0c"s + std::string(12, 'x')}) {
    ProxyHeader header;
    std::size_t consumed = 0;
    ASSERT_EQ(parse(kSignature + fixed, header, consumed), ProxyParse::complete);
    EXPECT_TRUE(header.local);
    EXPECT_EQ(consumed, kSignature.size() + fixed.size());
    EXPECT_EQ(header.source.kind(), Address::Kind::none);
  }
}

TEST(ProxyV2, RefusesMalformed) {
  const std::string twelve(12, '\1');
  for (const std::string& rest : {
           "\x11\x11\0\x0c"s + twelve,                   // version 1
           "\x22\x11\0\x0c"s + twelve,                   // unknown command
           "\x21\x41\0\x0c"s + twelve,                   // unknown family
           "\x21\x13\0\x0c"s + twelve,                   // unknown transport
           "\x21\x11\0\x0b"s + twelve,                   // too short for its addresses
           "\x21\x21\0\x0c"s + twelve,                   // the same, IPv6
           "\x21\x11\0\x0e"s + twelve + "\x01\0"s,       // half a TLV
           "\x21\x11\0\x10"s + twelve + "\x01\0\x02x"s,  // a TLV longer than the header
           "\x21\x11\0\x10"s + twelve + "\x03\0\x01x"s,  // a checksum of one byte
       })
    EXPECT_EQ(verdict(kSignature + rest), ProxyParse::malformed);
  EXPECT_EQ(verdict("\r\n\r\nX"), ProxyParse::malformed);
}

}  // namespace
}  // namespace net

#include "net/netscaler.h"

#include <gtest/gtest.h>

#include <string>

namespace net {
namespace {

using namespace std::string_literals;

constexpr std::uint32_t kMagic = 0x01020304;

std::string ip4(std::size_t options = 0, char protocol = 6) {
  return std::string(1, static_cast<char>(0x45 + options / 4)) + std::string(8, '\0') + protocol +
         "\0\0\x0a\1\2\3\x0a\4\5\6"s + std::string(options, '\0');
}
std::string ip6() {
  return "\x60\0\0\0\0\x14\6\x40"s + "\x20\1\x0d\xb8"s + std::string(11, '\0') + '\1' +
         "\x20\1\x0d\xb8"s + std::string(11, '\0') + '\2';
}
std::string tcp() { return "\x04\x57\x08\xae"s + std::string(16, '\0'); }

std::string standard(const std::string& headers) {
  const auto size = static_cast<char>(headers.size());
  return "\1\2\3\4\0\0\0"s + static_cast<char>(size + 12) + "\0\1\0"s + size + headers;
}
std::string legacy(const std::string& headers) {
  return "\1\2\3\4\0\0\0"s + static_cast<char>(headers.size()) + headers;
}

NetscalerParse verdict(const std::string& bytes, std::uint32_t magic = kMagic) {
  NetscalerHeader header;
  std::size_t consumed = 0;
  return parse_netscaler_header(bytes, magic, header, consumed);
}

void expect_addresses(const std::string& bytes, std::string_view source,
                      std::string_view destination) {
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(verdict(bytes.substr(0, size)), NetscalerParse::need_more) << size;
  NetscalerHeader header;
  std::size_t consumed = 0;
  ASSERT_EQ(parse_netscaler_header(bytes + "GET /", kMagic, header, consumed),
            NetscalerParse::complete);
  EXPECT_EQ(consumed, bytes.size());
  EXPECT_EQ(header.source.text(), source);
  EXPECT_EQ(header.destination.text(), destination);
}

TEST(Netscaler, ReadsBothForms) {
  expect_addresses(standard(ip4() + tcp()), "10.1.2.3:1111", "10.4.5.6:2222");
  expect_addresses(legacy(ip4() + tcp()), "10.1.2.3:1111", "10.4.5.6:2222");
  expect_addresses(standard(ip4(8) + tcp() + "options!"), "10.1.2.3:1111", "10.4.5.6:2222");
  NetscalerHeader header;
  std::size_t consumed = 0;
  for (const std::string& bytes : {standard(ip6() + tcp()), legacy(ip6() + tcp())}) {
    ASSERT_EQ(parse_netscaler_header(bytes, kMagic, header, consumed), NetscalerParse::complete);
    EXPECT_EQ(header.source.ip().text(), "2001:db8::1");
    EXPECT_EQ(header.destination.ip().text(), "2001:db8::2");
    EXPECT_EQ(header.destination.port(), 2222);
  }
}

TEST(Netscaler, RefusesWhatIsNone) {
  EXPECT_EQ(verdict("GET / HTTP/1.1\r\n"), NetscalerParse::wrong_magic);
  EXPECT_EQ(verdict(standard(ip4() + tcp()), 5), NetscalerParse::wrong_magic);
  EXPECT_EQ(verdict(standard(ip4(0, 17) + tcp())), NetscalerParse::wrong_protocol);
  EXPECT_EQ(verdict(standard("\x55" + ip4().substr(1) + tcp())), NetscalerParse::wrong_protocol);
  EXPECT_EQ(verdict(standard("\x41" + ip4().substr(1) + tcp())), NetscalerParse::wrong_protocol);
  EXPECT_EQ(verdict(standard(ip4(16) + "\0\0\0\0"s)), NetscalerParse::wrong_protocol);
  EXPECT_EQ(verdict(legacy("\x45")), NetscalerParse::wrong_protocol);
}

}  // namespace
}  // namespace net

#include "http/h1.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <vector>

#include "http/ids.h"
#include "http/uri.h"

namespace http {
namespace {

// What becomes of the bytes: the head as it would be sent on, or "400 what".
struct Outcome {
  std::string text;
  std::size_t consumed = 0;
  RequestHead head;
  std::string buffer;  // what the head views
};

void parse_at_once(std::string_view input, bool unsafe, Outcome& out) {
  out.buffer = input;
  ParseError error;
  ParseLimits limits{.accept_unsafe = unsafe};
  Parse result = parse_request_head(out.buffer, limits, out.head, out.consumed, error);
  if (result == Parse::complete)
    write_request_head(out.head, out.text);
  else
    out.text = result == Parse::error ? std::to_string(error.status) : "more";
}

std::string parse_bytewise(std::string_view input, bool unsafe) {
  std::string buffer(input);
  ParseError error;
  ParseLimits limits{.accept_unsafe = unsafe};
  RequestHead head;
  std::size_t consumed = 0;
  Parse result = Parse::need_more;
  for (std::size_t n = 1; n <= input.size() && result == Parse::need_more; ++n)
    result = parse_request_head(std::span(buffer.data(), n), limits, head, consumed, error);
  std::string text;
  if (result == Parse::complete)
    write_request_head(head, text);
  else
    text = result == Parse::error ? std::to_string(error.status) : "more";
  return text;
}

struct Case {
  std::string_view input;
  std::string_view strict, unsafe;  // empty unsafe: as strict
};

using namespace std::string_view_literals;

// Each answer is the reference's to the same bytes.
const Case kRequests[] = {
    {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nhost: a\r\n\r\n"},
    {"GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\nhost: a\r\n\r\n"},
    {"\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nhost: a\r\n\r\n"},
    {"PRI / HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"GET http://a,b/ HTTP/1.1\r\n\r\n", "400"},
    {"CONNECT a/b:443 HTTP/1.1\r\n\r\n", "400"},
    {"CONNECT a:443 HTTP/1.1\r\nHost: A:443\r\n\r\n", "CONNECT a:443 HTTP/1.1\r\nhost: A\r\n\r\n"},
    {"GET / HTTP/1.0\r\nContent-Length: 3\r\n\r\n", "413"},
    {"DELETE / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "413"},
    {"GET / HTTP/1.0\r\nContent-Length: 0\r\n\r\n", "GET / HTTP/1.0\r\ncontent-length: 0\r\n\r\n"},
    {"POST / HTTP/1.1\r\nHost: a@\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "400"},
    {"GET\t / \tHTTP/1.1\r\nHost: a\n\r\n", "GET / HTTP/1.1\r\nhost: a\r\n\r\n"},
    {"\rGET / HTTP/1.1\r\n\r\n", "400"},
    {" GET / HTTP/1.1\r\n\r\n", "400"},
    {"GET / HTTP/1.1 \r\n\r\n", "400"},
    {"GET / HTTP/1.1\r\r\n\r\n", "400"},
    {"GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", "400"},
    {"GET / HTTP/1.1\r\nX: a\rb\r\n\r\n", "400"},
    {"GET / HTTP/1.1\r\nX : a\r\n\r\n", "400", "GET / HTTP/1.1\r\n\r\n"},
    {"GET / HTTP/1.1\r\n X: a\r\n\r\n", "400", "GET / HTTP/1.1\r\n\r\n"},
    {"GET / HTTP/1.1\r\nX(y): x\r\nZ: 1\r\n\r\n", "400", "GET / HTTP/1.1\r\nz: 1\r\n\r\n"},
    {"GET / HTTP/1.1\r\nX\x80: x\r\n\r\n", "400", "GET / HTTP/1.1\r\n\r\n"},
    {"GET / HTTP/1.1\r\n: x\r\n\r\n", "400"},
    {"GET / HTTP/1.1\r\nX\r\n\r\n", "400"},
    {"GET / HTTP/1.1\r\nX: a\r\n\t b \r\nY: c\r\n\r\n",
     "GET / HTTP/1.1\r\nx: a  \t b\r\ny: c\r\n\r\n"},
    {"GET / HTTP/1.1\r\nX:\r\n b\r\n\r\n", "GET / HTTP/1.1\r\nx: b\r\n\r\n"},
    {"GET / HTTP/1.1\r\nX: a\0b\r\n\r\n"sv, "400", "GET / HTTP/1.1\r\nx: a\0b\r\n\r\n"sv},
    {"GET / HTTP/1.1\r\nX: \x01\x7f\x80\xff\r\n\r\n",
     "GET / HTTP/1.1\r\nx: \x01\x7f\x80\xff\r\n\r\n"},
    {"GET / HTTP/1.1\r\nX:\ta\tb\t \r\n\r\n", "GET / HTTP/1.1\r\nx: a\tb\r\n\r\n"},
    {"GET / HTTP/1.1\r\nX_y!#$%&'*+.^`|~-Long-Name-Of-More: V\r\n\r\n",
     "GET / HTTP/1.1\r\nx_y!#$%&'*+.^`|~-long-name-of-more: V\r\n\r\n"},
    {"GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"},
    {"GET / HTTP/0.9\r\n\r\n", "GET / HTTP/0.9\r\n\r\n"},
    {"GET / HTTP/2.0\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"},
    {"GET /\r\n\r\n", "400", "GET / HTTP/1.0\r\n\r\n"},
    {"GET\r\n\r\n", "400"},
    {"GET / HTTP/1.10\r\n\r\n", "400", "GET / HTTP/1.10\r\n\r\n"},
    {"GET / http/1.1\r\n\r\n", "400"},
    {"GET / HTTP/1,1\r\n\r\n", "400"},
    {"GET / RTSP/1.0\r\n\r\n", "400", "GET / RTSP/1.0\r\n\r\n"},
    {"G(T / HTTP/1.1\r\n\r\n", "400"},
    {"get / HTTP/1.1\r\n\r\n", "get / HTTP/1.1\r\n\r\n"},
    {"GET /a\x80"
     "b HTTP/1.1\r\n\r\n",
     "400",
     "GET /a\x80"
     "b HTTP/1.1\r\n\r\n"},
    {"GET /a\x01 HTTP/1.1\r\n\r\n", "400"},
    {"GET /a\x7f HTTP/1.1\r\n\r\n", "400"},
    {"GET /a#b HTTP/1.1\r\n\r\n", "400", "GET /a#b HTTP/1.1\r\n\r\n"},
    {"GET /a\"<>{}|\\^` HTTP/1.1\r\n\r\n", "GET /a\"<>{}|\\^` HTTP/1.1\r\n\r\n"},
    {"GET /a\tb HTTP/1.1\r\n\r\n", "400"},
    // The host.
    {"GET / HTTP/1.1\r\nHost: A\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nhost: A\r\n\r\n"},
    {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
    {"GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / HTTP/1.1\r\nhost: \r\n\r\n"},
    {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400"},
    {"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "400"},
    {"GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", "400"},
    {"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "GET / HTTP/1.1\r\nhost: [::1]:80\r\n\r\n"},
    {"GET http://a/ HTTP/1.1\r\n\r\n", "GET http://a/ HTTP/1.1\r\n\r\n"},
    {"GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", "400",
     "GET http://a/ HTTP/1.1\r\nhost: b\r\n\r\n"},
    {"GET http://u:p@a:80/x?y HTTP/1.1\r\nHost: a\r\n\r\n",
     "GET http://u:p@a/x?y HTTP/1.1\r\nhost: a\r\n\r\n"},
    {"GET http://A:80/ HTTP/1.1\r\nHost: a:80\r\n\r\n",
     "GET http://A/ HTTP/1.1\r\nhost: A\r\n\r\n"},
    {"GET http://a:8080/ HTTP/1.1\r\nHost: a\r\n\r\n", "400",
     "GET http://a:8080/ HTTP/1.1\r\nhost: a\r\n\r\n"},
    {"GET http://a/ HTTP/1.1\r\nHost: a:80\r\n\r\n",
     "GET http://a/ HTTP/1.1\r\nhost: a:80\r\n\r\n"},
    {"GET https://a:80/ HTTP/1.1\r\nHost: a:80\r\n\r\n",
     "GET https://a:80/ HTTP/1.1\r\nhost: a:80\r\n\r\n"},
    {"GET http://a:80?c=d HTTP/1.1\r\nHost: a:80\r\n\r\n",
     "GET http://a?c=d HTTP/1.1\r\nhost: a\r\n\r\n"},
    {"GET http://: HTTP/1.1\r\nHost: :80\r\n\r\n", "GET http:/// HTTP/1.1\r\nhost: \r\n\r\n"},
    {"GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://a/ HTTP/1.1\r\nhost: a\r\n\r\n"},
    {"GET http://a#f HTTP/1.1\r\nHost: a\r\n\r\n", "400",
     "GET http://a#f HTTP/1.1\r\nhost: a\r\n\r\n"},
    {"GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", "400",
     "GET http:///x HTTP/1.1\r\nhost: a\r\n\r\n"},
    {"GET http:a HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"GET 1http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    // Forms of the target.
    {"OPTIONS * HTTP/1.1\r\n\r\n", "OPTIONS * HTTP/1.1\r\n\r\n"},
    {"OPTIONS *x HTTP/1.1\r\n\r\n", "400"},
    {"OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n",
     "OPTIONS http://a HTTP/1.1\r\nhost: a\r\n\r\n"},
    {"GET * HTTP/1.1\r\n\r\n", "400"},
    {"FOO * HTTP/1.1\r\n\r\n", "FOO * HTTP/1.1\r\n\r\n"},
    {"GET a/b HTTP/1.1\r\n\r\n", "400"},
    {"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", "CONNECT a:80 HTTP/1.1\r\nhost: a\r\n\r\n"},
    {"CONNECT a:80 HTTP/1.1\r\nHost: a:\r\n\r\n", "CONNECT a:80 HTTP/1.1\r\nhost: a:\r\n\r\n"},
    {"CONNECT a:8080 HTTP/1.1\r\nHost: a\r\n\r\n", "400",
     "CONNECT a:8080 HTTP/1.1\r\nhost: a\r\n\r\n"},
    {"CONNECT a:80 HTTP/1.1\r\nHost: a:443\r\n\r\n", "400",
     "CONNECT a:80 HTTP/1.1\r\nhost: a:443\r\n\r\n"},
    {"CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", "400", "CONNECT a HTTP/1.1\r\nhost: a\r\n\r\n"},
    {"CONNECT a: HTTP/1.1\r\nHost: a\r\n\r\n", "400", "CONNECT a: HTTP/1.1\r\nhost: a\r\n\r\n"},
    {"CONNECT [::1]:80 HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
     "CONNECT [::1]:80 HTTP/1.1\r\nhost: [::1]\r\n\r\n"},
    // Framing.
    {"POST / HTTP/1.1\r\nContent-Length: 003\r\n\r\n",
     "POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\n"},
    {"POST / HTTP/1.1\r\nContent-Length: 3\r\nX: 1\r\nContent-Length: 3 ,03\r\n\r\n",
     "POST / HTTP/1.1\r\ncontent-length: 3\r\nx: 1\r\n\r\n"},
    {"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", "400"},
    {"POST / HTTP/1.1\r\nContent-Length: 3,4\r\n\r\n", "400"},
    {"POST / HTTP/1.1\r\nContent-Length: +3\r\n\r\n", "400"},
    {"POST / HTTP/1.1\r\nContent-Length: 0,\r\n\r\n", "400"},
    {"POST / HTTP/1.1\r\nContent-Length:\r\n\r\n", "400"},
    {"POST / HTTP/1.1\r\nContent-Length: 0x3\r\n\r\n", "400"},
    {"POST / HTTP/1.1\r\nContent-Length: 18446744073709551616\r\n\r\n", "400"},
    {"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: Chunked\r\n\r\n",
     "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n"},
    {"POST / HTTP/1.1\r\nContent-Length: x\r\nTransfer-Encoding: chunked\r\n\r\n", "400"},
    {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", "400"},
    {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "400"},
    {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", "400"},
    {"POST / HTTP/1.1\r\nTransfer-Encoding: identity\r\n\r\n", "400"},
    {"POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n", "400"},
    {"POST / HTTP/1.1\r\nTransfer-Encoding: chunk\r\n ed\r\n\r\n", "400"},
    {"POST / HTTP/1.1\r\nTransfer-Encoding:\r\n\r\n", "400"},
    {"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n", "422"},
    // This hop's business.
    {"GET / HTTP/1.1\r\nConnection: keep-alive\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"},
    {"GET / HTTP/1.1\r\nConnection: a , close , b,,c\r\n\r\n",
     "GET / HTTP/1.1\r\nconnection: a,b,c\r\n\r\n"},
    {"GET / HTTP/1.1\r\nConnection: ,\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"},
    {"GET / HTTP/1.1\r\nConnection: keep-alive, Upgrade\r\nUpgrade: foo, h2c\r\n\r\n",
     "GET / HTTP/1.1\r\nconnection: Upgrade\r\nupgrade: foo\r\n\r\n"},
    {"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"},
    {"GET / HTTP/1.1\r\nUpgrade: foo\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"},
    {"GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n\r\n", "400",
     "GET / HTTP/1.1\r\nconnection: upgrade\r\nupgrade: WebSocket\r\n\r\n"},
    {"GET / HTTP/1.1\r\nTE: gzip;q=1, trailers\r\n\r\n", "GET / HTTP/1.1\r\nte: trailers\r\n\r\n"},
    {"GET / HTTP/1.1\r\nTE: trailers;q=0.5\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"},
    {"GET / HTTP/1.1\r\nHost: a", "more"},
};

TEST(RequestHead, AnswersAsTheReferenceAtOnceAndByteByByte) {
  for (const Case& c : kRequests)
    for (bool unsafe : {false, true}) {
      std::string_view expected = unsafe && !c.unsafe.empty() ? c.unsafe : c.strict;
      Outcome out;
      parse_at_once(c.input, unsafe, out);
      EXPECT_EQ(out.text, expected) << c.input << (unsafe ? " (unsafe)" : "");
      EXPECT_EQ(parse_bytewise(c.input, unsafe), expected) << c.input << " byte by byte";
    }
}

TEST(RequestHead, TellsFramingAndPersistence) {
  struct {
    std::string_view headers;
    Framing framing;
    std::uint64_t length;
    bool keep_alive;
  } cases[] = {
      {"HTTP/1.1\r\n\r\n", Framing::none, 0, true},
      {"HTTP/1.0\r\n\r\n", Framing::none, 0, false},
      {"HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", Framing::none, 0, true},
      {"HTTP/1.1\r\nConnection: x, close\r\n\r\n", Framing::none, 0, false},
      {"HTTP/1.1\r\nConnection: close, keep-alive\r\n\r\n", Framing::none, 0, false},
      {"HTTP/1.1\r\nContent-Length: 12\r\n\r\n", Framing::length, 12, true},
      {"HTTP/1.1\r\nContent-Length: 0\r\n\r\n", Framing::none, 0, true},
      {"HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", Framing::chunked, 0, true},
      {"HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n", Framing::chunked, 0,
       false},
      {"HTTP/1.0\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n", Framing::chunked,
       0, false},
  };
  for (auto& c : cases) {
    Outcome out;
    parse_at_once("POST / " + std::string(c.headers), false, out);
    EXPECT_EQ(out.head.framing, c.framing) << c.headers;
    EXPECT_EQ(out.head.content_length, c.length) << c.headers;
    EXPECT_EQ(out.head.keep_alive, c.keep_alive) << c.headers;
  }
}

TEST(RequestHead, RefusesWhatIsTooLarge) {
  auto status = [](const std::string& input) {
    Outcome out;
    parse_at_once(input, false, out);
    EXPECT_EQ(parse_bytewise(input, false), out.text);
    return out.text.substr(0, 3);
  };
  EXPECT_EQ(status("GET /" + std::string(16380, 'y') + " HTTP/1.1\r\n\r\n"), "414");
  EXPECT_EQ(status("GET / HTTP/1.1\r\nX: " + std::string(16380, 'y') + "\r\n\r\n"), "431");
  std::string many = "GET / HTTP/1.1\r\n";
  for (int i = 0; i < 100; ++i) many += "X: y\r\n";
  EXPECT_EQ(status(many + "\r\n"), "GET");
  EXPECT_EQ(status(many + "X: y\r\n\r\n"), "400");
}

TEST(RequestHead, LeavesWhatFollowsUnread) {
  Outcome out;
  parse_at_once("GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", false, out);
  EXPECT_EQ(out.consumed, 19u);
  EXPECT_EQ(out.head.target, "/1");
}

struct ResponseCase {
  std::string_view input;
  Method method;
  std::string_view strict, unsafe;
  Framing framing = Framing::length;
};

const ResponseCase kResponses[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", Method::get,
     "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n", ""},
    {"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n", Method::get,
     "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n", ""},
    {"HTTP/1.1  200  Odd\x01 \x80\r\nContent-Length: 2\r\n\r\n", Method::get,
     "HTTP/1.1 200 Odd\x01 \x80\r\ncontent-length: 2\r\n\r\n", ""},
    {"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\n", Method::get, "502",
     "HTTP/1.1 2000 OK\r\ncontent-length: 2\r\n\r\n"},
    {"HTTP/1.1 65536 OK\r\nContent-Length: 2\r\n\r\n", Method::get, "502", ""},
    {"HTTP/1.1 20x OK\r\nContent-Length: 2\r\n\r\n", Method::get, "502", ""},
    {"HTTP/1.1 200 O\rK\r\nContent-Length: 2\r\n\r\n", Method::get, "502", ""},
    {"http/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", Method::get, "502", ""},
    {"HTTP/1.10 200 OK\r\nContent-Length: 2\r\n\r\n", Method::get, "502",
     "HTTP/1.10 200 OK\r\ncontent-length: 2\r\n\r\n"},
    {"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\n", Method::get,
     "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n", ""},
    {"HTTP/1.1 200 OK\r\n(X): y\r\nContent-Length: 2\r\n\r\n", Method::get, "502",
     "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n", Method::get, "502", ""},
    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", Method::get,
     "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "", Framing::chunked},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", Method::get, "502",
     "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", Framing::chunked},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\nContent-Length: 2\r\n\r\n", Method::get, "502",
     "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", Method::get, "502", ""},
    {"HTTP/1.1 200 OK\r\n\r\n", Method::get, "HTTP/1.1 200 OK\r\n\r\n", "", Framing::until_close},
    {"HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", Method::get, "HTTP/1.1 204 No\r\n\r\n", "",
     Framing::none},
    {"HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n", Method::get,
     "HTTP/1.1 304 No\r\ncontent-length: 5\r\n\r\n", "", Framing::none},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Method::head,
     "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", "", Framing::none},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Method::connect,
     "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", "", Framing::none},
    {"HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Foo\r\nContent-Length: 2\r\n\r\n", Method::get,
     "HTTP/1.1 200 OK\r\nconnection: X-Foo\r\ncontent-length: 2\r\n\r\n", ""},
    {"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n", Method::get, "HTTP/1.1 103 Early\r\nlink: x\r\n\r\n",
     "", Framing::none},
};

TEST(ResponseHead, AnswersAsTheReference) {
  for (const ResponseCase& c : kResponses)
    for (bool unsafe : {false, true})
      for (bool bytewise : {false, true}) {
        std::string buffer(c.input), text;
        ResponseHead head;
        ParseError error;
        std::size_t consumed = 0;
        Parse result = Parse::need_more;
        for (std::size_t n = bytewise ? 1 : buffer.size();
             n <= buffer.size() && result == Parse::need_more; ++n)
          result = parse_response_head(std::span(buffer.data(), n), {.accept_unsafe = unsafe},
                                       c.method, head, consumed, error);
        if (result == Parse::complete)
          write_response_head(head, text);
        else
          text = std::to_string(error.status);
        EXPECT_EQ(text, unsafe && !c.unsafe.empty() ? c.unsafe : c.strict) << c.input << unsafe;
        EXPECT_TRUE(result != Parse::complete || head.framing == c.framing) << c.input;
      }
}

// The payload and the trailers of a chunked body, or the error, and how many bytes were left.
std::string unchunk(std::string_view input, std::size_t piece) {
  std::string buffer(input), out;
  ChunkedReader reader;
  std::size_t start = 0, end = 0;
  for (;;) {
    std::size_t consumed;
    std::string_view payload;
    ParseError error;
    Parse result =
        reader.step(std::span(buffer.data() + start, end - start), consumed, payload, error);
    if (result == Parse::error) return "error";
    out += payload;
    start += consumed + payload.size();
    if (result == Parse::complete) break;
    if (consumed == 0 && payload.empty()) {
      if (end == buffer.size()) return out + " more";
      end = std::min(end + piece, buffer.size());
    }
  }
  for (const Field& f : reader.trailers())
    out += "|" + std::string(f.name) + "=" + std::string(f.value);
  return out + "|" + std::to_string(buffer.size() - start);
}

TEST(ChunkedReader, ReadsWhatTheReferenceReads) {
  struct {
    std::string_view input, expected;
  } cases[] = {
      {"3\r\nabc\r\n0\r\n\r\n", "abc|0"},
      {"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nGET", "abcde|3"},
      {"3\r\nabc\r\n0\r\nX: y\r\n\r\n", "abc|x=y|0"},
      {"3\r\nabc\r\n0\r\nX: y\r\n z\r\nContent-Length: 4\r\n\r\n", "abc|x=y   z|0"},
      {"3;x=\"y\"\r\nabc\r\n0;\r\n\r\n", "abc|0"},
      {"3 ;x\r\nabc\r\n0\t\r\n\r\n", "abc|0"},
      {"00000000000000003\r\nabc\r\n00\r\n\n", "abc|0"},
      {"aA\r\n", " more"},
      {"3\nabc\n0\n\n", "error"},
      {" 3\r\nabc\r\n0\r\n\r\n", "error"},
      {"\r\nabc", "error"},
      {"x\r\n", "error"},
      {"-3\r\nabc", "error"},
      {"0x3\r\nabc", "error"},
      {"3\r\nabcd\r\n0\r\n\r\n", "error"},
      {"3\r\nabcX\n0\r\n\r\n", "error"},
      {"3;a\nb\r\nabc", "error"},
      {"3;a\rb\r\nabc", "error"},
      {"3;a=\"b\\\"c\"\r\nabc\r\n0\r\n\r\n", "abc|0"},
      {"3;a=\"b\r\nabc", "error"},
      {"3;a\\\r\nabc", "error"},
      {"3\r\nabc\r\n0\r\nHost: a b\r\n\r\n", "error"},
      {"7FFFFFFFFFFFFFFF\r\nabc", "error"},
      {"10000000000000003\r\nabc\r\n0\r\n\r\n", "error"},
      {"3\r\nabc\r\n0\r\nX : y\r\n\r\n", "error"},
      {"3\r\nabc\r\n0\r\nX\r\n\r\n", "error"},
  };
  for (auto& c : cases)
    for (std::size_t piece : {1, 2, 3, 7, 1000})
      EXPECT_EQ(unchunk(c.input, piece), c.expected) << c.input << piece;
}

TEST(Write, JoinsReceivedAndChangedFields) {
  std::string buffer = "GET /x HTTP/1.1\r\nHost: a\r\nAccept:  b\r\nX-Y: c\r\nX-Z: d\r\n\r\n";
  RequestHead head;
  std::size_t consumed;
  ParseError error;
  base::Arena arena;
  ASSERT_EQ(parse_request_head(buffer, {}, head, consumed, error), Parse::complete);
  head.headers.set("X-Y", "new", arena);
  std::string out;
  write_request_head(head, out);
  EXPECT_EQ(out, "GET /x HTTP/1.1\r\nhost: a\r\naccept: b\r\nx-z: d\r\nx-y: new\r\n\r\n");
  char small[10];
  EXPECT_EQ(write_request_head(head, small), out.size());
  char room[18];
  EXPECT_EQ(std::string_view(room, write_chunk_size(0x1ff, room)), "1FF\r\n");
  EXPECT_EQ(std::string_view(room, write_chunk_size(~0ull, room)), "FFFFFFFFFFFFFFFF\r\n");
}

// A request of one field, in memory that ends where it does.
struct OneField {
  explicit OneField(std::string_view line) {
    std::string text = "GET / HTTP/1.1\r\n" + std::string(line) + "\r\n\r\n";
    bytes = std::make_unique<char[]>(text.size());
    std::memcpy(bytes.get(), text.data(), text.size());
    ParseError error;
    std::size_t consumed = 0;
    const Parse result =
        parse_request_head({bytes.get(), text.size()}, ParseLimits{}, head, consumed, error);
    good = result == Parse::complete && consumed == text.size() && head.headers.size() == 1;
  }
  bool is(std::string_view name, std::string_view value) const {
    return good && head.headers[0].name == name && head.headers[0].value == value;
  }

  std::unique_ptr<char[]> bytes;
  RequestHead head;
  bool good = false;
};

TEST(Fields, MayHaveAnyLength) {
  for (std::size_t name = 1; name < 40; ++name)
    for (std::size_t value = 0; value < 40; ++value) {
      const std::string v(value, 'V');
      EXPECT_TRUE(OneField(std::string(name, 'N') + ": " + v).is(std::string(name, 'n'), v))
          << name << ' ' << value;
    }
}

TEST(Fields, AreCheckedAtEveryPlaceOfTheName) {
  constexpr std::string_view kTokens = "!#$%&'*+-.^_`|~";
  for (std::size_t at = 0; at < 35; ++at)
    for (int byte = 0; byte < 256; ++byte) {
      const auto c = static_cast<char>(byte);
      if (c == ':') continue;
      std::string name(35, 'n');
      name[at] = c;
      const OneField field(name + ": v");
      if (c >= 'A' && c <= 'Z') name[at] = static_cast<char>(c | 0x20);
      const bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
      const bool token = letter || (c >= '0' && c <= '9') || kTokens.find(c) != kTokens.npos;
      EXPECT_EQ(field.is(name, "v"), token) << at << ' ' << byte;
    }
}

TEST(Fields, AreCheckedAtEveryPlaceOfTheValue) {
  for (std::size_t at = 1; at < 34; ++at)
    for (int byte = 0; byte < 256; ++byte) {
      std::string value(35, 'v');
      value[at] = static_cast<char>(byte);
      const bool bad = byte == '\0' || byte == '\r' || byte == '\n';
      EXPECT_EQ(OneField("n: " + value).is("n", value), !bad) << at << ' ' << byte;
    }
}

TEST(Fields, KnowTheirNumbers) {
  for (std::size_t id = 1; id < detail::kIds; ++id) {
    const std::string_view name = detail::kIdNames[id];
    std::string line(name);
    line[0] = static_cast<char>(line[0] - 0x20);
    const bool framing = name == "content-length" || name == "transfer-encoding";
    const std::string value = framing ? (name[0] == 'c' ? "1" : "chunked") : "upgrade";
    if (name != "connection" && name != "upgrade" && name != "te") {
      const OneField field(line + ": " + value);
      ASSERT_TRUE(field.is(name, value)) << name;
      EXPECT_EQ(field.head.headers[0].id, static_cast<HeaderId>(id)) << name;
    }
    EXPECT_EQ(id_of(name), static_cast<HeaderId>(id)) << name;
    for (std::size_t at = 0; at < name.size(); ++at) {
      std::string other(name);
      other[at] = 'q';
      if (other == name) continue;
      EXPECT_EQ(id_of(other), HeaderId::other) << other;
      const OneField field(other + ": x");
      ASSERT_TRUE(field.is(other, "x")) << other;
      EXPECT_EQ(field.head.headers[0].id, HeaderId::other) << other;
    }
  }
  EXPECT_EQ(id_of(""), HeaderId::other);
}

TEST(Host, IsCheckedAtEveryPlace) {
  constexpr std::string_view kBad = "#,/?@[\\]";
  for (std::size_t size = 1; size < 40; ++size)
    for (std::size_t at = 0; at < size; ++at)
      for (int byte = 0x21; byte < 256; ++byte) {
        std::string host(size, 'h');
        host[at] = static_cast<char>(byte);
        const bool bad = byte >= 0x7f || kBad.find(static_cast<char>(byte)) != kBad.npos;
        EXPECT_EQ(OneField("Host: " + host).is("host", host), !bad) << host;
      }
}

TEST(Headers, FindsByNameInAnyCase) {
  base::Arena arena;
  Headers h;
  h.add("Content-Type", "a", arena);
  h.add("X-Long-Name-That-Has-No-Number", "b", arena);
  EXPECT_EQ(h[0].id, HeaderId::content_type);
  EXPECT_EQ(h.find("CONTENT-TYPE")->value, "a");
  EXPECT_EQ(h.find("x-long-name-that-has-no-number")->value, "b");
  EXPECT_EQ(h.find("x-other"), nullptr);
  EXPECT_EQ(h.count("content-type"), 1u);
  EXPECT_EQ(h.remove("Content-type"), 1u);
  EXPECT_EQ(h.size(), 1u);
}

TEST(Target, SplitsEveryForm) {
  Target t = split_target("http://u@h:1/p?q?r");
  EXPECT_EQ(t.form, Target::Form::absolute);
  EXPECT_EQ(t.authority, "u@h:1");
  EXPECT_EQ(t.path, "/p");
  EXPECT_EQ(t.query, "q?r");
  t = split_target("/a?u=http://x/");
  EXPECT_EQ(t.form, Target::Form::origin);
  EXPECT_EQ(t.path, "/a");
  EXPECT_EQ(split_target("http://h?x").authority, "h");
  EXPECT_EQ(split_target("h:80", true).authority, "h:80");
  EXPECT_EQ(host_only("[::1]:80"), "[::1]");
  EXPECT_EQ(host_only("[::1]"), "[::1]");
  EXPECT_EQ(port_only("h:80"), "80");
  std::string_view value;
  EXPECT_TRUE(query_value("a=1&b&B=2", "b", value));
  EXPECT_EQ(value, "");
  EXPECT_TRUE(query_value("a=1;B=2", "b", value, ';', true));
  EXPECT_EQ(value, "2");
}

}  // namespace
}  // namespace http

#include <gtest/gtest.h>

#include "http/cookie.h"
#include "http/date.h"
#include "http/errors.h"
#include "http/h1.h"

namespace http {
namespace {

TEST(Date, WritesAndReads) {
  EXPECT_EQ(date_text(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date_text(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(date_text(1709164800), "Thu, 29 Feb 2024 00:00:00 GMT");
  for (auto text : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                    "Sun Nov  6 08:49:37 1994"})
    EXPECT_EQ(parse_date(text), 784111777) << text;
  for (auto text : {"", "Sun", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Foo 1994 08:49:37 GMT",
                    "Sun, 06 Nov 1994 24:49:37 GMT", "yesterday"})
    EXPECT_FALSE(parse_date(text)) << text;
  for (std::int64_t t : {-86401ll, 951782400ll, 4102444799ll, 253402300799ll})
    EXPECT_EQ(parse_date(date_text(t)), t);
}

TEST(Cookie, WalksAndEdits) {
  std::string_view field = "a=1; SRV=\"x;y\" ;b ; c=3";
  base::Arena arena;
  CookiePair pair;
  std::string_view rest = field;
  std::string all;
  std::string pairs;
  while (next_cookie(rest, pair)) {
    pairs.append(pair.name).append("<").append(pair.value).append(">");
    all += std::string(without_cookie(field, pair, arena)) + "|";
  }
  EXPECT_EQ(pairs, "a<1>SRV<\"x;y\">b<>c<3>");
  EXPECT_EQ(all, "SRV=\"x;y\" ;b ; c=3|a=1; b ; c=3|a=1; SRV=\"x;y\" ; c=3|a=1; SRV=\"x;y\" ;b|");
  rest = "only=1";
  ASSERT_TRUE(next_cookie(rest, pair));
  EXPECT_EQ(without_cookie("only=1", {"only", "1", pair.whole}, arena).size(), 0u);
  EXPECT_EQ(
      with_cookie_value(field, {"a", field.substr(2, 1), field.substr(0, 3)}, "srv1~1", arena),
      "a=srv1~1; SRV=\"x;y\" ;b ; c=3");
}

TEST(Cookie, ReadsSetCookie) {
  CookiePair pair;
  std::string_view attributes;
  ASSERT_TRUE(read_set_cookie("id=a,b; Path=/; Secure", pair, attributes));
  EXPECT_EQ(pair.value, "a,b");
  EXPECT_EQ(attributes, " Path=/; Secure");
  EXPECT_FALSE(read_set_cookie("; Path=/", pair, attributes));
}

TEST(Errors, AreTheKnownPages) {
  EXPECT_EQ(error_bytes(*error_page(400)),
            "HTTP/1.1 400 Bad request\r\ncontent-length: 90\r\ncache-control: no-cache\r\n"
            "content-type: text/html\r\nconnection: close\r\n\r\n"
            "<html><body><h1>400 Bad request</h1>\nYour browser sent an invalid request.\n"
            "</body></html>\n");
  EXPECT_EQ(error_bytes(*error_page(503)),
            "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 107\r\ncache-control: no-cache\r\n"
            "content-type: text/html\r\n\r\n<html><body><h1>503 Service Unavailable</h1>\n"
            "No server is available to handle this request.\n</body></html>\n");
  EXPECT_EQ(error_page(418), nullptr);
  EXPECT_EQ(reason_phrase(404), "Not Found");
  EXPECT_EQ(reason_phrase(499), "client has closed connection");
  EXPECT_EQ(reason_phrase(299), "Success");
  EXPECT_EQ(reason_phrase(700), "Other");
}

}  // namespace
}  // namespace http

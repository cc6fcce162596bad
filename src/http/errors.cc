#include "http/errors.h"

#include <algorithm>
#include <array>

#include "http/h1.h"

namespace http {

namespace {

#define MOONGATE_PAGE(status, reason, text, close)                                              \
  Page {                                                                                        \
    {status, reason, "<html><body><h1>" #status " " reason "</h1>\n" text "\n</body></html>\n", \
     close},                                                                                    \
        {}, 0                                                                                   \
  }

struct Page {
  ErrorPage page;
  std::array<char, 4> length;  // of the body, in decimal
  std::uint8_t digits;
};

constexpr Page with_length(Page p) {
  char digits[4];
  std::size_t count = 0;
  for (std::size_t n = p.page.body.size(); n != 0; n /= 10)
    digits[count++] = static_cast<char>('0' + n % 10);
  for (std::size_t i = 0; i < count; ++i) p.length[i] = digits[count - 1 - i];
  p.digits = static_cast<std::uint8_t>(count);
  return p;
}

constexpr auto kPages = [] {
  std::array pages{
      MOONGATE_PAGE(200, "OK", "Service ready.", false),
      MOONGATE_PAGE(400, "Bad request", "Your browser sent an invalid request.", true),
      MOONGATE_PAGE(401, "Unauthorized",
                    "You need a valid user and password to access this content.", false),
      MOONGATE_PAGE(403, "Forbidden", "Request forbidden by administrative rules.", false),
      MOONGATE_PAGE(404, "Not Found", "The resource could not be found.", false),
      MOONGATE_PAGE(
          405, "Method Not Allowed",
          "A request was made of a resource using a request method not supported by that resource.",
          false),
      MOONGATE_PAGE(407, "Unauthorized",
                    "You need a valid user and password to access this content.", false),
      MOONGATE_PAGE(408, "Request Time-out", "Your browser didn't send a complete request in time.",
                    true),
      MOONGATE_PAGE(410, "Gone",
                    "The resource is no longer available and will not be available again.", false),
      MOONGATE_PAGE(413, "Payload Too Large", "The request entity exceeds the maximum allowed.",
                    false),
      MOONGATE_PAGE(414, "URI Too Long", "The URI provided was too long for the server to process.",
                    false),
      MOONGATE_PAGE(421, "Misdirected Request", "Request sent to a non-authoritative server.",
                    false),
      MOONGATE_PAGE(422, "Unprocessable Content",
                    "The server cannot process the contained instructions.", false),
      MOONGATE_PAGE(425, "Too Early", "Your browser sent early data.", false),
      MOONGATE_PAGE(429, "Too Many Requests",
                    "You have sent too many requests in a given amount of time.", false),
      MOONGATE_PAGE(431, "Request Header Fields Too Large", "Request Header Fields Too Large.",
                    false),
      MOONGATE_PAGE(500, "Internal Server Error", "An internal server error occurred.", false),
      MOONGATE_PAGE(
          501, "Not Implemented",
          "The server does not support the functionality required to fulfill the request.", false),
      MOONGATE_PAGE(502, "Bad Gateway", "The server returned an invalid or incomplete response.",
                    false),
      MOONGATE_PAGE(503, "Service Unavailable", "No server is available to handle this request.",
                    false),
      MOONGATE_PAGE(504, "Gateway Time-out", "The server didn't respond in time.", false),
  };
  for (Page& p : pages) p = with_length(p);
  return pages;
}();
#undef MOONGATE_PAGE

const Page* find(unsigned status) {
  auto at = std::find_if(kPages.begin(), kPages.end(),
                         [&](const Page& p) { return p.page.status == status; });
  return at == kPages.end() ? nullptr : &*at;
}

}  // namespace

const ErrorPage* error_page(unsigned status) {
  const Page* p = find(status);
  return p == nullptr ? nullptr : &p->page;
}

void fill_error_head(const ErrorPage& page, ResponseHead& out) {
  const Page& p = *find(page.status);
  out.clear();
  out.status = page.status;
  out.reason = page.reason;
  out.headers.add_parsed({"content-length", {p.length.data(), p.digits}, HeaderId::content_length});
  out.headers.add_parsed({"cache-control", "no-cache", HeaderId::cache_control});
  out.headers.add_parsed({"content-type", "text/html", HeaderId::content_type});
  if (page.close) out.headers.add_parsed({"connection", "close", HeaderId::connection});
  out.framing = Framing::length;
  out.content_length = page.body.size();
  out.keep_alive = !page.close;
}

std::string error_bytes(const ErrorPage& page) {
  ResponseHead head;
  fill_error_head(page, head);
  std::string out;
  write_response_head(head, out);
  out += page.body;
  return out;
}

}  // namespace http

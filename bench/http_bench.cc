// What a head costs: parsing, and writing it on, at the sizes that browsers and services send.
#include <benchmark/benchmark.h>

#include <cstring>

#include "base/arena.h"
#include "http/h1.h"

namespace {

const std::string kService =
    "GET /api/v1/items?id=42&sort=asc HTTP/1.1\r\nHost: service.example.com\r\nUser-Agent: "
    "curl/7.88.1\r\n"
    "Accept: application/json\r\nX-Request-Id: 5f1c0a52-9d0e-4a0e-a2c5-8f6b61e0f0a1\r\n"
    "Authorization: Bearer 0123456789abcdef0123456789abcdef\r\nAccept-Encoding: gzip\r\n\r\n";

const std::string kBrowser =
    "GET /shop/products/view/1234567?ref=home&campaign=spring HTTP/1.1\r\nHost: www.example.com\r\n"
    "Sec-Ch-Ua: \"Chromium\";v=\"124\", \"Not-A.Brand\";v=\"99\"\r\nSec-Ch-Ua-Mobile: ?0\r\n"
    "Sec-Ch-Ua-Platform: \"Linux\"\r\nUpgrade-Insecure-Requests: 1\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/124.0.0.0 Safari/537.36\r\nAccept: "
    "text/html,application/xhtml+xml,application/xml;q=0.9,"
    "image/avif,image/webp,*/*;q=0.8\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\n"
    "Sec-Fetch-Dest: document\r\nReferer: https://www.example.com/\r\nAccept-Encoding: gzip, "
    "deflate, "
    "br\r\nAccept-Language: de-DE,de;q=0.9,en;q=0.8\r\nCookie: "
    "session=0123456789abcdef0123456789abc"
    "def; theme=dark; consent=1\r\n\r\n";

void parse(benchmark::State& state, const std::string& request) {
  std::string buffer = request;
  http::RequestHead head;
  http::ParseError error;
  std::size_t consumed = 0;
  for (auto _ : state) {
    std::memcpy(buffer.data(), request.data(), request.size());
    benchmark::DoNotOptimize(http::parse_request_head(buffer, {}, head, consumed, error));
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * request.size()));
}

void parse_and_write(benchmark::State& state, const std::string& request) {
  std::string buffer = request;
  char out[2048];
  http::RequestHead head;
  http::ParseError error;
  std::size_t consumed = 0;
  for (auto _ : state) {
    std::memcpy(buffer.data(), request.data(), request.size());
    benchmark::DoNotOptimize(http::parse_request_head(buffer, {}, head, consumed, error));
    benchmark::DoNotOptimize(http::write_request_head(head, out));
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * request.size()));
}

// What set-header, del-header and add-header do to a parsed head.
void edit_headers(benchmark::State& state) {
  std::string buffer;
  http::RequestHead head;
  http::ParseError error;
  std::size_t consumed = 0;
  base::Arena arena;
  for (auto _ : state) {
    buffer = kBrowser;
    benchmark::DoNotOptimize(http::parse_request_head(buffer, {}, head, consumed, error));
    head.headers.remove("sec-fetch-site");
    head.headers.add("x-forwarded-proto", "https", arena);
    head.headers.remove("x-real-ip");
    head.headers.add("x-real-ip", "192.0.2.1", arena);
    arena.reset();
  }
}
BENCHMARK(edit_headers);

BENCHMARK_CAPTURE(parse, service, kService);
BENCHMARK_CAPTURE(parse, browser, kBrowser);
BENCHMARK_CAPTURE(parse_and_write, service, kService);
BENCHMARK_CAPTURE(parse_and_write, browser, kBrowser);

}  // namespace

// Heads and chunked bodies of HTTP/1: no input crashes, and pieces of any size give one verdict.
#include <cstdlib>
#include <string>

#include "http/h1.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

template <class Head, class ParseHead, class WriteHead>
void check_head(const std::string& input, ParseHead parse, WriteHead write) {
  std::string whole = input, pieces = input, text, text_pieces;
  Head head, again;
  http::ParseError error;
  std::size_t consumed = 0, consumed_pieces = 0;
  http::Parse result = parse(std::span(whole.data(), whole.size()), head, consumed, error);
  http::Parse result_pieces = http::Parse::need_more;
  for (std::size_t n = 1; n <= pieces.size() && result_pieces == http::Parse::need_more; ++n)
    result_pieces = parse(std::span(pieces.data(), n), again, consumed_pieces, error);
  require(result == result_pieces || input.empty());
  if (result != http::Parse::complete) return;
  require(consumed == consumed_pieces && consumed <= input.size());
  write(head, text);
  write(again, text_pieces);
  require(text == text_pieces);
}

void check_chunked(std::string input) {
  http::ChunkedReader reader;
  std::size_t at = 0;
  while (at < input.size()) {
    std::size_t consumed = 0;
    std::string_view payload;
    http::ParseError error;
    http::Parse result =
        reader.step(std::span(input.data() + at, input.size() - at), consumed, payload, error);
    require(at + consumed + payload.size() <= input.size());
    at += consumed + payload.size();
    if (result != http::Parse::need_more || (consumed == 0 && payload.empty())) break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size < 1 || size > 4096) return 0;
  std::string input(reinterpret_cast<const char*>(data) + 1, size - 1);
  http::ParseLimits limits{
      .max_head = 2048, .max_headers = 20, .accept_unsafe = (data[0] & 1) != 0};
  if ((data[0] & 6) == 0) {
    check_head<http::RequestHead>(
        input,
        [&](auto bytes, auto& head, auto& consumed, auto& error) {
          return http::parse_request_head(bytes, limits, head, consumed, error);
        },
        [](const auto& head, std::string& out) { http::write_request_head(head, out); });
  } else if ((data[0] & 6) == 2) {
    http::Method method = (data[0] & 8) != 0 ? http::Method::head : http::Method::get;
    check_head<http::ResponseHead>(
        input,
        [&](auto bytes, auto& head, auto& consumed, auto& error) {
          return http::parse_response_head(bytes, limits, method, head, consumed, error);
        },
        [](const auto& head, std::string& out) { http::write_response_head(head, out); });
  } else {
    check_chunked(input);
  }
  return 0;
}

// HTTP/1 codec (RFC 9112), sans I/O. The parser works on bytes that stay where they are: it lowers
// header names in place and leaves views. It refuses what two readers could understand differently:
// two lengths, a length with chunked, bare CR or LF, blanks in or before names, bad chunk sizes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "http/message.h"

namespace http {

enum class Parse : std::uint8_t { complete, need_more, error };

struct ParseError {
  std::size_t at = 0;             // offset of the offending byte
  const char* what = "";          // constant text, for logs and "show errors"
  std::uint16_t status = 400;     // what a client gets: 400, 414, 431, 501, 505 …
};

struct ParseLimits {
  std::size_t max_head = 16384 - 1024;  // tune.bufsize - tune.maxrewrite
  std::size_t max_headers = 101;        // tune.http.maxhdr
  bool accept_unsafe = false;           // option accept-unsafe-violations-in-http-request/-response
};

// Parses a head from the front of `bytes`. Leading empty lines are skipped. `consumed` counts the
// bytes up to and including the empty line. Call again with more bytes after need_more.
Parse parse_request_head(std::span<char> bytes, const ParseLimits& limits, RequestHead& out,
                         std::size_t& consumed, ParseError& error);
// `request_method` decides on bodies (HEAD, CONNECT).
Parse parse_response_head(std::span<char> bytes, const ParseLimits& limits, Method request_method,
                          ResponseHead& out, std::size_t& consumed, ParseError& error);

// Walks a chunked body. Feed it bytes as they come; it tells runs of payload.
class ChunkedReader {
 public:
  // Looks at the front of `bytes`: `consumed` framing bytes may be dropped before `payload` (a view
  // into bytes, possibly empty). complete: the last chunk and trailers are over.
  Parse step(std::span<char> bytes, std::size_t& consumed, std::string_view& payload,
             ParseError& error);
  const Headers& trailers() const { return trailers_; }  // valid until the fed bytes move
  void reset();

 private:
  enum class State : std::uint8_t { size, extension, data, data_end, trailers, done };
  State state_ = State::size;
  std::uint64_t left_ = 0;
  bool any_digit_ = false;
  Headers trailers_;
};

// Bytes of a head, as sent. Appends to `out`.
void write_request_head(const RequestHead& head, std::string& out);
void write_response_head(const ResponseHead& head, std::string& out);
// As above into memory of the caller; the size needed is returned, nothing is written when > room.
std::size_t write_request_head(const RequestHead& head, std::span<char> room);
std::size_t write_response_head(const ResponseHead& head, std::span<char> room);

std::string_view reason_phrase(unsigned status);  // RFC 9110 section 15; "" when unknown

}  // namespace http

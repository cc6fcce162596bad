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
  std::size_t at = 0;          // offset of the offending byte
  const char* what = "";       // constant text, for logs and "show errors"
  std::uint16_t status = 400;  // what a client gets: 400, 414, 431, 501, 505 …
};

struct ParseLimits {
  std::size_t max_head = 16384 - 1024;  // tune.bufsize - tune.maxrewrite
  std::size_t max_headers = 101;        // tune.http.maxhdr
  bool accept_unsafe = false;           // option accept-unsafe-violations-in-http-request/-response
  bool any_payload = false;             // h1-accept-payload-with-any-method
};

// Parses a head from the front of `bytes`. Leading empty lines are skipped. `consumed` counts the
// bytes up to and including the empty line. Call again with more bytes after need_more.
//
// What a complete head has been through: keep-alive, close and unusable upgrade tokens are gone
// from Connection (they are this hop's and live in keep_alive and upgrade); repeated Host, and
// repeated or listed Content-Length, are one field; Content-Length beside chunked is dropped and
// ends keep-alive (RFC 9112 section 6.3); TE keeps "trailers" alone; default ports are cut from
// absolute targets and the Host that goes with them (RFC 9110 section 4.2.3).
Parse parse_request_head(std::span<char> bytes, const ParseLimits& limits, RequestHead& out,
                         std::size_t& consumed, ParseError& error);
// `request_method` decides on bodies (HEAD, CONNECT).
Parse parse_response_head(std::span<char> bytes, const ParseLimits& limits, Method request_method,
                          ResponseHead& out, std::size_t& consumed, ParseError& error);

// Walks a chunked body (RFC 9112 section 7.1). Feed it bytes as they come; it tells runs of
// payload.
class ChunkedReader {
 public:
  // Looks at the front of `bytes`: `consumed` framing bytes stand before `payload` (a view into
  // bytes, possibly empty); drop both and call again while bytes remain. need_more with nothing
  // consumed and no payload: only further bytes help. complete: the last chunk and trailers are
  // over; trailers() views the consumed bytes.
  Parse step(std::span<char> bytes, std::size_t& consumed, std::string_view& payload,
             ParseError& error);
  const Headers& trailers() const { return trailers_; }  // valid until the fed bytes move
  void reset();
  bool done() const { return state_ == State::done; }
  // Payload of the present chunk that is still to come: a relay may move so much without looking.
  std::uint64_t left_in_chunk() const { return state_ == State::data ? left_ : 0; }
  void skip_payload(std::uint64_t count);  // so many of left_in_chunk() were moved elsewhere

 private:
  enum class State : std::uint8_t {
    size,
    blanks,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailers,
    done
  };
  bool step_size_line(char c, std::size_t at, ParseError& error);
  Parse step_trailers(std::span<char> bytes, std::size_t& consumed, ParseError& error);

  State state_ = State::size;
  bool any_digit_ = false;
  bool quoted_ = false, escaped_ = false;  // in an extension's quoted string
  std::uint16_t line_ = 0;                 // bytes of the size line seen, to bound extensions
  std::uint64_t left_ = 0;
  Headers trailers_;
};

// Bytes of a head, as sent. Appends to `out`.
void write_request_head(const RequestHead& head, std::string& out);
void write_response_head(const ResponseHead& head, std::string& out);
// As above into memory of the caller; the size needed is returned, nothing is written when > room.
std::size_t write_request_head(const RequestHead& head, std::span<char> room);
std::size_t write_response_head(const ResponseHead& head, std::span<char> room);

// The trailer section of a chunked body, its empty line included; sizes as above.
std::size_t write_trailers(const Headers& trailers, std::span<char> room);
// "1F\r\n"; returns its length.
std::size_t write_chunk_size(std::uint64_t size, std::span<char, 18> room);

// What the reference writes for a status: RFC 9110 section 15 where it knows it, else the class
// ("Client Error"). Never empty.
std::string_view reason_phrase(unsigned status);

}  // namespace http

// The error pages that are built in: what a client gets when the proxy itself answers and the
// configuration names no errorfile. Statuses, headers and bodies are those that clients of the
// reference know. Constants for all threads.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/message.h"

namespace http {

struct ErrorPage {
  std::uint16_t status;
  std::string_view reason;
  std::string_view body;  // text/html
  bool close;             // its head says "connection: close"
};

// Null for a status that has no page.
const ErrorPage* error_page(unsigned status);
// The page with its head: content-length, cache-control, content-type and, where it has it,
// connection. `out.framing` is set, its fields are constants.
void fill_error_head(const ErrorPage& page, ResponseHead& out);
// All bytes of it, as an errorfile would hold them: HTTP/1.1, a blank line, the body.
std::string error_bytes(const ErrorPage& page);

}  // namespace http

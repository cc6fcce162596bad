// Log lines of others: what stands before their text (RFC 3164, RFC 5424), and how a stream of them
// is cut into lines (RFC 6587). Views into the bytes of the caller; no input or output.
#pragma once

#include <cstddef>
#include <string_view>

#include "obs/log.h"

namespace obs {

// A line that came from elsewhere. What it did not say is empty.
struct SyslogMessage {
  LogFormatKind format = LogFormatKind::rfc3164;  // in which it came; raw: it was not looked at
  bool has_priority = false;
  Level level = Level::emerg;
  unsigned facility = 0;
  std::string_view time;  // as written, in the form of `format`
  std::string_view host, tag, process, id, structured, text;
};

SyslogMessage parse_syslog(std::string_view line);

enum class Cut : std::uint8_t { line, need_more, malformed };

// The first line of `bytes`: counted ("12 <13>text…") or up to a line feed; `lines_only` takes all
// for the second kind. `size` tells how many bytes it took.
Cut cut_syslog(std::string_view bytes, bool lines_only, std::string_view& line, std::size_t& size);

}  // namespace obs

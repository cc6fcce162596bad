// What stands before the text of a log line in each format of the manual's "log" section, written
// into a buffer of the caller. Dates are made once a second a thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "obs/log.h"

namespace obs {

inline constexpr std::size_t kHeaderRoom = 4096;

// The format in force: without one, "local", or RFC 3164 when lines carry a host name.
LogFormatKind effective_format(LogFormatKind format, std::string_view host);

// Writes at most kHeaderRoom bytes to `out`, returns how many. `level` is the capped one.
std::size_t write_header(char* out, LogFormatKind format, std::uint8_t facility, Level level,
                         const LogLine& line);

}  // namespace obs

// Where log lines go: descriptors, UDP and unix syslog, rings. A line is formatted once a target's
// format and sent at once without waiting; what cannot be sent is counted as dropped.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/address.h"
#include "obs/counter.h"

namespace obs {

enum class Level : std::uint8_t { emerg, alert, crit, err, warning, notice, info, debug };
std::string_view name_of(Level level);
bool parse_level(std::string_view text, Level& out);

enum class LogFormatKind : std::uint8_t {
  unspecified, local, rfc3164, rfc5424, priority, short_, timed, iso, raw
};

struct SampleRange { std::uint32_t low, high; };  // "sample 1,2-3:5"

struct LogTarget {
  enum class Kind : std::uint8_t { datagram, descriptor, ring, backend } kind = Kind::datagram;
  net::Address address;             // datagram: UDP or unix
  int fd = -1;                      // descriptor: stdout, stderr, fd@N
  std::string name;                 // ring or backend name
  std::string profile;              // log profile, empty none
  LogFormatKind format = LogFormatKind::unspecified;  // rfc3164 unless the manual says otherwise
  std::uint8_t facility = 0;        // 0-23
  Level maximum = Level::debug;     // lines above are dropped
  Level minimum = Level::emerg;     // lines below are raised to this
  std::size_t length = 1024;        // "len"
  std::vector<SampleRange> sample;  // empty: every line
  std::uint32_t sample_size = 0;
};

// What a line carries beside its text.
struct LogLine {
  Level level = Level::info;
  std::string_view tag;             // "haproxy" unless log-tag says otherwise
  std::string_view text;            // without line end
  std::string_view structured;      // RFC 5424 structured data, or empty
  std::string_view host;            // log-send-hostname
};

// Sends one line to a target. Any worker thread; never waits.
void send(const LogTarget& target, const LogLine& line);
// To each of a list, honouring levels and samples.
void send(const std::vector<std::shared_ptr<LogTarget>>& targets, const LogLine& line);

// A ring of recent lines in memory ("ring" sections, show events): named, shared by all workers.
class Ring;

// "[NOTICE]   (pid) : text" on stderr, for what concerns the process and not one configured target.
void report(Level level, std::string_view text);

std::uint64_t dropped_lines();

}  // namespace obs

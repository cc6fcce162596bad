// Where log lines go: descriptors, UDP and unix syslog, rings. A line is formatted once a target's
// format and sent at once without waiting; what cannot be sent is counted as dropped.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/address.h"
#include "net/socket_tuning.h"
#include "obs/counter.h"

namespace obs {

enum class Level : std::uint8_t { emerg, alert, crit, err, warning, notice, info, debug };
std::string_view name_of(Level level);
bool parse_level(std::string_view text, Level& out);

enum class LogFormatKind : std::uint8_t {
  unspecified,
  local,
  rfc3164,
  rfc5424,
  priority,
  short_,
  timed,
  iso,
  raw
};

struct SampleRange {
  std::uint32_t low, high;
};  // "sample 1,2-3:5"

class Ring;
class DescriptorSink;
struct SyslogMessage;

// Takes whole lines and hands each to somebody: a log backend (upstream/).
class LogOutlet {
 public:
  virtual ~LogOutlet() = default;
  // Without its line feed. Any worker thread; must not wait. False: dropped.
  virtual bool write(std::string_view line) = 0;
};

// One "log" line. Made by parse_log() (obs/log_config.h), completed by link_targets(), constant
// then.
struct LogTarget {
  enum class Kind : std::uint8_t { datagram, descriptor, ring, backend } kind = Kind::datagram;
  net::Address address;                               // datagram: UDP or unix
  int fd = -1;                                        // descriptor: stdout, stderr, fd@N
  std::string name;                                   // ring or backend name
  std::string profile;                                // log profile, empty none
  LogFormatKind format = LogFormatKind::unspecified;  // rfc3164 unless the manual says otherwise
  std::uint8_t facility = 0;                          // 0-23
  Level maximum = Level::debug;                       // lines above are dropped
  Level minimum = Level::emerg;                       // lines below are raised to this
  std::size_t length = 1024;                          // "len"
  std::vector<SampleRange> sample;                    // empty: every line
  std::uint32_t sample_size = 0;

  // Shared by the copies of a target.
  std::shared_ptr<std::atomic<std::uint32_t>> sampled;  // lines so far, with `sample`
  std::shared_ptr<DescriptorSink> sink;                 // descriptor
  std::shared_ptr<Ring> ring;                           // ring
  std::shared_ptr<LogOutlet> outlet;                    // backend
};

// What a line carries beside its text.
struct LogLine {
  Level level = Level::info;
  std::string_view tag;                     // "haproxy" unless log-tag says otherwise
  std::string_view text;                    // without line end
  std::string_view structured;              // RFC 5424 structured data, or empty
  std::string_view host;                    // log-send-hostname
  const SyslogMessage* received = nullptr;  // it came from elsewhere: its header instead of ours
};

// Sends one line to a target. Any worker thread; never waits.
void send(const LogTarget& target, const LogLine& line);
// To each of a list, honouring levels and samples.
void send(const std::vector<std::shared_ptr<LogTarget>>& targets, const LogLine& line);

// Prepares what sending needs (descriptor, sample counter). parse_log() does it; targets made by
// hand need it before their first line.
void prepare(LogTarget& target);

// "[NOTICE]   (pid) : text" on stderr, for what concerns the process and not one configured target.
// Kept for "show startup-logs" until end_of_startup().
void report(Level level, std::string_view text);
// As report(), of a message that is complete and ends with a line feed.
void report_rendered(std::string_view text);
void end_of_startup();
std::string startup_messages();

// Kernel buffers of the sockets that datagrams leave by. Before the first line.
void set_datagram_tuning(const net::SocketTuning& tuning);

// One datagram with a line feed behind; false: dropped.
bool send_datagram(const net::Address& to, std::string_view line);

std::uint64_t dropped_lines();
void count_dropped_line();

}  // namespace obs

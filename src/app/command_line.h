// The command line, as the management guide's section 3 has it. What is accepted without effect is
// listed in docs/command-line.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/version.h"

namespace app {

enum class Mode : std::uint8_t {
  run,
  check,
  condition,
  version,
  build,
  short_text,
  help,
  usage_error
};

struct CommandLine {
  Mode mode = Mode::run;
  std::string text;                                // condition, or what to print, or the mistake
  std::vector<std::string> paths;                  // -f and what follows --
  std::string directory;                           // -C
  std::string pidfile;                             // -p
  std::string peer;                                // -L
  std::vector<std::string> master_sockets;         // -S
  std::string transfer_socket;                     // -x
  std::vector<std::int32_t> finish, terminate;     // -sf, -st
  std::int64_t maximum = 0;                        // -n
  std::int64_t proxy_maximum = 0;                  // -N
  std::int64_t memory_megabytes = 0;               // -m
  bool daemon = false, foreground = false;         // -D; -db, -d
  bool debug = false;                              // -d
  bool verbose = false, quiet = false;             // -V, -q
  bool zero_warning = false, diagnostics = false;  // -dW, -dD
  bool insecure_fork = false;                      // -dI
  bool ipv4_only = false;                          // -4
  bool master_worker = false, notify_systemd = false;  // -W, -Ws
  bool list_libraries = false;                         // -dL
  bool ignore_resolution = false;                      // -dr
  std::optional<std::string> dump;                     // -dC[key]
  std::optional<std::string> traces;                   // -dt
  std::optional<std::string> keyword_classes;          // -dK
  Switches switches;
};

CommandLine parse_command_line(int argc, char** argv);
std::string usage_text(std::string_view program);

}  // namespace app

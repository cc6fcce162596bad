// The runtime socket: "stats socket" lines of the global section, one fiber a connection on worker
// 0 (management manual, section 9.3). Started by app/ before the workers run; lives as long as the
// process.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "admin/command.h"
#include "base/result.h"
#include "config/arguments.h"
#include "net/address.h"
#include "net/listener.h"

namespace admin {

struct CliSocket {
  std::string text;  // as written, for messages and "show cli sockets"
  std::vector<net::Address> addresses;
  net::ListenOptions listen;
  Access access = Access::operator_;
  SeverityOutput severity = SeverityOutput::none;
  config::Position at;
};

// What "show info" and "show version" say the program is.
struct Product {
  std::string name = "HAProxy", version, date, build;
};

struct CliSettings {
  std::vector<CliSocket> sockets;
  std::int64_t timeout_ms = 10000;     // stats timeout
  unsigned maximum = 10;               // stats maxconn
  std::size_t line_limit = 16384;      // tune.bufsize
  std::size_t payload_limit = 131072;  // tune.cli.max-payload-size
  Product product;
  unsigned warnings = 0;  // "TotalWarnings"
  std::int64_t boot_ms = 0;
};

// The words after "stats socket" at the cursor: an address and bind options. Reports its errors.
bool parse_stats_socket(config::Arguments& args, CliSocket& out);

class Cli {
 public:
  ~Cli();
  // `environment` and what it refers to must outlive it.
  explicit Cli(Environment environment);
  Cli(const Cli&) = delete;
  Cli& operator=(const Cli&) = delete;

  // Opens all sockets; an error names the one that failed.
  base::Result<void> open();
  // Accepts from now on. On worker 0, or before Runtime::run().
  void start();
  void stop();

 private:
  struct Listening;
  Environment environment_;
  std::vector<std::unique_ptr<Listening>> listening_;
  unsigned sessions_ = 0;
};

}  // namespace admin

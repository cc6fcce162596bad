// One probe under way: its connection, what was received, and what it found so far. Lives on the
// stack of a check's fiber.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "expr/context.h"
#include "http/message.h"
#include "net/connection.h"
#include "txn/exchange.h"
#include "upstream/backend.h"
#include "upstream/check_rules.h"

namespace upstream {

class CheckRun {
 public:
  explicit CheckRun(Checker& checker);
  ~CheckRun();
  CheckRun(const CheckRun&) = delete;
  CheckRun& operator=(const CheckRun&) = delete;

  // How much waiting is left: "timeout check" from the connect on, else inter for everything.
  rt::Instant connect_deadline() const;
  void connected();  // starts the time for what follows
  rt::Instant deadline() const { return deadline_; }

  enum class Read : std::uint8_t { more, end, timed_out, failed };
  // Receives something more into input; waits until the deadline.
  Read receive();
  bool send(std::string_view bytes);  // false with the outcome set
  // Sets the outcome and returns false.
  bool fail(state::CheckStatus status, std::string text, int code = 0);
  bool pass(state::CheckStatus status, std::string text, int code = 0);
  // What the kernel said, as messages name it.
  static std::string error_text(net::IoError error);

  Checker& checker;
  txn::Session session;
  txn::Exchange exchange{session};
  state::Variables variables;
  expr::Context context;
  std::unique_ptr<net::Connection> connection;
  // Of the server's pool or for it; `connection` is the one meant. Else the pool has no part in it.
  std::optional<ServerLink> link;
  // Gives the connection to the pool unless something of the response is still to come.
  void share_connection();
  std::string input;                                    // since the last send
  bool over = false;                                    // the peer will send no more
  net::IoError read_error = net::IoError::would_block;  // why receive() failed
  bool clean_close = false;                             // "linger", HTTP
  unsigned step = 0;                                    // number of the rule, from 1
  CheckOutcome outcome;

  // The response under way (HTTP).
  bool head_parsed = false;
  std::string head_bytes;  // the parsed head's views point here
  std::string body;
  bool body_complete = false;
  std::size_t surplus = 0;        // bytes behind it
  bool request_persists = false;  // asks for the connection to be kept

 private:
  class Received;
  std::unique_ptr<Received> received_;  // input or body, for samples
  rt::Instant started_, deadline_;
};

// One step of a sequence. run() returns false when the probe is over, with the outcome set.
class CheckStep {
 public:
  enum class Kind : std::uint8_t { comment, connect, send, expect, variable };
  explicit CheckStep(Kind kind) : kind_(kind) {}
  virtual ~CheckStep() = default;
  virtual bool run(CheckRun& run) const = 0;
  Kind kind() const { return kind_; }

  std::string comment;    // shown when the step fails
  bool implicit = false;  // not written by anybody, has no number

 private:
  Kind kind_;
};

// " at step 2 of tcp-check (connect port 80) comment: 'x'"; nothing for implicit steps.
std::string place_of(const CheckRun& run, const CheckStep& step, std::string_view what);

}  // namespace upstream

// The steps of tcp-check and http-check sequences.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "expr/expression.h"
#include "expr/log_format.h"
#include "expr/regex.h"
#include "net/address.h"
#include "upstream/check/run.h"

namespace upstream {

class CommentStep final : public CheckStep {
 public:
  CommentStep() : CheckStep(Kind::comment) {}
  bool run(CheckRun&) const override { return true; }
};

// Reads the rest of the response's body; false where its end does not come in time.
bool read_body(CheckRun& run);

class ConnectStep final : public CheckStep {
 public:
  ConnectStep() : CheckStep(Kind::connect) {}
  bool run(CheckRun& run) const override;
  bool names_port() const { return port != 0 || port_expression != nullptr; }

  bool defaults = false;  // "default": as the server line says
  bool http = false;
  std::uint16_t port = 0;
  std::shared_ptr<expr::Expression> port_expression;
  net::Ip ip;  // "addr"
  std::uint16_t address_port = 0;
  bool send_proxy = false, linger = false, via_socks4 = false;

 private:
  std::string what() const;
  bool target(CheckRun& run, net::Address& to) const;
  bool may_share(CheckRun& run, const net::Address& to) const;
  base::Result<void, net::IoError> open(CheckRun& run, const net::Address& to) const;
};

class SendStep final : public CheckStep {
 public:
  SendStep() : CheckStep(Kind::send) {}
  bool run(CheckRun& run) const override;
  std::string bytes;
  std::shared_ptr<expr::LogFormat> format;
  bool hex = false;  // the format's text is hex digits
};

// set-var, set-var-fmt, unset-var.
class VariableStep final : public CheckStep {
 public:
  VariableStep() : CheckStep(Kind::variable) {}
  bool run(CheckRun& run) const override;
  state::VariableName name;
  std::shared_ptr<expr::Expression> expression;
  std::shared_ptr<expr::LogFormat> format;  // neither: unset
};

// What tcp-check expect and http-check expect share.
class ExpectStep : public CheckStep {
 public:
  ExpectStep() : CheckStep(Kind::expect) {}
  std::int64_t min_receive = -1;
  bool negated = false;
  state::CheckStatus ok_status = state::CheckStatus::l7_ok;
  state::CheckStatus error_status = state::CheckStatus::l7_response;
  bool error_status_given = false;
  state::CheckStatus timeout_status = state::CheckStatus::l7_timeout;
  std::shared_ptr<expr::LogFormat> on_success, on_error;
  std::shared_ptr<expr::Expression> status_code;

 protected:
  bool succeed(CheckRun& run, std::string_view usual, int usual_code) const;
  bool mismatch(CheckRun& run, state::CheckStatus status, std::string usual, int usual_code) const;
};

class TcpExpectStep final : public ExpectStep {
 public:
  bool run(CheckRun& run) const override;
  enum class Match : std::uint8_t {
    string,
    binary,
    regex,
    binary_regex,
    format,
    binary_format
  } match = Match::string;
  std::string pattern;  // string: as written; binary: as bytes
  std::string written;  // for messages
  std::shared_ptr<const expr::Regex> regex;
  std::shared_ptr<expr::LogFormat> format;

 private:
  std::string what() const;
  std::string quoted() const;
  bool found(CheckRun& run, const std::string& wanted) const;
  bool read_failed(CheckRun& run, CheckRun::Read how) const;
};

// Parts of an http-check send; what is empty comes from "option httpchk" or the usual.
class HttpSendStep final : public CheckStep {
 public:
  HttpSendStep() : CheckStep(Kind::send) {}
  bool run(CheckRun& run) const override;
  std::string method, target, version;
  std::shared_ptr<expr::LogFormat> target_format;
  std::vector<std::pair<std::string, std::shared_ptr<expr::LogFormat>>> headers;
  std::string body;
  std::shared_ptr<expr::LogFormat> body_format;
  bool send_state = false;
};

// One side of a header match of "http-check expect".
struct HeaderText {
  enum class How : std::uint8_t { equal, begins, ends, contains, regex } how = How::equal;
  std::string text;
  std::shared_ptr<expr::LogFormat> format;
  std::shared_ptr<const expr::Regex> regex;
  bool matches(CheckRun& run, std::string_view subject, bool ignore_case) const;
};

class HttpExpectStep final : public ExpectStep {
 public:
  bool run(CheckRun& run) const override;
  enum class Match : std::uint8_t {
    usual,
    status,
    status_regex,
    header,
    full_header,
    string,
    regex,
    format
  } match = Match::usual;
  std::vector<std::pair<int, int>> statuses;
  std::shared_ptr<const expr::Regex> regex;
  std::string pattern;
  std::shared_ptr<expr::LogFormat> format;
  bool disable_on_404 = false;

  HeaderText name;
  std::optional<HeaderText> value;

 private:
  bool read_head(CheckRun& run) const;
  bool read_failed(CheckRun& run, CheckRun::Read how) const;
  bool match_head(CheckRun& run) const;
  bool match_header(CheckRun& run) const;
  bool match_body(CheckRun& run) const;
};

// "UP 2/3; address=…; …": the value of X-Haproxy-Server-State (manual, "http-check send-state").
std::string server_state_header(Checker& checker);
// Hex digits in pairs to bytes; the error says what is wrong.
base::Result<std::string> from_hex(std::string_view digits);

}  // namespace upstream

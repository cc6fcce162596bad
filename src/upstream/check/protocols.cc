#include "upstream/check/protocols.h"

#include <fmt/format.h>

#include "base/text.h"
#include "upstream/check/steps.h"

namespace upstream {

using state::CheckStatus;

bool JudgeStep::run(CheckRun& run) const {
  while (true) {
    if (!run.input.empty()) {
      if (const auto verdict = judge_(run, run.input, run.over)) return *verdict;
    }
    if (run.over) {
      if (run.input.empty() && run.read_error == net::IoError::reset)
        return run.fail(CheckStatus::socket_error, CheckRun::error_text(run.read_error));
      std::string text;
      if (run.input.empty() && names_step_)
        text = fmt::format("TCPCHK got an empty response at step {}", run.step);
      return run.fail(empty_status_, std::move(text));
    }
    switch (run.receive()) {
      case CheckRun::Read::more:
      case CheckRun::Read::end:
      case CheckRun::Read::failed:
        break;
      case CheckRun::Read::timed_out:
        return run.fail(empty_status_ == CheckStatus::l6_response ? CheckStatus::l6_timeout
                                                                  : CheckStatus::l7_timeout,
                        {});
    }
  }
}

std::shared_ptr<const CheckStep> connect_step() {
  auto step = std::make_shared<ConnectStep>();
  step->implicit = true;
  return step;
}

std::shared_ptr<const CheckStep> send_step(std::string bytes) {
  auto step = std::make_shared<SendStep>();
  step->bytes = std::move(bytes);
  step->implicit = true;
  return step;
}

std::shared_ptr<const CheckStep> judge_step(JudgeStep::Judge judge, CheckStatus empty_status,
                                            bool names_step) {
  return std::make_shared<JudgeStep>(judge, empty_status, names_step);
}

namespace {

std::string_view first_line(std::string_view input) {
  return input.substr(0, input.find_first_of("\r\n"));
}

// The last line of an SMTP reply (RFC 5321 section 4.2.1), or nothing while it is not there.
std::optional<std::string_view> smtp_reply(std::string_view input) {
  while (true) {
    const std::size_t end = input.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = first_line(input.substr(0, end));
    if (line.size() < 4 || line[3] != '-') return line;
    input.remove_prefix(end + 1);
  }
}

std::optional<bool> judge_smtp(CheckRun& run, std::string_view input, bool) {
  const auto line = smtp_reply(input);
  if (!line) return std::nullopt;
  const auto code = base::parse_int<int>(line->substr(0, 3));
  if (!code || (line->size() > 3 && (*line)[3] != ' '))
    return run.fail(CheckStatus::l7_response, std::string(*line));
  const std::string text(line->substr(std::min<std::size_t>(4, line->size())));
  if (*code / 100 != 2) return run.fail(CheckStatus::l7_status, text, *code);
  std::string said = text;
  return run.pass(CheckStatus::l7_ok, std::move(said), *code);
}

std::optional<bool> judge_redis(CheckRun& run, std::string_view input, bool) {
  if (input.starts_with("+PONG\r\n")) return run.pass(CheckStatus::l7_ok, "Redis server is ok");
  if (input[0] != '-' || input.find('\n') == std::string_view::npos) return std::nullopt;
  return run.fail(CheckStatus::l7_status, std::string(first_line(input)));
}

// The payload of the first MySQL packet (length in three bytes, sequence number).
std::optional<std::string_view> mysql_packet(std::string_view input) {
  if (input.size() < 4) return std::nullopt;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(input[i]); };
  const std::size_t length = byte(0) | byte(1) << 8 | byte(2) << 16;
  if (input.size() < 4 + length) return std::nullopt;
  return input.substr(4, length);
}

bool mysql_error(CheckRun& run, std::string_view packet) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(packet[i]); };
  const int code = packet.size() < 3 ? 0 : byte(1) | byte(2) << 8;
  std::string_view text = packet.substr(std::min<std::size_t>(3, packet.size()));
  if (text.starts_with('#') && text.size() > 6) text.remove_prefix(6);  // SQL state
  return run.fail(CheckStatus::l7_status, std::string(text), code);
}

std::optional<bool> judge_mysql_greeting(CheckRun& run, std::string_view input, bool over) {
  const auto packet = mysql_packet(input);
  if (!packet) {
    if (!over) return std::nullopt;
    return run.fail(CheckStatus::l7_response, "MySQL handshake packet too short");
  }
  if (packet->empty())
    return run.fail(CheckStatus::l7_response, "MySQL handshake packet too short");
  if ((*packet)[0] == '\xff') return mysql_error(run, *packet);
  const std::size_t end = packet->find('\0', 1);
  return run.pass(CheckStatus::l7_ok,
                  std::string(packet->substr(1, end == std::string_view::npos ? end : end - 1)));
}

// Behind the greeting, which is still there.
std::optional<bool> judge_mysql_answer(CheckRun& run, std::string_view input, bool over) {
  const auto greeting = mysql_packet(input);
  const auto packet = greeting ? mysql_packet(input.substr(4 + greeting->size())) : std::nullopt;
  if (!packet) {
    if (!over) return std::nullopt;
    return run.fail(CheckStatus::l7_response, {});
  }
  if (!packet->empty() && (*packet)[0] == '\xff') return mysql_error(run, *packet);
  std::string version = run.outcome.text;
  return run.pass(CheckStatus::l7_ok, std::move(version));
}

std::optional<bool> judge_pgsql(CheckRun& run, std::string_view input, bool over) {
  if (input[0] != 'R' && input[0] != 'E')
    return run.fail(CheckStatus::l7_status, "PostgreSQL unknown error");
  if (input.size() < 9) {
    if (!over) return std::nullopt;
    return run.fail(CheckStatus::l7_status, "PostgreSQL unknown error");
  }
  if (input[0] == 'R') return run.pass(CheckStatus::l7_ok, "PostgreSQL server is ok");
  // Fields of one letter and a text; the first is the severity.
  std::string_view fields = input.substr(5);
  fields = fields.substr(0, fields.find('\0'));
  if (!fields.empty() && fields[0] == 'S' && fields.size() > 1 && fields != "SFATAL")
    fields.remove_prefix(1);
  if (fields == "SFATAL") fields.remove_prefix(1);
  return run.fail(CheckStatus::l7_response, std::string(fields));
}

// One BER element of `tag` at `at`; moves `at` into it.
bool enter_ber(std::string_view input, char tag, std::size_t& at) {
  if (at + 2 > input.size() || input[at] != tag) return false;
  const auto length = static_cast<unsigned char>(input[at + 1]);
  at += 2 + (length & 0x80 ? length & 0x7f : 0);
  return at <= input.size();
}

// A bind response (RFC 4511 section 4.2.2): SEQUENCE { INTEGER 1, [APPLICATION 1] { ENUMERATED … }
// }.
std::optional<bool> judge_ldap(CheckRun& run, std::string_view input, bool over) {
  constexpr std::size_t kMost = 6 + 3 + 6 + 3;
  std::size_t at = 0;
  const bool whole = enter_ber(input, '\x30', at);
  if (input[0] != '\x30') return run.fail(CheckStatus::l7_response, "Not LDAPv3 protocol");
  bool good = whole && input.substr(at, 3) == std::string_view("\x02\x01\x01", 3);
  if (good) {
    at += 3;
    good = enter_ber(input, '\x61', at);
  }
  if (good && at + 3 <= input.size() && input.substr(at, 2) == std::string_view("\x0a\x01", 2)) {
    const int code = static_cast<unsigned char>(input[at + 2]);
    if (code == 0) return run.pass(CheckStatus::l7_ok, "Success");
    return run.fail(CheckStatus::l7_status,
                    "See RFC: http://tools.ietf.org/html/rfc4511#section-4.1.9", code);
  }
  if (input.size() < kMost && !over && (good || input.size() < 12)) return std::nullopt;
  return run.fail(CheckStatus::l7_response, "Not LDAPv3 protocol");
}

// SPOP (the reference's doc/SPOE.txt, section 3.2): a varint.
bool spop_varint(std::string_view& in, std::uint64_t& value) {
  if (in.empty()) return false;
  value = static_cast<unsigned char>(in[0]);
  in.remove_prefix(1);
  if (value < 240) return true;
  for (int shift = 4;; shift += 7) {
    if (in.empty() || shift > 60) return false;
    const auto byte = static_cast<unsigned char>(in[0]);
    in.remove_prefix(1);
    value += std::uint64_t{byte} << shift;
    if (byte < 128) return true;
  }
}

bool spop_string(std::string_view& in, std::string_view& out) {
  std::uint64_t length = 0;
  if (!spop_varint(in, length) || length > in.size()) return false;
  out = in.substr(0, length);
  in.remove_prefix(length);
  return true;
}

bool skip_spop_value(std::string_view& in, char type) {
  std::uint64_t number = 0;
  std::string_view text;
  switch (type & 0x0f) {
    case 0:
    case 1:
      return true;  // null, boolean (its value is in the type)
    case 2:
    case 3:
    case 4:
    case 5:
      return spop_varint(in, number);
    case 6:
      in.remove_prefix(std::min<std::size_t>(4, in.size()));
      return true;
    case 7:
      in.remove_prefix(std::min<std::size_t>(16, in.size()));
      return true;
    case 8:
    case 9:
      return spop_string(in, text);
    default:
      return false;
  }
}

// AGENT-HELLO: type 101, FIN, stream and frame 0, then names and values.
std::optional<bool> judge_spop(CheckRun& run, std::string_view input, bool over) {
  const auto invalid = [&] { return run.fail(CheckStatus::l7_response, "invalid frame received"); };
  if (input.size() < 4) return over ? std::optional(invalid()) : std::nullopt;
  std::size_t length = 0;
  for (std::size_t i = 0; i < 4; ++i) length = length << 8 | static_cast<unsigned char>(input[i]);
  if (length < 7 || length > 16384) return invalid();
  if (input.size() < 4 + length) return over ? std::optional(invalid()) : std::nullopt;
  std::string_view frame = input.substr(4, length);
  if (frame[0] != '\x65' || frame.substr(1, 6) != std::string_view("\0\0\0\1\0\0", 6))
    return invalid();
  frame.remove_prefix(7);
  bool supported = false, named = false;
  while (!frame.empty()) {
    std::string_view name, text;
    if (!spop_string(frame, name) || frame.empty()) return invalid();
    const char type = frame[0];
    frame.remove_prefix(1);
    if (name == "version" && (type & 0x0f) == 8) {
      if (!spop_string(frame, text)) return invalid();
      named = true;
      supported = base::trim(text).starts_with("2.");
    } else if (!skip_spop_value(frame, type)) {
      return invalid();
    }
  }
  if (!named) return invalid();
  if (!supported) return run.fail(CheckStatus::l7_response, "unsupported version");
  return run.pass(CheckStatus::l7_ok, "SPOA server is ok");
}

std::optional<bool> judge_ssl_hello(CheckRun& run, std::string_view input, bool) {
  // An alert or a handshake record: it speaks SSL.
  if (input[0] == '\x15' || input[0] == '\x16') return run.pass(CheckStatus::l6_ok, {});
  return run.fail(CheckStatus::l6_response, {});
}

std::string spop_text(std::string_view text) {
  return static_cast<char>(text.size()) + std::string(text);
}

std::string big_endian(std::uint32_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i));
  return out;
}

}  // namespace

Steps smtp_steps(const CheckDraft& draft) {
  const std::string hello =
      draft.dialect.empty() ? "HELO localhost" : draft.dialect + ' ' + draft.user;
  return {connect_step(),         judge_step(judge_smtp), send_step(hello + "\r\n"),
          judge_step(judge_smtp), send_step("QUIT\r\n"),  judge_step(judge_smtp)};
}

Steps redis_steps() {
  return {connect_step(), send_step("*1\r\n$4\r\nPING\r\n"),
          judge_step(judge_redis, CheckStatus::l7_response, true)};
}

Steps mysql_steps(const CheckDraft& draft) {
  if (draft.user.empty()) return {connect_step(), judge_step(judge_mysql_greeting)};
  const std::string user = draft.user + '\0';
  std::string login;
  if (draft.dialect == "pre-41") {
    login = from_hex("0080000001").value() + user + '\0';
  } else {
    // Capabilities: protocol 4.1, secure connection, with post-80 plugin authentication.
    const bool plugin = draft.dialect == "post-80";
    login = from_hex(plugin ? "0082080000800001" : "0082000000800001").value() + '\x21' +
            std::string(23, '\0') + user + '\0';
    if (plugin) login += std::string("mysql_native_password") + '\0';
  }
  std::string packet;
  for (int i = 0; i < 3; ++i) packet += static_cast<char>(login.size() >> (8 * i));
  packet += '\x01' + login;
  // Login and COM_QUIT do not wait for the greeting.
  return {connect_step(), send_step(packet + from_hex("0100000001").value()),
          judge_step(judge_mysql_greeting), judge_step(judge_mysql_answer)};
}

Steps pgsql_steps(const CheckDraft& draft) {
  // Startup message, protocol 3.0.
  std::string body = from_hex("00030000").value() + "user" + '\0' + draft.user + '\0' + '\0';
  return {connect_step(),
          send_step(big_endian(static_cast<std::uint32_t>(body.size() + 4), 4) + body),
          judge_step(judge_pgsql, CheckStatus::l7_status)};
}

Steps ldap_steps() {
  // An anonymous bind, version 3.
  return {connect_step(), send_step(from_hex("300C020101600702010304008000").value()),
          judge_step(judge_ldap)};
}

Steps spop_steps() {
  std::string frame = from_hex("01000000010000").value();  // HAPROXY-HELLO, FIN
  frame += spop_text("supported-versions") + '\x08' + spop_text("2.0");
  frame += spop_text("max-frame-size") + '\x03' + from_hex("FCF006").value();
  frame += spop_text("capabilities") + '\x08' + '\0';
  frame += spop_text("healthcheck") + '\x11';
  return {connect_step(),
          send_step(big_endian(static_cast<std::uint32_t>(frame.size()), 4) + frame),
          judge_step(judge_spop)};
}

Steps ssl_hello_steps() {
  // SSL 3 ClientHello (RFC 6101 section 5.6.1.2): 39 suites, no session, no compression.
  std::string hello =
      from_hex("0300").value() + big_endian(0x4d6f6f6e, 4) + "MOONGATESSLHELLOMOONGATE1234" + '\0';
  hello += big_endian(78, 2);
  for (std::uint32_t suite = 1; suite <= 39; ++suite) hello += big_endian(suite, 2);
  hello += from_hex("0100").value();
  const std::string message =
      '\x01' + big_endian(static_cast<std::uint32_t>(hello.size()), 3) + hello;
  const std::string record = '\x16' + from_hex("0300").value() +
                             big_endian(static_cast<std::uint32_t>(message.size()), 2) + message;
  return {connect_step(), send_step(record),
          judge_step(judge_ssl_hello, CheckStatus::l6_response, true)};
}

}  // namespace upstream

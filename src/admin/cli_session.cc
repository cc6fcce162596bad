#include "admin/cli_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "admin/clock.h"
#include "net/connection.h"
#include "state/registry.h"

namespace admin {
namespace {

constexpr std::size_t kReadSize = 16384;
constexpr std::size_t kFlushSize = 32768;

class SessionRun final : public Output {
 public:
  SessionRun(int fd, const CliSocket& socket, Environment& environment)
      : connection_(fd), environment_(environment) {
    state_.access = socket.access;
    state_.severity = socket.severity;
    state_.timeout_ms = environment.settings.timeout_ms;
  }

  void run() {
    while (!state_.quit) {
      std::optional<std::string> line = read_line(environment_.settings.line_limit);
      if (!line || !run_line(*line) || !flush()) break;
      if (state_.mode == PromptMode::single) break;
    }
    if (flush()) linger();
  }

  bool write(std::string_view text) override {
    out_.append(text);
    return out_.size() < kFlushSize || flush();
  }

  bool wait(std::int64_t ms) override {
    if (!flush()) return false;
    if (input_over_) {
      // Nothing can interrupt it any more, and nobody may be there: only the time counts.
      (void)rt::sleep_for(rt::milliseconds(ms));
      return !rt::cancelled();
    }
    rt::Wait end = connection_.io().wait_readable(rt::now() + rt::milliseconds(ms));
    return end == rt::Wait::timed_out;
  }

 private:
  rt::Instant deadline() const { return rt::deadline(rt::milliseconds(state_.timeout_ms)); }

  bool flush() {
    if (out_.empty()) return !broken_;
    std::string whole = std::exchange(out_, {});
    if (!broken_) broken_ = !connection_.write(whole, deadline()).has_value();
    return !broken_;
  }

  // The client may still be sending: closing at once would reset the connection and could take the
  // answer away.
  void linger() {
    connection_.shutdown_write();
    char sink[4096];
    rt::Instant until = rt::now() + rt::milliseconds(1000);
    while (!input_over_) {
      auto n = connection_.read(sink, until);
      if (!n || *n == 0) return;
    }
  }

  bool fill() {
    if (input_over_) return false;
    std::size_t size = in_.size();
    in_.resize(size + kReadSize);
    auto n = connection_.read({in_.data() + size, kReadSize}, deadline());
    in_.resize(size + (n ? *n : 0));
    if (!n || *n == 0) input_over_ = true;
    return n && *n != 0;
  }

  // A line without its end. Nothing: the input is over, or the line too long. What comes behind the
  // last line feed is no line.
  std::optional<std::string> read_line(std::size_t limit) {
    for (std::size_t looked = 0;;) {
      std::size_t end = in_.find('\n', looked);
      if (end != in_.npos) {
        std::string line = in_.substr(0, end);
        in_.erase(0, end + 1);
        if (!line.empty() && line.back() == '\r') line.pop_back();
        return line;
      }
      looked = in_.size();
      if (in_.size() > limit || !fill()) return std::nullopt;
    }
  }

  // "<<" or "<<END" as the last word of a line announces lines up to an empty one or to "END".
  bool take_payload_mark(std::string& line, std::string& end) {
    std::size_t last = line.find_last_not_of(" \t");
    if (last == line.npos) return false;
    std::size_t word = line.find_last_of(" \t", last);
    word = word == line.npos ? 0 : word + 1;
    std::string_view text = std::string_view(line).substr(word, last + 1 - word);
    if (!text.starts_with("<<") || text.size() > 2 + 64) return false;
    end = text.substr(2);
    line.resize(word);
    return true;
  }

  std::optional<std::string> read_payload(const std::string& end) {
    std::string payload;
    std::size_t limit = environment_.settings.payload_limit;
    for (;;) {
      if (state_.mode == PromptMode::prompt) write("+ ");
      if (!flush()) return std::nullopt;
      std::optional<std::string> line = read_line(limit);
      if (!line) return std::nullopt;
      if (*line == end) return payload;
      payload.append(*line);
      payload.push_back('\n');
      if (payload.size() > limit) return std::nullopt;
    }
  }

  bool run_line(std::string line) {
    std::string end;
    std::optional<std::string> payload;
    if (take_payload_mark(line, end)) {
      payload = read_payload(end);
      if (!payload) return false;
    }
    std::vector<std::string_view> commands = split_commands(line);
    for (std::size_t i = 0; i < commands.size() && !state_.quit; ++i) {
      bool last = i + 1 == commands.size();
      run_command(environment_, state_, *this, commands[i], last && payload ? &*payload : nullptr);
      if (state_.quit) break;
      write("\n");
      if (broken_) return false;
    }
    if (state_.mode == PromptMode::prompt && !state_.quit) write(prompt());
    return true;
  }

  std::string prompt() const {
    if (!state_.timed) return "> ";
    std::int64_t up = (wall_us() / 1000 - environment_.registry.process().start_wall_ms) / 1000;
    return fmt::format("[{}:{:02}:{:02}:{:02}]> ", up / 86400, up / 3600 % 24, up / 60 % 60,
                       up % 60);
  }

  net::Connection connection_;
  Environment& environment_;
  SessionState state_;
  std::string in_, out_;
  bool input_over_ = false, broken_ = false;
};

}  // namespace

void run_session(int fd, const CliSocket& socket, Environment& environment) {
  SessionRun(fd, socket, environment).run();
}

}  // namespace admin

#include "upstream/mailer.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <ctime>

#include "net/connection.h"
#include "rt/fiber.h"
#include "rt/worker.h"
#include "state/mailers.h"
#include "upstream/backend.h"
#include "upstream/health.h"

namespace upstream {

namespace {

constexpr std::size_t kMostWaiting = 1000;  // further ones are told of and dropped

// One mail to one mailer (RFC 5321). All of it has one deadline.
class Delivery {
 public:
  Delivery(const state::EmailAlert& alert, rt::Instant deadline)
      : alert_(alert), deadline_(deadline) {}

  // What went wrong, or nothing.
  std::string run(const net::Address& to, std::string_view message) {
    auto connected = net::connect(to, {}, deadline_);
    if (!connected) return fmt::format("cannot connect: {}", net::describe(connected.error()));
    connection_ = std::move(*connected);
    if (expect("220") && ask(fmt::format("HELO {}\r\n", alert_.host), "250") &&
        ask(fmt::format("MAIL FROM:<{}>\r\n", alert_.from), "250") &&
        ask(fmt::format("RCPT TO:<{}>\r\n", alert_.to), "250") && ask("DATA\r\n", "354") &&
        ask(message, "250")) {
      ask("QUIT\r\n", "221");  // the mail is on its way whatever comes now
      return {};
    }
    return problem_;
  }

 private:
  bool ask(std::string_view command, std::string_view code) {
    if (auto sent = connection_->write(command, deadline_); !sent) {
      problem_ = net::describe(sent.error());
      return false;
    }
    return expect(code);
  }

  // The last line of a reply has a blank behind its code (RFC 5321 section 4.2.1).
  bool expect(std::string_view code) {
    std::string line;
    while (read_line(line)) {
      if (line.size() > 3 && line[3] == '-') continue;
      if (line.starts_with(code)) return true;
      problem_ = line;
      return false;
    }
    return false;
  }

  bool read_line(std::string& line) {
    std::size_t end;
    while ((end = received_.find('\n')) == received_.npos) {
      if (received_.size() > 4096) return fail("a line is too long");
      std::array<char, 512> room;
      auto got = connection_->read(room, deadline_);
      if (!got) return fail(net::describe(got.error()));
      if (*got == 0) return fail("the connection was closed");
      received_.append(room.data(), *got);
    }
    line = received_.substr(0, end);
    if (line.ends_with('\r')) line.pop_back();
    received_.erase(0, end + 1);
    return true;
  }

  bool fail(std::string_view why) {
    problem_ = why;
    return false;
  }

  const state::EmailAlert& alert_;
  rt::Instant deadline_;
  std::unique_ptr<net::Connection> connection_;
  std::string received_, problem_;
};

std::string date(std::int64_t when) {
  const std::time_t seconds = when;
  std::tm parts{};
  localtime_r(&seconds, &parts);
  char text[64];
  return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %T %z (%Z)", &parts)};
}

// Texts of ours have no lines of their own; one that begins with a dot is doubled all the same
// (RFC 5321 section 4.5.2).
std::string message(const state::EmailAlert& alert, std::string_view text, std::int64_t when) {
  return fmt::format(
      "From: {}\r\nTo: {}\r\nDate: {}\r\nSubject: [HAProxy Alert] {}\r\n\r\n{}{}\r\n.\r\n",
      alert.from, alert.to, date(when), text, text.starts_with('.') ? "." : "", text);
}

void complain(const Backend& backend, std::string_view text) {
  obs::report(obs::Level::warning, text);
  log_line(backend, obs::Level::warning, text);
}

}  // namespace

void Mailer::send(const Backend& backend, obs::Level level, std::string text) {
  rt::Runtime* runtime = rt::Runtime::instance();
  const state::EmailAlert* alert = backend.state().email_alert.get();
  if (alert == nullptr || level > alert->level || runtime == nullptr) return;
  for (char& c : text)
    if (c == '\r' || c == '\n') c = ' ';
  const std::int64_t now = std::chrono::duration_cast<std::chrono::seconds>(
                               std::chrono::system_clock::now().time_since_epoch())
                               .count();
  runtime->worker(0).post(
      [this, mail = Mail{&backend, std::move(text), now}]() mutable { queue(std::move(mail)); });
}

void Mailer::queue(Mail mail) {
  if (waiting_.size() >= kMostWaiting) {
    complain(*mail.backend, "Too many email alerts wait; one is dropped.");
    return;
  }
  waiting_.push_back(std::move(mail));
  if (std::exchange(running_, true)) return;
  rt::spawn([this] { run(); });
}

void Mailer::run() {
  while (!waiting_.empty() && !rt::cancelled()) {
    const Mail mail = std::move(waiting_.front());
    waiting_.pop_front();
    const state::EmailAlert& alert = *mail.backend->state().email_alert;
    const std::string text = message(alert, mail.text, mail.when);
    for (const state::Mailer& mailer : alert.mailers->mailers) {
      const rt::milliseconds timeout(alert.mailers->timeout_ms);
      Delivery delivery(alert, rt::now() + timeout);
      const std::string problem = delivery.run(mailer.address, text);
      if (!problem.empty() && !rt::cancelled())
        complain(*mail.backend,
                 fmt::format("Can't send email alert to {}: {}", mailer.name, problem));
    }
  }
  running_ = false;
}

}  // namespace upstream

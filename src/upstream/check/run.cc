#include "upstream/check/run.h"

#include <fmt/format.h>

#include "expr/log_format.h"
#include "state/variable_limits.h"
#include "upstream/check/steps.h"

namespace upstream {

namespace {
constexpr std::size_t kMostInput = 16384;  // tune.bufsize
}

// What samples like res.payload and res.body see of a check.
class CheckRun::Received final : public txn::Channel {
 public:
  explicit Received(CheckRun& run) : run_(run) {}
  std::string_view data() override { return run_.head_parsed ? run_.body : run_.input; }
  bool complete() const override { return run_.over || run_.body_complete; }
  bool full() const override { return run_.input.size() >= kMostInput; }
  rt::Wait wait_more(rt::Instant) override { return rt::Wait::timed_out; }
  bool replace(std::size_t, std::size_t, std::string_view) override { return false; }
  bool forward(std::size_t) override { return false; }
  std::size_t output() const override { return 0; }
  void close() override {}

 private:
  CheckRun& run_;
};

CheckRun::CheckRun(Checker& c)
    : checker(c),
      context{c.server().backend().registry(), exchange.arena},
      received_(std::make_unique<Received>(*this)),
      started_(rt::now()),
      deadline_(started_ + rt::milliseconds(c.probe().inter_ms)) {
  context.session = &session;
  context.exchange = &exchange;
  context.proxy = &checker.server().backend().state();
  context.server = &checker.server().state();
  context.check_variables = &variables;
  context.direction = txn::Direction::response;
  exchange.backend = context.proxy;
  exchange.server = context.server;
  exchange.point = txn::Point::check;
  exchange.response_channel = received_.get();
  if (const auto& format = checker.server().backend().settings.unique_id_format)
    exchange.unique_id = exchange.arena.copy(format->text(context));
}

CheckRun::~CheckRun() {
  state::release_counted(variables);
  if (connection && !clean_close) connection->reset_on_close();
}

rt::Instant CheckRun::connect_deadline() const {
  const BackendSettings& settings = checker.server().backend().settings;
  std::int64_t ms = checker.probe().inter_ms;
  if (settings.check_timeout_ms == 0) return deadline_;
  if (settings.connect_timeout_ms != 0) ms = std::min(ms, settings.connect_timeout_ms);
  return rt::now() + rt::milliseconds(ms);
}

void CheckRun::connected() {
  const std::int64_t ms = checker.server().backend().settings.check_timeout_ms;
  if (ms != 0) deadline_ = rt::now() + rt::milliseconds(ms);
}

CheckRun::Read CheckRun::receive() {
  if (over) return Read::end;
  char bytes[4096];
  const auto got = connection->read(bytes, deadline_);
  if (!got) {
    read_error = got.error();
    if (got.error() == net::IoError::timed_out) return Read::timed_out;
    over = true;
    return Read::failed;
  }
  if (*got == 0) {
    over = true;
    return Read::end;
  }
  input.append(bytes, std::min(*got, kMostInput - std::min(input.size(), kMostInput)));
  if (input.size() >= kMostInput) over = true;
  return Read::more;
}

void CheckRun::share_connection() {
  if (!link || connection == nullptr || !head_parsed || !request_persists) return;
  if (!exchange.response.keep_alive || !read_body(*this) || over || surplus != 0) return;
  link->connection = std::move(connection);
  checker.server().release(std::move(*link));
}

bool CheckRun::send(std::string_view bytes) {
  input.clear();
  if (connection == nullptr) return fail(state::CheckStatus::socket_error, "no connection");
  const auto sent = connection->write(bytes, deadline_);
  if (sent) return true;
  if (sent.error() == net::IoError::timed_out) return fail(state::CheckStatus::l7_timeout, {});
  return fail(state::CheckStatus::socket_error, error_text(sent.error()));
}

bool CheckRun::fail(state::CheckStatus status, std::string text, int code) {
  const bool conditional = status == state::CheckStatus::l7_ok_conditional;
  outcome.verdict =
      conditional ? CheckOutcome::Verdict::conditional : CheckOutcome::Verdict::failed;
  outcome.status = status;
  outcome.text = std::move(text);
  outcome.code = code;
  return false;
}

bool CheckRun::pass(state::CheckStatus status, std::string text, int code) {
  fail(status, std::move(text), code);
  if (outcome.verdict != CheckOutcome::Verdict::conditional)
    outcome.verdict = CheckOutcome::Verdict::passed;
  return true;
}

std::string CheckRun::error_text(net::IoError error) {
  switch (error) {
    case net::IoError::refused:
      return "ECONNREFUSED returned by OS (Connection refused)";
    case net::IoError::reset:
      return "ECONNRESET returned by OS (Connection reset by peer)";
    case net::IoError::unreachable:
      return "General socket error (Network is unreachable)";
    case net::IoError::no_resources:
      return "General socket error (Cannot assign requested address)";
    default:
      return fmt::format("General socket error ({})", net::describe(error));
  }
}

std::string place_of(const CheckRun& run, const CheckStep& step, std::string_view what) {
  if (step.implicit) return {};
  std::string text = fmt::format(" at step {} of tcp-check ({})", run.step, what);
  if (!step.comment.empty()) text += fmt::format(" comment: '{}'", step.comment);
  return text;
}

}  // namespace upstream

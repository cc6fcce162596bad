// wait-for-body, wait-for-handshake, pause: rules that wait (manual section 4.4).
#include "rt/fiber.h"
#include "rules/action/support.h"
#include "rules/action/tables.h"

namespace rules::action {
namespace {

class WaitForBody : public Action {
 public:
  WaitForBody(rt::Duration limit, std::size_t at_least, std::size_t large)
      : limit_(limit), at_least_(at_least), large_(large) {}

  Verdict run(expr::Context& context) override {
    txn::Exchange& exchange = *context.exchange;
    bool request = context.direction == txn::Direction::request;
    txn::Channel* body = request ? exchange.request_channel : exchange.response_channel;
    if (body == nullptr) return Verdict::next;
    rt::Instant deadline = rt::now() + limit_;
    while (!body->complete() && !(body->full() && !body->enlarge(large_))) {
      if (at_least_ != 0 && body->data().size() >= at_least_) break;
      switch (body->wait_more(deadline)) {
        case rt::Wait::ready:
          break;
        case rt::Wait::cancelled:
          return Verdict::close;
        case rt::Wait::timed_out:
          return timed_out(context, request);
      }
    }
    return Verdict::next;
  }

 private:
  static Verdict timed_out(expr::Context& context, bool request) {
    txn::Exchange& exchange = *context.exchange;
    exchange.end = request ? txn::Termination{txn::Cause::client_timeout, txn::Phase::data}
                           : txn::Termination{txn::Cause::server_timeout, txn::Phase::data};
    exchange.reply = error_reply(context, request ? 408 : 504);
    return Verdict::reply;
  }

  rt::Duration limit_;
  std::size_t at_least_;
  std::size_t large_;  // what a full buffer may become; 0: it stays
};

Made parse_body(config::Arguments& args, ParseContext& context, std::string_view word,
                const ActionRow&) {
  Reader in(args, context, word);
  std::int64_t ms = 0;
  std::uint64_t at_least = 0;
  std::size_t large = 0;
  bool timed = false;
  while (in.more()) {
    if (in.accept("time")) {
      auto time = args.time_ms("time");
      if (!time) return nullptr;
      ms = *time;
      timed = true;
    } else if (in.accept("at-least")) {
      auto size = args.size("at-least");
      if (!size) return nullptr;
      at_least = *size;
    } else if (in.accept("use-large-buffer")) {
      large = context.expr.registry.process().large_buffer_size;
      if (large == 0)
        return in.fail_at_previous(
            "unable to use large buffers, 'tune.bufsize.large' global parameter must be set.");
    } else {
      break;
    }
  }
  if (!timed) return in.fail("missing time", "expected 'time <time>'");
  return std::make_unique<WaitForBody>(rt::milliseconds(ms), at_least, large);
}

// Without TLS there is no early data: every handshake is over before a request can come.
class WaitForHandshake : public Action {
 public:
  Verdict run(expr::Context&) override { return Verdict::next; }
};
Made parse_handshake(config::Arguments&, ParseContext&, std::string_view, const ActionRow&) {
  return std::make_unique<WaitForHandshake>();
}

class Pause : public Action {
 public:
  explicit Pause(Number ms) : ms_(std::move(ms)) {}
  Verdict run(expr::Context& context) override {
    std::int64_t ms = 0;
    if (!ms_.get(context, ms) || ms <= 0) return Verdict::next;
    return rt::sleep_for(rt::milliseconds(ms)) == rt::Wait::cancelled ? Verdict::close
                                                                      : Verdict::next;
  }

 private:
  Number ms_;
};
Made parse_pause(config::Arguments& args, ParseContext& context, std::string_view word,
                 const ActionRow&) {
  Reader in(args, context, word);
  if (!in.more()) return in.fail("expects a timeout or an expression");
  Number value;
  if (base::is_digit(in.peek()[0])) {
    auto ms = args.time_ms("pause");
    if (!ms) return nullptr;
    value.fixed = *ms;
  } else {
    value.expression = in.expression();
    if (value.expression == nullptr) return nullptr;
  }
  return std::make_unique<Pause>(std::move(value));
}

// clang-format off
constexpr ActionRow kRows[] = {
    {{"wait-for-body", "time <time> [ at-least <bytes> ] [ use-large-buffer ]",
      "Waits for the body, so many bytes of it, or a full buffer (of tune.bufsize.large)."},
     kHttpRequest | kHttpResponse, parse_body},
    {{"wait-for-handshake", "", "Waits for the end of the handshake."},
     kHttpRequest, parse_handshake},
    {{"pause", "{ <timeout> | <expr> }", "Waits so many milliseconds."},
     kHttpRequest | kHttpResponse, parse_pause},
};
// clang-format on

}  // namespace

std::span<const ActionRow> wait_rows() { return kRows; }

}  // namespace rules::action

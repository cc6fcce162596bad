// Answers that the proxy makes itself: of rules, and for what went wrong.
#include "rules/reply.h"

#include <charconv>

#include "http/errors.h"
#include "proxy/run.h"
#include "proxy/session.h"

namespace proxy {

namespace {

using Shared = std::shared_ptr<const txn::Reply>;

Shared make_builtin(const http::ErrorPage& page) {
  auto reply = std::make_shared<txn::Reply>();
  reply->status = page.status;
  reply->reason = page.reason;
  reply->headers = {{"cache-control", "no-cache"}, {"content-type", "text/html"}};
  reply->body = page.body;
  reply->is_error = true;
  reply->close = page.close;
  return reply;
}

Shared builtin(std::uint16_t status) {
  static const std::map<std::uint16_t, Shared> pages = [] {
    std::map<std::uint16_t, Shared> made;
    for (unsigned s = 200; s < 600; ++s)
      if (const http::ErrorPage* page = http::error_page(s))
        made[static_cast<std::uint16_t>(s)] = make_builtin(*page);
    return made;
  }();
  auto found = pages.find(status);
  return found != pages.end() ? found->second : pages.at(500);
}

Shared configured(const Proxy* of, std::uint16_t status, expr::Context context) {
  if (of == nullptr) return nullptr;
  if (auto found = of->errors.made.find(status); found != of->errors.made.end())
    return found->second->make(context);
  auto found = of->errors.by_status.find(status);
  return found == of->errors.by_status.end() ? nullptr : found->second;
}

}  // namespace

Shared Run::error_reply(const state::Proxy* proxy, std::uint16_t status) {
  if (Shared own =
          configured(config_->of(proxy), status, context(*frontend_, txn::Direction::request)))
    return own;
  if (proxy != frontend_->state)
    if (Shared own = configured(frontend_, status, context(*frontend_, txn::Direction::request)))
      return own;
  auto found = config_->errors.by_status.find(status);
  return found != config_->errors.by_status.end() ? found->second : builtin(status);
}

// The exchange ends by `cause` in `phase`; the client is told by `status`.
Step Run::fail(txn::Cause cause, txn::Phase phase, std::uint16_t status) {
  txn::Exchange& e = x();
  if (!e.end || cause != txn::Cause::none) e.end = {cause, phase};
  drop_server(false);
  const Proxy& of = backend_ != nullptr ? *backend_ : *frontend_;
  if (obs::trace::on()) [[unlikely]]
    trace_failure(status);
  return answer(*error_reply(of.state, status));
}

Step Run::answer(const txn::Reply& reply) {
  if (!x().is_http) return Step::closed;
  if (response_started_ || client_out_.broken()) return Step::closed;
  drop_server(false);
  if (reply.raw) return answer_raw(reply);
  txn::Exchange& e = x();
  e.answered_here = true;
  http::ResponseHead& head = e.response;
  head.clear();
  head.status = reply.status;
  head.reason =
      reply.reason.empty() ? http::reason_phrase(reply.status) : std::string_view(reply.reason);
  head.framing = http::Framing::length;
  head.content_length = reply.body.size();
  const auto add_length = [&] {
    char* const digits = reply_length_.data();
    const char* end = std::to_chars(digits, digits + reply_length_.size(), reply.body.size()).ptr;
    head.headers.add_parsed({"content-length",
                             {digits, static_cast<std::size_t>(end - digits)},
                             http::HeaderId::content_length});
  };
  if (reply.body.empty()) {
    for (const auto& [name, value] : reply.headers) head.headers.add(name, value, e.arena);
    // As the reference, 204 and 304 included.
    if (reply.status / 100 == 3 && reply.status != 304)
      head.headers.insert_at(0, {"content-length", "0", http::HeaderId::content_length});
    else
      add_length();
  } else {
    add_length();
    for (const auto& [name, value] : reply.headers) head.headers.add(name, value, e.arena);
  }
  if (reply.close) keep_alive_ = false;
  return send_reply(reply.body);
}

// An errorfile: a whole message as its author wrote it.
Step Run::answer_raw(const txn::Reply& reply) {
  txn::Exchange& e = x();
  const std::string_view bytes = e.arena.copy(reply.body);
  std::size_t consumed = 0;
  http::ParseError error;
  const http::Parse parse = http::parse_response_head(
      {const_cast<char*>(bytes.data()), bytes.size()},
      {.max_head = bytes.size() + 1, .max_headers = 1000, .accept_unsafe = true}, http::Method::get,
      e.response, consumed, error);
  if (parse != http::Parse::complete) {
    client_out_.send(reply.body);
    keep_alive_ = false;
    response_started_ = is_reply_ = true;
    return Step::answered;
  }
  const std::string_view body = bytes.substr(consumed);
  http::ResponseHead& head = e.response;
  if (!head.keep_alive && head.framing != http::Framing::until_close) keep_alive_ = false;
  if (head.framing == http::Framing::until_close && head.status != 204) {
    char digits[20];
    auto [end, failed] = std::to_chars(digits, digits + sizeof digits, body.size());
    head.headers.insert_at(
        0, {"content-length", e.arena.copy({digits, static_cast<std::size_t>(end - digits)}),
            http::HeaderId::content_length});
    head.framing = http::Framing::length;
  }
  head.version = {1, 1};
  head.version_text = {};
  return send_reply(body);
}

// The head is in the exchange: after-response rules, the connection's fate, out.
Step Run::send_reply(std::string_view body) {
  txn::Exchange& e = x();
  e.response_valid = true;
  is_reply_ = true;
  if (e.times.response_start == rt::kNever && e.end.cause == txn::Cause::none)
    e.times.response_start = rt::now();
  if (!handling_after_rules_) {
    handling_after_rules_ = true;
    reply_body_ = body;
    const Step step = after_response_rules();
    reply_body_ = {};
    handling_after_rules_ = false;
    if (step != Step::go_on) {
      handling_after_rules_ = true;
      const Step last = fail(txn::Cause::internal, txn::Phase::headers, 500);
      handling_after_rules_ = false;
      return last;
    }
  }
  finish_response_head(e.response, true);
  if (asked_for_head() || e.response.status == 204 || e.response.status == 304) body = {};
  const std::span<char> room = wire::scratch();
  std::string large;
  std::string_view head;
  {
    const CaseAdjusted written(e.response.headers,
                               config_->cases_for(*frontend_, Option::h1_case_adjust_bogus_client));
    head = {room.data(), http::write_response_head(e.response, room)};
    if (head.size() > room.size()) {
      http::write_response_head(e.response, large);
      head = large;
    }
  }
  e.response_body_bytes += body.size();
  response_started_ = true;
  count_status();
  if (obs::trace::on()) [[unlikely]]
    trace_response_out(true);
  if (!client_out_.send_body(head, body, false, true, nullptr, close_follows()))
    return Step::closed;
  const rt::Duration timeout = client_timeout();
  touch_client();
  if (client_out_.blocked() &&
      !flush_client(timeout == rt::kForever ? rt::kNever : rt::now() + timeout))
    return Step::closed;
  return Step::answered;
}

}  // namespace proxy

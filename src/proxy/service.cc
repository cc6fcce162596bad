// Services that answer in place of a server: scripts, the statistics page. They run in the
// exchange's fiber and use the client's connection through ServiceIo.
#include <algorithm>
#include <optional>

#include "base/text.h"
#include "proxy/filters.h"
#include "proxy/run.h"
#include "proxy/session.h"
#include "proxy/tracing.h"

namespace proxy {

class RunService final : public txn::ServiceIo {
 public:
  explicit RunService(Run& run) : run_(run) {}

  std::string_view receive(std::size_t at_most, rt::Instant deadline) override;
  bool receive_over() const override;
  bool start(const http::ResponseHead& head) override;
  bool send(std::string_view bytes) override;
  bool finished_sending() const override { return run_.client_out_.broken(); }

  bool started() const { return started_; }
  // What a rule made of the response instead.
  Step replaced() const { return replaced_; }
  // The end of the response; false when it could not be completed.
  bool finish();

 private:
  Step pass_rules();
  void choose_framing(http::ResponseHead& out);
  bool push(std::string_view bytes, bool last);
  rt::Instant client_deadline() const;

  Run& run_;
  bool started_ = false;
  Step replaced_ = Step::go_on;
  bool with_body_ = true;
  std::uint64_t left_ = 0;      // of a content-length
  std::size_t handed_out_ = 0;  // consumed with the next call
};

rt::Instant RunService::client_deadline() const {
  const rt::Duration timeout = run_.client_timeout();
  return timeout == rt::kForever ? rt::kNever : rt::now() + timeout;
}

std::string_view RunService::receive(std::size_t at_most, rt::Instant deadline) {
  if (run_.filtered(txn::Direction::request)) {
    std::string_view here =
        run_.receive_filtered(std::exchange(handed_out_, 0), std::min(deadline, client_deadline()));
    here = here.substr(0, at_most);
    handed_out_ = here.size();
    return here;
  }
  BodyChannel& body = run_.request_body_;
  run_.client_in_.consume(std::exchange(handed_out_, 0));
  std::string_view here = body.data();
  while (here.empty() && !body.complete()) {
    const rt::Wait how = body.wait_more(std::min(deadline, client_deadline()));
    here = body.data();
    if (how != rt::Wait::ready) break;
  }
  if (here.size() > at_most) here = here.substr(0, at_most);
  handed_out_ = here.size();
  run_.x().request_body_bytes += here.size();
  return here;
}

bool RunService::receive_over() const {
  if (run_.filtered(txn::Direction::request)) {
    const Filters& filters = *run_.filters_;
    return filters.lane(txn::Direction::request).over() &&
           filters.passed(txn::Direction::request).size() == handed_out_;
  }
  const wire::Input& in = run_.client_in_;
  return (in.all_here() || in.at_end()) && in.payload().size() == handed_out_;
}

bool RunService::start(const http::ResponseHead& head) {
  txn::Exchange& e = run_.x();
  if (run_.response_started_) return false;
  e.response.clear();
  e.response.version = head.version;
  e.response.status = head.status;
  e.response.reason =
      head.reason.empty() ? http::reason_phrase(head.status) : e.arena.copy(head.reason);
  for (const http::Field& f : head.headers)
    e.response.headers.add_parsed({e.arena.copy(f.name), e.arena.copy(f.value), f.id});
  http::ResponseHead& out = e.response;
  e.response_valid = true;
  e.times.response_start = rt::now();
  run_.is_reply_ = true;
  if (replaced_ = pass_rules(); replaced_ != Step::go_on) return false;
  run_.finish_response_head(out, true);
  {
    const CaseAdjusted written(
        out.headers, run_.config_->cases_for(*run_.frontend_, Option::h1_case_adjust_bogus_client));
    // The head waits for the first bytes of the body, to go in one packet.
    http::write_response_head(out, run_.service_head_);
  }
  run_.response_started_ = started_ = true;
  run_.count_status();
  return true;
}

// A service's response is a response: rules and filters see it as they see a server's.
Step RunService::pass_rules() {
  Step step = run_.start_response_filters();
  if (step == Step::go_on) step = run_.http_response_rules();
  if (step != Step::go_on) return step;
  http::ResponseHead& out = run_.x().response;
  const http::Field* connection = out.headers.find(http::HeaderId::connection);
  if (connection != nullptr && base::iequals(connection->value, "close")) run_.keep_alive_ = false;
  choose_framing(out);
  step = run_.after_response_rules();
  return step == Step::go_on ? run_.filter_service_head() : step;
}

void RunService::choose_framing(http::ResponseHead& out) {
  const txn::Exchange& e = run_.x();
  with_body_ =
      !run_.asked_for_head() && out.status >= 200 && out.status != 204 && out.status != 304;
  run_.body_hidden_ = !with_body_;
  // Chunks win over a length (RFC 9112 section 6.3).
  const bool chunks = out.headers.find(http::HeaderId::transfer_encoding) != nullptr;
  const http::Field* length = out.headers.find(http::HeaderId::content_length);
  const auto bytes =
      length == nullptr || chunks ? std::nullopt : base::parse_int<std::uint64_t>(length->value);
  const bool modern = e.request.version.major > 1 || e.request.version.minor >= 1;
  if (bytes) {
    out.framing = http::Framing::length;
    left_ = out.content_length = *bytes;
  } else if (out.status >= 200 && out.status != 204 && out.status != 304) {
    out.headers.remove(http::HeaderId::content_length);
    out.headers.remove(http::HeaderId::transfer_encoding);
    out.framing = modern ? http::Framing::chunked : http::Framing::until_close;
    if (modern)
      out.headers.add_parsed({"transfer-encoding", "chunked", http::HeaderId::transfer_encoding});
  }
}

bool RunService::push(std::string_view bytes, bool last) {
  txn::Exchange& e = run_.x();
  const bool chunked = run_.response_chunked_ && with_body_;
  if (run_.filtered(txn::Direction::response)) {
    const std::string head = std::exchange(run_.service_head_, {});
    e.response_body_bytes += bytes.size();
    return run_.send_through_filters(head, bytes, last, client_deadline());
  }
  const bool sent = run_.client_out_.send_body(run_.service_head_, bytes, chunked, last);
  run_.service_head_.clear();
  if (!sent) return false;
  e.response_body_bytes += bytes.size();
  return run_.flush_client(client_deadline());
}

bool RunService::send(std::string_view bytes) {
  if (!run_.x().is_http) {
    run_.x().response_body_bytes += bytes.size();
    if (run_.filtered(txn::Direction::response))
      return run_.send_through_filters({}, bytes, false, client_deadline());
    return run_.client_out_.send(bytes) && run_.flush_client(client_deadline());
  }
  if (!started_) return false;
  if (!with_body_) return !run_.client_out_.broken();
  if (run_.x().response.framing == http::Framing::length &&
      !run_.filtered(txn::Direction::response)) {
    bytes = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size())));
    left_ -= bytes.size();
  }
  return bytes.empty() || push(bytes, false);
}

bool RunService::finish() {
  if (run_.filtered(txn::Direction::request))
    run_.filters_->left(txn::Direction::request, std::exchange(handed_out_, 0));
  else
    run_.client_in_.consume(std::exchange(handed_out_, 0));
  if (!run_.x().is_http) return true;
  const bool filtered = run_.filtered(txn::Direction::response);
  if (!push({}, with_body_ || filtered)) return false;
  run_.response_done_ = true;
  return filtered || run_.x().response.framing != http::Framing::length || left_ == 0 ||
         !with_body_;
}

Step Run::run_service() {
  txn::Exchange& e = x();
  RunService io(*this);
  service_head_.clear();
  service_ran_ = true;
  // It is its own server: nothing is waited for.
  e.times.queued = e.times.dequeued = e.times.connected = rt::now();
  if (filters_ != nullptr)
    if (Step step = prepare_filtered_service(); step != Step::go_on) return step;
  if (e.is_http && !request_body_.complete()) send_continue();
  const bool traced = obs::trace::on();
  if (traced)
    trace_service(obs::trace::applet::app_new | obs::trace::applet::app_start, TraceLevel::state,
                  "starting service");
  const bool fine = e.service->run(e, io);
  e.service.reset();
  if (traced && !fine)
    trace_service(obs::trace::applet::app_err, TraceLevel::error, "failed service");
  if (traced) trace_service(obs::trace::applet::app_free, TraceLevel::state, "end of service");
  if (!e.is_http) return Step::closed;
  if (io.replaced() != Step::go_on) return io.replaced();
  if (!io.started()) {
    e.times.response_start = rt::now();
    frontend_->state->frontend.mine().internal_errors.add(fine ? 0 : 1);
    const Step step = fail(txn::Cause::local, txn::Phase::request, 500);
    e.answered_here = false;  // what a service sends counts, its error page too
    return step;
  }
  const bool finished = io.finish();
  if (obs::trace::on()) [[unlikely]]
    trace_response_out(finished);
  if (!finished || !fine) {
    e.end = {client_out_.broken() ? txn::Cause::client : txn::Cause::proxy, txn::Phase::data};
    return Step::closed;
  }
  return Step::answered;
}

}  // namespace proxy

// Rulesets on behalf of an exchange: verdicts become steps.
#include "base/text.h"
#include "proxy/hooks.h"
#include "proxy/run.h"
#include "proxy/session.h"
#include "proxy/tracing.h"

namespace proxy {

namespace {

void default_end(txn::Exchange& e, txn::Cause cause, txn::Phase phase) {
  if (!e.end) e.end = {cause, phase};
}

}  // namespace

Step Run::run_http_rules(const Proxy& of) {
  if (!of.http_request.empty()) {
    expr::Context ctx = context(of, txn::Direction::request);
    x().strict_rewrite = true;
    const rules::Verdict verdict = of.http_request.run(ctx);
    Step step = request_verdict(verdict, of);
    if (step != Step::go_on) return step;
  }
  if (of.stats.enabled) {
    Step step = stats_page(of);
    if (step != Step::go_on) return step;
  }
  return Step::go_on;
}

Step Run::request_verdict(rules::Verdict verdict, const Proxy& of) {
  txn::Exchange& e = x();
  state::ProxyCounters& counters =
      &of == frontend_ ? of.state->frontend.mine() : of.state->backend.mine();
  switch (verdict) {
    case rules::Verdict::next:
    case rules::Verdict::stop:
    case rules::Verdict::incomplete:
      return Step::go_on;
    case rules::Verdict::reply:
      counters.intercepted.add();
      default_end(e, txn::Cause::local, txn::Phase::request);
      return answer(*e.reply);
    case rules::Verdict::service:
      counters.intercepted.add();
      default_end(e, txn::Cause::local, txn::Phase::request);
      return run_service();
    case rules::Verdict::deny: {
      count_tracked(state::StickEvent::error);
      if (e.tarpit) return tarpit();
      counters.denied_requests.add();
      default_end(e, txn::Cause::proxy, txn::Phase::request);
      if (e.reply == nullptr) e.reply = error_reply(of.state, 403);
      return answer(*e.reply);
    }
    case rules::Verdict::close:
      counters.denied_requests.add();
      default_end(e, txn::Cause::proxy, txn::Phase::request);
      abrupt_ = true;
      return Step::closed;
    case rules::Verdict::error:
      counters.internal_errors.add();
      return fail(txn::Cause::internal, txn::Phase::request, 500);
    case rules::Verdict::invalid:
      counters.failed_requests.add();
      return fail(e.end ? e.end.cause : txn::Cause::proxy, txn::Phase::request, 400);
  }
  return Step::go_on;
}

Step Run::response_verdict(rules::Verdict verdict, const Proxy& of) {
  txn::Exchange& e = x();
  state::ProxyCounters& counters = of.state->backend.mine();
  switch (verdict) {
    case rules::Verdict::next:
    case rules::Verdict::stop:
    case rules::Verdict::incomplete:
    case rules::Verdict::service:
      return Step::go_on;
    case rules::Verdict::reply:
      default_end(e, txn::Cause::local, txn::Phase::headers);
      server_keep_alive_ = false;
      return answer(*e.reply);
    case rules::Verdict::deny:
      counters.denied_responses.add();
      if (slot_) slot_.server()->state().counters.mine().denied_responses.add();
      default_end(e, txn::Cause::proxy, txn::Phase::headers);
      server_keep_alive_ = false;
      if (e.reply == nullptr) e.reply = error_reply(of.state, 502);
      return answer(*e.reply);
    case rules::Verdict::close:
      counters.denied_responses.add();
      default_end(e, txn::Cause::proxy, txn::Phase::headers);
      server_keep_alive_ = false;
      abrupt_ = true;
      return Step::closed;
    case rules::Verdict::error:
      counters.internal_errors.add();
      server_keep_alive_ = false;
      return fail(txn::Cause::internal, txn::Phase::headers, 500);
    case rules::Verdict::invalid:
      counters.failed_responses.add();
      server_keep_alive_ = false;
      return fail(txn::Cause::proxy, txn::Phase::headers, 502);
  }
  return Step::go_on;
}

// Runs content rules until they need no more bytes or time is up (tcp-request inspect-delay).
rules::Verdict Run::run_content(const rules::Ruleset& rules, expr::Context& ctx,
                                rt::Instant deadline, BodyChannel& channel) {
  std::size_t from = 0;
  while (true) {
    ctx.incomplete = false;
    ctx.final = channel.complete() || channel.full() || rt::now() >= deadline;
    const rules::Verdict verdict = rules.run(ctx, from);
    if (verdict != rules::Verdict::incomplete || ctx.final) return verdict;
    if (channel.wait_more(deadline) == rt::Wait::cancelled) return rules::Verdict::close;
  }
}

Step Run::content_rules(const rules::Ruleset& rules, const Proxy& of, rt::Duration delay,
                        txn::Direction direction) {
  const bool request = direction == txn::Direction::request;
  if (obs::trace::on()) [[unlikely]]
    trace_stream(obs::trace::stream::tcp_ana | obs::trace::stream::strm_ana, TraceLevel::state,
                 "content rules");
  expr::Context ctx = context(of, direction);
  const rt::Instant deadline = delay == rt::kForever ? rt::kNever : rt::now() + delay;
  const rules::Verdict verdict =
      run_content(rules, ctx, deadline, request ? request_body_ : response_body_);
  return request ? request_verdict(verdict, of) : response_verdict(verdict, of);
}

// Holds the client for a while before it is refused.
Step Run::tarpit() {
  txn::Exchange& e = x();
  const Timeouts& t = (backend_ != nullptr ? backend_ : frontend_)->timeouts;
  rt::Duration hold = t.tarpit != rt::kForever ? t.tarpit : t.connect;
  if (e.tarpit_timeout_ms >= 0) hold = rt::milliseconds(e.tarpit_timeout_ms);
  const rt::Instant deadline = hold == rt::kForever ? rt::kNever : rt::now() + hold;
  e.times.queued = e.times.request_done;
  bool gone = false;
  while (!gone && rt::now() < deadline) {
    if (wait(deadline) == rt::Wait::cancelled) return Step::closed;
    const rt::Descriptor& io = session_->connection->io();
    gone = io.hung_up() || io.failed();
  }
  e.times.dequeued = rt::now();
  e.times.request_done = rt::kNever;
  frontend_->state->frontend.mine().denied_requests.add();
  e.end = {gone ? txn::Cause::client : txn::Cause::proxy, txn::Phase::tarpit};
  if (e.reply == nullptr) e.reply = error_reply(frontend_->state, 500);
  keep_alive_ = keep_alive_ && !gone;
  return answer(*e.reply);
}

// The statistics page of "stats enable", where the target begins with its address.
Step Run::stats_page(const Proxy& of) {
  txn::Exchange& e = x();
  if (stats_factory() == nullptr || !e.request.target.starts_with(of.stats.uri)) return Step::go_on;
  if (!of.stats.rules.empty()) {
    expr::Context ctx = context(of, txn::Direction::request);
    Step step = request_verdict(of.stats.rules.run(ctx), of);
    if (step != Step::go_on) return step;
  }
  std::unique_ptr<txn::ServiceRun> page = stats_factory()(of, e);
  if (page == nullptr) return Step::go_on;
  e.service = std::move(page);
  if (e.service_name.empty()) e.service_name = "<STATS>";
  (&of == frontend_ ? of.state->frontend : of.state->backend).mine().intercepted.add();
  e.end = {txn::Cause::local, txn::Phase::request};
  return run_service();
}

}  // namespace proxy

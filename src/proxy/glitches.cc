// Messages that are wrong, forgiven or not: counted for their connection, which ends once there
// were too many (tune.h1.fe.glitches-threshold, tune.h1.be.glitches-threshold).
#include "proxy/run.h"
#include "proxy/session.h"
#include "rt/watchdog.h"
#include "txn/tracking.h"

namespace proxy {

namespace {

// Where a connection ends as it would anyway, before its threshold: at three quarters of it, halves
// counting as reached.
bool weary(std::uint32_t glitches, std::uint32_t threshold) {
  return threshold != 0 && std::uint64_t{glitches} * 4 + 2 >= std::uint64_t{threshold} * 3;
}

http::ParseLimits forgiving(http::ParseLimits limits) {
  limits.accept_unsafe = true;
  return limits;
}

}  // namespace

// What needs forgiveness is what is refused without it, so that good heads are parsed once.
http::Parse Run::parse_request(const http::ParseLimits& limits, http::ParseError& error,
                               bool& forgiven) {
  const http::Parse strict = client_in_.parse(limits, x().request, error);
  if (strict != http::Parse::error || !frontend_->options.has(Option::accept_unsafe_request))
    return strict;
  error = {};
  const http::Parse loose = client_in_.parse(forgiving(limits), x().request, error);
  forgiven = loose == http::Parse::complete;
  return loose;
}

http::Parse Run::parse_response(const http::ParseLimits& limits) {
  txn::Exchange& e = x();
  const http::Parse strict = server_in_.parse(limits, e.request.method, e.response, body_error_);
  if (strict != http::Parse::error || !backend_->options.has(Option::accept_unsafe_response))
    return strict;
  body_error_ = {};
  const http::Parse loose =
      server_in_.parse(forgiving(limits), e.request.method, e.response, body_error_);
  if (loose == http::Parse::complete) ++link_.connection->glitches;
  return loose;
}

bool Run::decode_request() {
  const bool known = body_error_.what[0] != '\0';
  if (client_in_.decode(body_error_)) return true;
  if (!known) client_glitched();
  return false;
}

// True: the connection has to end at once.
bool Run::client_glitched() {
  const std::uint32_t glitches = ++session_->connection->glitches;
  const GlitchLimits& limits = config_->glitches;
  txn::count_tracked(session_->facts, nullptr, state::StickEvent::glitch);
  if (!weary(glitches, limits.client)) return false;
  keep_alive_ = false;
  return glitches >= limits.client && rt::worker_load() >= limits.load;
}

bool Run::server_glitched() const {
  return weary(link_.connection->glitches, config_->glitches.server);
}

Step Run::refuse_silently() {
  keep_alive_ = false;
  x().end = {txn::Cause::proxy, txn::Phase::request};
  return Step::closed;
}

}  // namespace proxy

#include "proxy/run.h"

namespace proxy {

wire::Input& BodyChannel::in() const {
  return direction_ == txn::Direction::request ? run_.client_in_ : run_.server_in_;
}

std::string_view BodyChannel::data() {
  decode();
  return in().payload();
}

void BodyChannel::decode() {
  if (direction_ == txn::Direction::request)
    run_.decode_request();
  else
    in().decode(run_.body_error_);
}

bool BodyChannel::complete() const {
  return in().all_here() || in().at_end() || run_.body_error_.what[0] != '\0';
}

bool BodyChannel::full() const { return in().full(); }

bool BodyChannel::enlarge(std::size_t size) { return in().enlarge(size); }

bool BodyChannel::whole() const {
  return in().all_here() && in().framing() != http::Framing::until_close;
}

const http::Headers* BodyChannel::trailers() const {
  return in().framing() == http::Framing::chunked && in().all_here() ? &in().trailers() : nullptr;
}

rt::Wait BodyChannel::wait_more(rt::Instant deadline) {
  if (direction_ == txn::Direction::request) run_.send_continue();
  const std::size_t before = in().payload().size();
  while (!complete() && !full()) {
    const wire::Fill fill = in().fill();
    if (fill == wire::Fill::some || fill == wire::Fill::end) {
      decode();
      if (in().payload().size() > before || complete()) return rt::Wait::ready;
      continue;
    }
    if (fill != wire::Fill::nothing) return rt::Wait::ready;
    if (rt::now() >= deadline) return rt::Wait::timed_out;
    const rt::Wait how = run_.wait(deadline);
    if (how != rt::Wait::ready) return how;
  }
  return rt::Wait::ready;
}

bool BodyChannel::replace(std::size_t offset, std::size_t length, std::string_view with) {
  if (offset + length > in().payload().size()) return false;
  edited = true;
  return in().replace(offset, length, with);
}

bool BodyChannel::forward(std::size_t n) {
  const std::string_view payload = in().payload();
  n = std::min(n, payload.size());
  const bool request = direction_ == txn::Direction::request;
  wire::Output& out = request ? run_.server_out_ : run_.client_out_;
  if (run_.x().is_http || out.connection() == nullptr) return false;
  out.send(payload.substr(0, n));
  in().consume(n);
  return true;
}

std::size_t BodyChannel::output() const {
  const wire::Output& out =
      direction_ == txn::Direction::request ? run_.server_out_ : run_.client_out_;
  return out.kept();
}

void BodyChannel::close() {
  const bool request = direction_ == txn::Direction::request;
  wire::Output& out = request ? run_.server_out_ : run_.client_out_;
  in().consume(in().payload().size());
  if (out.connection() != nullptr) out.connection()->shutdown_write();
}

}  // namespace proxy

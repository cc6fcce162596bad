// The life of a TCP connection: rules while bytes can still be looked at, a server, then a relay.
#include "proxy/filters.h"
#include "proxy/run.h"
#include "proxy/session.h"

namespace proxy {

After Run::live_tcp() {
  begin(false);
  x().point = txn::Point::request_content;
  client_in_.begin_body(http::Framing::until_close, 0);
  log_step(txn::LogOrigin::accept);
  Step step = attach_filters(*frontend_);
  if (step == Step::go_on) step = tcp_request_rules(*frontend_);
  if (step == Step::go_on && x().is_http) step = become_http();
  if (step == Step::go_on) step = choose_backend();  // an HTTP one makes it HTTP as well
  if (x().is_http) return go_on_to_backend(step);
  if (step == Step::go_on && backend_ != frontend_) step = attach_filters(*backend_);
  if (step == Step::go_on && backend_ != frontend_) step = tcp_request_rules(*backend_);
  if (step == Step::go_on) stick_to_server();
  while (step == Step::go_on) {
    step = pick_server();
    if (step == Step::go_on) step = connect_server();
    if (step == Step::go_on) break;
    if (step == Step::again) step = Step::go_on;
  }
  if (step == Step::go_on) step = tcp_response_rules();
  if (step == Step::go_on) learn_server();
  if (step == Step::go_on) {
    response_started_ = true;
    return start_tunnel();
  }
  keep_alive_ = false;
  end_exchange();
  return After::linger;
}

// What the client has sent is a request (manual, section 4, "HTTP upgrades"); the connection keeps
// to HTTP from here on.
Step Run::become_http() {
  upgraded_ = true;
  x().is_http = session_->is_http = true;
  client_in_.take_back();
  const Step step = receive_head();
  return step == Step::go_on ? frontend_http_rules() : step;
}

Step Run::tcp_request_rules(const Proxy& of) {
  if (of.tcp_request.empty()) return Step::go_on;
  return content_rules(of.tcp_request, of, of.inspect_delay, txn::Direction::request);
}

// The server may wait for the client's first bytes: those go before its own are looked at.
Step Run::tcp_response_rules() {
  server_in_.begin_body(http::Framing::until_close, 0);
  if (Step step = start_response_filters(); step != Step::go_on) return step;
  if (backend_->tcp_response.empty()) return Step::go_on;
  if (filters_ != nullptr && filters_->engage(txn::Direction::request)) {
    if (move_filtered(txn::Direction::request) > Moved::some) return Step::closed;
  } else {
    const std::string_view first = client_in_.payload();
    if (!first.empty() && !server_out_.send(first)) return Step::closed;
    client_in_.consume(first.size());
  }
  x().response_channel = &response_body_;
  x().point = txn::Point::response_content;
  return content_rules(backend_->tcp_response, *backend_, backend_->response_inspect_delay,
                       txn::Direction::response);
}

}  // namespace proxy

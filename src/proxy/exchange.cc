// The life of an HTTP request. Each step is a plain call that may wait; its file is named where
// run.h declares it. A Lua action anywhere in it is one of those calls.
#include "proxy/run.h"
#include "proxy/session.h"

namespace proxy {

After Run::live() {
  begin(true);
  Step step = receive_head();                        // parse; 400 408 414 431 answered here
  if (step == Step::go_on) step = frontend_rules();  // tcp-request content, http-request
  return go_on(step);
}

// For a TCP connection that has become one of HTTP.
After Run::go_on_to_backend(Step step) { return go_on(step); }

// Parts of live(): see Run::wait().
[[gnu::always_inline]] inline After Run::go_on(Step step) {
  if (step == Step::go_on) step = choose_backend();    // use_backend, default_backend
  if (step == Step::go_on) step = backend_rules();     // the same rules of the backend
  if (step == Step::go_on) step = prepare_request();   // forwardfor, unique id, persistence cookie
  if (step == Step::go_on) step = reach_server();      // see below
  if (step == Step::go_on) step = process_response();  // tcp-response, http-response rules
  if (step == Step::go_on) step = send_response_head();  // http-after-response, then to the client
  if (step == Step::go_on) step = relay_bodies();        // both ways at once
  if (step == Step::tunnel) return start_tunnel();       // ends with end_exchange() as well
  if (step != Step::answered) keep_alive_ = false;
  end_exchange();  // server back to its pool, counters, log
  return after_response();
}

// A retry comes back to the top of the loop with the request still in hand.
[[gnu::always_inline]] inline Step Run::reach_server() {
  while (true) {
    Step step = pick_server();                             // stickiness, use-server, balance, queue
    if (step == Step::go_on) step = redirect_to_server();  // where it has "redir"
    if (step == Step::go_on) step = connect_server();      // pooled or new
    if (step == Step::again) continue;
    if (step != Step::go_on) return step;

    send_request();
    if (obs::trace::on()) [[unlikely]]
      trace_request_out();
    Outcome outcome = await_response();  // the request's body goes on meanwhile
    if (retry_after(outcome)) continue;
    return outcome == Outcome::head ? Step::go_on : response_missing(outcome);
  }
}

}  // namespace proxy

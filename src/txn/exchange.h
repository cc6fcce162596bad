// One request and its response, or one TCP connection, while it is under way: the nouns that rules,
// samples, scripts and the log share. Data without behaviour, except for the two interfaces through
// which they reach bytes that are still on the wire. Owned by the fiber that runs it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "http/message.h"
#include "rt/cost.h"
#include "rt/fiber.h"
#include "state/proxy.h"
#include "state/variables.h"
#include "txn/client_error.h"
#include "txn/log_origin.h"
#include "txn/session.h"
#include "txn/termination.h"

namespace expr {
struct LogProfile;
}

namespace txn {

enum class Direction : std::uint8_t { request, response };

// Bytes of one direction that have arrived and not been forwarded. For HTTP it is the decoded body,
// for TCP the stream. Rules look at it, scripts (Channel, HTTPMessage) edit it; a fetch for which
// more could come checks complete(). Implemented by proxy/.
class Channel {
 public:
  virtual std::string_view data() = 0;  // contiguous view of what is buffered
  virtual bool complete() const = 0;    // no more will come (end of body or stream)
  virtual bool full() const = 0;        // nothing more fits (tune.bufsize)
  // Gives a body that is awaited as a whole so much room; false: it has more than usual already.
  virtual bool enlarge(std::size_t) { return false; }
  // Waits until something more has arrived, all is complete, or the buffer is full.
  virtual rt::Wait wait_more(rt::Instant deadline) = 0;
  // Replaces `length` bytes at `offset` of data(); false when it does not fit.
  virtual bool replace(std::size_t offset, std::size_t length, std::string_view with) = 0;
  // Sends the first n bytes on at once.
  virtual bool forward(std::size_t n) = 0;
  // Bytes already handed over to the other side but not sent, and how many were forwarded in all.
  virtual std::size_t output() const = 0;
  // Tells that no more is wanted: what comes is dropped / the direction is closed.
  virtual void close() = 0;
  // All of a body whose framing tells its end is here; what stands behind it then, null where no
  // trailers can.
  virtual bool whole() const { return complete(); }
  virtual const http::Headers* trailers() const { return nullptr; }

 protected:
  ~Channel() = default;
};

// A complete answer made by the proxy (deny, return, redirect, errors, scripts). Immutable once it
// is in an exchange: constant answers of rules are made once and shared by all requests. Its
// headers hold no length; the engine adds content-length from the body.
struct Reply {
  std::uint16_t status = 0;
  std::string reason;  // empty: the standard phrase
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  bool raw = false;       // `body` is a whole HTTP message (errorfile), sent as it is
  bool is_error = false;  // counts as failed/denied, log and termination say so
  bool close = false;     // the connection ends after it
};

class ServiceRun;

// What rules and samples ask of the engine that runs the exchange. Implemented by proxy/; null in
// exchanges without one (tests, checks).
class Engine {
 public:
  // The message configured for `status` on `proxy` (errorfile, http-error and the like), else the
  // built-in one. Never null.
  virtual std::shared_ptr<const Reply> error_reply(const state::Proxy* proxy,
                                                   std::uint16_t status) = 0;
  // Sends an interim response (1xx) to the client at once; false when it cannot.
  virtual bool send_interim(const http::ResponseHead& head) = 0;
  // Logs now, beside the usual lines ("do-log"); with a profile instead of those of the targets.
  virtual void log_now(LogOrigin origin, const expr::LogProfile* profile) = 0;
  // The frontend's unique-id-format, formatted. Empty when it has none.
  virtual std::string_view make_unique_id() = 0;
  // The body of the answer that the proxy is about to send (http-after-response).
  virtual std::string_view reply_body() const = 0;
  virtual std::size_t buffer_size() const = 0;
  // What it has cost to run the exchange, where costs are measured.
  virtual rt::Cost cost() const = 0;

 protected:
  ~Engine() = default;
};

// What connection and session rules ask of the session, before there is an exchange.
class SessionEngine {
 public:
  virtual void log_now(LogOrigin origin, const expr::LogProfile* profile) = 0;
  // The client has to begin with a NetScaler header; for connection rules.
  virtual void expect_netscaler() = 0;
  virtual ClientError client_error() const = 0;

 protected:
  ~SessionEngine() = default;
};

// Times of one exchange; kNever where it did not come to pass. Log formats subtract.
struct Times {
  rt::Instant request_start{};            // first byte of the request (or accept for the first one)
  rt::Instant idle_start{};               // end of the previous request, or the handshake's end
  rt::Instant request_done = rt::kNever;  // head complete
  rt::Instant queued = rt::kNever;        // entered the queue
  rt::Instant dequeued = rt::kNever;
  rt::Instant connected = rt::kNever;
  rt::Instant response_start = rt::kNever;  // response head complete
  rt::Instant end = rt::kNever;
  std::int64_t start_wall_us = 0;  // wall clock of request_start
};

// Where in the life of the request we are; decides what samples are valid.
enum class Point : std::uint8_t {
  connection,
  session,
  request_content,
  http_request,
  balance,
  server_connect,
  response_content,
  http_response,
  http_after_response,
  log,
  check,
};

struct Exchange {
  explicit Exchange(Session& s) : session(s) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  Session& session;
  base::Arena arena;  // everything made for this exchange
  Engine* engine = nullptr;
  net::Connection* server_connection = nullptr;  // while there is one
  bool is_http = false;
  http::RequestHead request;
  http::ResponseHead response;
  bool request_valid = false, response_valid = false;  // heads are there
  std::uint16_t server_status = 0;  // as the server sent it; 0: no server answered
  std::string_view original_target, original_method;  // for logs, unless nothing changed
  Channel* request_channel = nullptr;                 // null: nothing buffered, none possible
  Channel* response_channel = nullptr;

  state::Proxy* frontend = nullptr;
  state::Proxy* backend = nullptr;  // null until chosen; then possibly == frontend (listen)
  state::Server* server = nullptr;
  Point point = Point::connection;

  state::Variables txn_variables, request_variables, response_variables;
  std::vector<std::string_view> request_captures, response_captures;  // by slot, in the arena
  std::string_view captured_cookie_in, captured_cookie_out;
  std::string_view unique_id;          // made at first use
  std::span<state::StickRef> tracked;  // in the arena, once something is; see tracking.h
  bool request_counted = false, counted_error = false, counted_failure = false;  // in them

  Termination end;
  std::array<char, 2> cookie_flags{'-', '-'};  // third and fourth letter of the termination state
  Times times;
  std::uint64_t bytes_in = 0, bytes_out = 0;  // client side: received, sent
  std::uint64_t request_body_bytes = 0, response_body_bytes = 0;
  std::uint32_t retries = 0;
  bool redispatched = false;
  bool answered_here = false;     // the answer is no server's nor service's
  std::uint32_t server_uses = 0;  // requests on the server connection, with this one; 0: none yet
  std::uint32_t server_queue_position = 0, backend_queue_position = 0;
  std::uint32_t id = 0;  // %rt, process-wide counter

  // What rules decided.
  std::shared_ptr<const Reply> reply;      // answer with this
  std::unique_ptr<ServiceRun> service;     // or run this
  std::string_view service_name;           // "<lua.hello>", "<STATS>": shown as server in logs
  state::Server* forced_server = nullptr;  // use-server, stickiness, scripts
  state::Proxy* forced_backend = nullptr;  // before one is chosen
  int log_level = -1;                      // -1 as configured, 8 silent
  bool dont_log = false;
  std::int64_t client_timeout_ms = -1, server_timeout_ms = -1, tunnel_timeout_ms = -1,
               connect_timeout_ms = -1, queue_timeout_ms = -1;  // set-timeout; -1 as configured
  std::int32_t priority_class = 0, priority_offset = 0;
  std::int32_t max_retries = -1;         // set-retries
  net::Address destination;              // set-dst for "server 0.0.0.0"; none as usual
  const char* last_rule_file = nullptr;  // the rule that ended the evaluation
  std::uint32_t last_rule_line = 0;
  std::string_view last_entity, waiting_entity;    // "file:line" of a rule, for logs after errors
  bool tarpit = false;                             // `reply` goes out after the tarpit timeout
  std::int64_t tarpit_timeout_ms = -1;             // set-timeout tarpit; -1 as configured
  bool strict_rewrite = true;                      // strict-mode; back to true with each ruleset
  bool no_l7_retry = false;                        // disable-l7-retry
  std::int64_t server_mark = -1, server_tos = -1;  // set-bc-mark, set-bc-tos; -1 leaves them
  int nice = 0;                                    // set-nice
  std::size_t rewrite_room = 15360;                // bytes that rules may still add to the head

  // Private data of scripts (the Lua room's), destroyed with the exchange or replaced.
  std::shared_ptr<void> script_data;
  // Called once when the exchange ends (handles of scripts die then).
  std::vector<std::function<void()>> on_end;

  ~Exchange();
};

// A service answers in place of a server ("use-service lua.x", statistics, Prometheus). It runs in
// the exchange's fiber and may wait.
class ServiceIo {
 public:
  // The request body / stream. Empty result: it is over.
  virtual std::string_view receive(std::size_t at_most, rt::Instant deadline) = 0;
  virtual bool receive_over() const = 0;
  // Sends the response head (HTTP). Framing is decided from its headers; without any, chunked for
  // HTTP/1.1 and until close for 1.0.
  virtual bool start(const http::ResponseHead& head) = 0;
  // Body bytes or stream bytes; false when the client has gone.
  virtual bool send(std::string_view bytes) = 0;
  virtual bool finished_sending() const = 0;

 protected:
  ~ServiceIo() = default;
};

class ServiceRun {
 public:
  virtual ~ServiceRun() = default;
  // False: it failed before it sent a head (the client gets 500, or the TCP connection ends).
  virtual bool run(Exchange& exchange, ServiceIo& io) = 0;
};

}  // namespace txn

// The behaviour behind one exchange: exchange.cc tells the life of an HTTP request, tcp.cc that of
// a TCP connection; the other files are the steps. A Run is taken from a pool of its worker for as
// long as a connection is busy, serves its requests one after the other in one fiber, and goes
// back. A tunnel keeps it, without a fiber, until its end.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "obs/trace.h"
#include "proxy/config.h"
#include "rt/io.h"
#include "rt/timer.h"
#include "txn/exchange.h"
#include "upstream/backend.h"
#include "wire/input.h"
#include "wire/output.h"

namespace proxy {

class Filters;
class FilterView;
class Relay;
class Session;
class Run;
struct LiveExchange;

// What comes after a step of the life.
enum class Step : std::uint8_t {
  go_on,
  answered,  // the client has its response, whoever made it
  closed,    // nothing more can or shall be sent
  tunnel,    // bytes go through from here on
  again,     // this attempt failed, another may be made
};

// What becomes of the connection.
enum class After : std::uint8_t { next_request, close, linger, relayed };

// How waiting for a response ended.
enum class Outcome : std::uint8_t {
  head,
  empty,
  junk,
  timed_out,
  broken,
  client_gone,
  request_bad,
  request_timeout,
  killed
};

// The bytes of one direction, for rules and scripts.
class BodyChannel final : public txn::Channel {
 public:
  BodyChannel(Run& run, txn::Direction direction) : run_(run), direction_(direction) {}
  std::string_view data() override;
  bool complete() const override;
  bool full() const override;
  bool enlarge(std::size_t size) override;
  rt::Wait wait_more(rt::Instant deadline) override;
  bool replace(std::size_t offset, std::size_t length, std::string_view with) override;
  bool forward(std::size_t n) override;
  std::size_t output() const override;
  void close() override;
  bool whole() const override;
  const http::Headers* trailers() const override;
  bool edited = false;

 private:
  wire::Input& in() const;
  void decode();
  Run& run_;
  txn::Direction direction_;
};

// What is cold stands apart from the code that usual requests run through.
class Run final : public txn::Engine, rt::Watcher {
 public:
  static Run& take(Session& session);  // of this worker's pool
  void give_back();

  // One HTTP request from its first byte to the log; exchange.cc.
  After live();
  // One TCP connection until it is closed or relayed; tcp.cc.
  After live_tcp();
  // Takes back what was received and not used.
  wire::Buffer release_client();
  bool client_has_bytes() const;
  // For runtime commands; in the loop of this worker. False: between two exchanges.
  bool describe(LiveExchange& out) const;
  void shut();

  // What a table learns once a server has been reached.
  struct StickStore {
    state::StickTable* table;
    std::string_view key;  // in the exchange's arena
  };

  // txn::Engine
  std::shared_ptr<const txn::Reply> error_reply(const state::Proxy* proxy,
                                                std::uint16_t status) override;
  bool send_interim(const http::ResponseHead& head) override;
  void log_now(txn::LogOrigin origin, const expr::LogProfile* profile) override;
  std::string_view make_unique_id() override;
  std::string_view reply_body() const override { return reply_body_; }
  std::size_t buffer_size() const override { return config_->buffer_size; }
  rt::Cost cost() const override;

 private:
  friend struct RunPool;
  friend class BodyChannel;
  friend class Relay;
  friend class RunService;
  friend class Filters;
  friend class FilterView;
  Run();
  ~Run();
  void on_ready() override;

  // --- exchange.cc: from the choice of a backend on
  After go_on_to_backend(Step step);
  After go_on(Step step);

  // --- run.cc: beginnings and ends
  void begin(bool http);
  void settle();
  void end_exchange();
  bool close_follows() const;
  After after_response();
  void drop_server(bool reusable) {
    if (link_.connection) let_go_of_server(reusable);
  }
  void let_go_of_server(bool reusable);
  bool server_reusable() const {
    return server_keep_alive_ && request_sent_ && response_done_ && !request_half_closed_;
  }
  void watch_client(bool on);
  // Sleeps until something happens on either side; spurious returns are usual. A part of its caller
  // (see rt/system_call.h), as is what sends in a row: a fiber that goes on finds the frames it
  // returns through forgotten.
  rt::Wait wait(rt::Instant deadline) {
    // Without more to come from the client only its end could be news, which may take a moment.
    if (!x().request_valid || !client_in_.over()) await_client();
    return rt::suspend(deadline);
  }
  void await_client();
  expr::Context context(const Proxy& of, txn::Direction direction);
  void forget_backend_settings();
  std::size_t rewrite_room(std::size_t used) const;
  void enter_backend(const Proxy& backend);
  bool client_aborted();
  bool ends_with_process() const;
  bool ends_by_now(const state::Process& process) const;
  // What a message says of its connection, lengths that contradict each other forgiven where
  // h1-do-not-close-on-insecure-transfer-encoding says so.
  template <class Head>
  bool persists(const Head& head) const {
    return head.keep_alive || (head.insecure_lengths && config_->keep_insecure_connections);
  }

  // --- glitches.cc
  http::Parse parse_request(const http::ParseLimits& limits, http::ParseError& error,
                            bool& forgiven);
  http::Parse parse_response(const http::ParseLimits& limits);
  bool decode_request();
  bool client_glitched();
  bool server_glitched() const;
  [[gnu::cold]] Step refuse_silently();

  // --- request.cc
  Step receive_head();
  [[gnu::cold]] Step refuse(txn::Cause cause, std::uint16_t status);
  [[gnu::cold]] Step head_missing(http::Parse parse, const http::ParseError& error, rt::Wait how);
  void note_request();
  Step frontend_rules();
  Step frontend_http_rules();
  Step choose_backend();
  const Proxy* backend_by_rules();
  [[gnu::cold]] Step no_way_to_tcp();
  bool may_switch_to(const state::Proxy& backend, expr::Context& ctx) const;
  Step backend_rules();
  [[gnu::cold]] Step request_cut_off();
  Step prepare_request();
  Step buffer_request_body();
  bool is_monitored() const { return !frontend_->monitor_uri.empty() && asks_for_monitor(); }
  bool asks_for_monitor() const;
  [[gnu::cold]] Step monitor();
  void capture_request_cookie();
  void add_forwarded_headers();
  void add_forwarded(const Forwarded& wanted);
  Step stats_page(const Proxy& of);
  void capture_request_headers();
  bool send_continue();
  // capture.cc
  [[gnu::cold]] void capture(const Proxy& of, txn::Direction direction, std::string_view bytes,
                             const http::ParseError& error);

  // --- rules.cc
  Step request_verdict(rules::Verdict verdict, const Proxy& of);
  Step response_verdict(rules::Verdict verdict, const Proxy& of);
  Step http_rules(const Proxy& of) {
    return of.http_request.empty() && !of.stats.enabled ? Step::go_on : run_http_rules(of);
  }
  Step run_http_rules(const Proxy& of);
  Step content_rules(const rules::Ruleset& rules, const Proxy& of, rt::Duration delay,
                     txn::Direction direction);
  rules::Verdict run_content(const rules::Ruleset& rules, expr::Context& context,
                             rt::Instant deadline, BodyChannel& channel);
  [[gnu::cold]] Step tarpit();

  // --- attempt.cc: a server, with retries
  Step reach_server();
  Step pick_server();
  void choose_by_rules();
  Step connect_server();
  [[gnu::cold]] Step connect_failed(net::IoError error);
  [[gnu::cold]] bool may_retry(bool connected);
  bool retry_after(Outcome outcome) {
    const bool judged = (backend_->backend->settings.retry_on & upstream::kRetryStatus) != 0;
    return (outcome != Outcome::head || judged) && retry_judged(outcome);
  }
  bool retry_judged(Outcome outcome);
  upstream::Reuse reuse() const;
  std::uint64_t pool_session() const;
  void prefer_last_server();
  void follow_rdp_cookie();
  Step redirect_to_server() {
    return server_->settings().redirect_prefix.empty() ? Step::go_on : redirect_there();
  }
  Step redirect_there();
  [[gnu::cold]] void forget_attempt();
  void send_request();
  [[gnu::cold]] void add_hop_headers(bool modern, bool close);
  [[gnu::cold]] void fix_request_length();
  Outcome await_response();
  [[gnu::cold]] Step response_missing(Outcome outcome);
  [[gnu::cold]] Outcome server_silent();
  bool retryable(Outcome outcome) const;

  // --- bodies.cc
  enum class Moved : std::uint8_t { nothing, some, bad_framing, source_gone, sink_gone, refused };
  Moved move_request();
  Moved move_response();
  bool keep_for_retry(std::string_view payload) { return keep_body_ && keep_piece(payload); }
  bool keep_piece(std::string_view payload);
  Step relay_bodies();
  [[gnu::cold]] void relay_trouble(Moved moved, bool response_side);
  void server_is_done();
  bool send_to_client(std::string_view head, std::string_view payload, bool last);
  bool asked_for_head() const;
  const http::Headers* request_trailers() const;
  const http::Headers* response_trailers() const;
  rt::Instant client_body_deadline() const;
  rt::Instant server_body_deadline() const;
  rt::Instant body_deadline() const;
  [[gnu::cold]] void body_timed_out();
  // Bytes came from there, or went there.
  void touch_client() { client_seen_ = rt::now(); }
  void touch_server() { server_seen_ = rt::now(); }
  void sent_to_client();
  void sent_to_server();
  void drain_request();

  // --- filtering.cc
  bool filtered(txn::Direction direction) const {
    return filters_ != nullptr && engaged(direction);
  }
  bool engaged(txn::Direction direction) const;
  Step attach_filters(const Proxy& of) {
    return filters_ == nullptr && of.filters.empty() ? Step::go_on : attach_more_filters(of);
  }
  Step attach_more_filters(const Proxy& of);
  Step start_response_filters();
  Step filter_head(txn::Direction direction) {
    return filters_ == nullptr ? Step::go_on : ask_about_head(direction);
  }
  Step ask_about_head(txn::Direction direction);
  template <class F>
  Step ask_filters(txn::Direction direction, F&& ask);
  Step filter_failed(txn::Direction direction, rules::Filtered how);
  bool wait_for_filter(txn::Direction direction, rt::Instant deadline);
  Moved feed_filters(txn::Direction direction);
  std::uint64_t declared_length(txn::Direction direction) const;
  bool send_filtered(txn::Direction direction, std::string_view head);
  Moved move_filtered(txn::Direction direction);
  // As wait(), but not past the time at which a filter wants to be asked again.
  rt::Wait wait_for_bodies(rt::Instant deadline) {
    return wait(filters_ == nullptr ? deadline : before_filters_wake(deadline));
  }
  rt::Instant before_filters_wake(rt::Instant deadline) const;
  rt::Instant tunnel_deadline(const Proxy& side, rt::Instant seen, rt::Duration patience) const;
  bool prepare_filtered_tunnel();
  Step relay_filtered();
  Step prepare_filtered_service();
  Step filter_service_head();
  std::string_view receive_filtered(std::size_t taken, rt::Instant deadline);
  bool send_through_filters(std::string_view head, std::string_view bytes, bool last,
                            rt::Instant deadline);
  void finish_filters();

  // --- response.cc
  Step process_response();
  Step http_response_rules();
  Step http_response_rules(const Proxy& of);
  Step check_cacheability();
  void capture_response_headers();
  void capture_response_cookie();
  void note_challenge();
  Step send_response_head();
  bool send_first_bytes(std::string_view head);
  bool send_whole(std::string_view message);
  void fix_response_length();
  void finish_response_head(http::ResponseHead& head, bool ours);
  [[gnu::cold]] bool forward_interim();
  bool flush_client(rt::Instant deadline);

  // --- reply.cc
  [[gnu::cold]] Step fail(txn::Cause cause, txn::Phase phase, std::uint16_t status);
  Step answer(const txn::Reply& reply);
  Step answer_raw(const txn::Reply& reply);
  Step send_reply(std::string_view body);
  Step after_response_rules();
  Step after_response_rules(const Proxy& of);

  // --- service.cc
  Step run_service();

  // --- relay.cc
  After start_tunnel();

  // --- tcp.cc
  Step become_http();
  Step tcp_request_rules(const Proxy& of);
  Step tcp_response_rules();

  // --- tracing.cc; only where obs::trace::on()
  enum class Peer : std::uint8_t { client, server };
  using TraceEvents = obs::trace::Events;
  using TraceLevel = obs::trace::Level;
  using Place = obs::trace::Place;
  void describe(obs::trace::Entry& entry, std::string_view text, std::string_view side,
                bool request) const;
  [[gnu::cold]] void trace_h1(TraceEvents of, TraceLevel level, std::string_view text, Peer peer,
                              const Place& where = Place::current()) const;
  [[gnu::cold]] void trace_stream(TraceEvents of, TraceLevel level, std::string_view text,
                                  const Place& where = Place::current()) const;
  [[gnu::cold]] void trace_failure(unsigned status, const Place& where = Place::current()) const;
  [[gnu::cold]] void trace_service(TraceEvents of, TraceLevel level, std::string_view text,
                                   const Place& where = Place::current()) const;
  [[gnu::cold]] void trace_begin() const;
  [[gnu::cold]] void trace_end() const;
  [[gnu::cold]] void trace_request_head() const;
  [[gnu::cold]] void trace_request_out() const;
  [[gnu::cold]] void trace_response_head() const;
  [[gnu::cold]] void trace_response_out(bool whole) const;
  [[gnu::cold]] void trace_moved(Peer from, std::size_t count, bool last) const;
  [[gnu::cold]] void trace_chosen_server() const;
  [[gnu::cold]] void trace_connected() const;
  [[gnu::cold]] void trace_unconnected() const;

  // --- access_log.cc
  void log_step(txn::LogOrigin origin) {
    if (frontend_->log_plan.has(origin) && !logged_) log_this_step(origin);
  }
  void log_this_step(txn::LogOrigin origin);
  void log_end();
  void log_line(txn::LogOrigin origin, const expr::LogProfile* profile);
  void announce();

  // --- counting.cc
  struct Traffic {
    std::uint64_t in = 0, out = 0;  // client side: received, sent
    std::uint64_t from_servers = 0;
  };
  Traffic traffic() const;
  void count_traffic(const Traffic& now);
  void count_end();
  void count_status();
  void count_tracked(state::StickEvent event, std::uint64_t n = 1);
  void count_request();
  void count_server_status();

  // --- persistence.cc
  void read_persistence_cookie();
  bool cookie_in_time(std::string_view value, std::string_view& server);
  bool persistence_ignored();
  void judge_cookie(std::string_view named, bool ignore);
  void write_persistence_cookie();
  void insert_cookie(const std::string& server);
  bool may_persist_on(const state::Server& server);

  // --- stickiness.cc
  bool stick_key(const StickRule& rule, txn::Direction direction, std::string_view& key);
  state::Server* stuck_server(const state::StickRow& entry);
  void stick_to_server() {
    stick_stores_.clear();
    if (!backend_->stick_rules.empty()) follow_stick_rules();
  }
  void follow_stick_rules();
  void learn_server() {
    if (!backend_->stick_rules.empty() && server_ != nullptr) learn_by_rules();
  }
  void learn_by_rules();

  rt::Duration client_timeout() const;
  rt::Duration server_timeout() const;
  rt::Duration tunnel_timeout() const;
  bool server_close_wanted() const;

  // In the line that the loop fetches ahead of an event.
  rt::Fiber* fiber_ = nullptr;
  bool abort_cancels_ = false;  // a client that goes away ends the present wait

  Session* session_ = nullptr;
  const Config* config_ = nullptr;
  const Proxy* frontend_ = nullptr;
  const Proxy* backend_ = nullptr;  // null until chosen
  std::optional<txn::Exchange> exchange_;
  txn::Exchange& x() { return *exchange_; }
  const txn::Exchange& x() const { return *exchange_; }
  // Storage between exchanges.
  http::Headers spare_request_headers_, spare_response_headers_;
  state::Variables spare_variables_;

  wire::Input client_in_, server_in_;
  wire::Output client_out_, server_out_;
  BodyChannel request_body_{*this, txn::Direction::request};
  BodyChannel response_body_{*this, txn::Direction::response};
  std::unique_ptr<Filters> filters_;  // null: the proxies have none

  upstream::ServerLink link_;
  upstream::Slot slot_;
  upstream::Server* server_ = nullptr;  // whose slot it is or was
  std::optional<upstream::PickContext> pick_;
  std::vector<StickStore> stick_stores_;
  state::Server* persistence_ = nullptr;    // where a cookie or a table sends the request
  state::Server* cookie_server_ = nullptr;  // what it names
  std::int64_t cookie_last_date_ = 0, cookie_first_date_ = 0;
  // What begin() clears stands together, so that a few stores do it.
  bool persistent_ = false;    // the server was not the algorithm's choice
  bool fresh_only_ = false;    // no pooled connection any more
  bool request_dead_ = false;  // the server takes no more of the request
  bool upgraded_ = false;      // from TCP, by the request at hand
  bool counted_backend_ = false;
  bool continue_sent_ = false;
  bool request_sent_ = false;  // the whole request went to the server
  bool request_head_sent_ = false;
  bool request_half_closed_ = false;  // the client's end of stream was passed on
  bool keep_body_ = false;            // body bytes are kept for a retry
  bool response_started_ = false;     // the client has got something of the final response
  bool response_done_ = false;
  bool response_chunked_ = false;
  bool is_reply_ = false;  // the response is ours
  bool logged_ = false;
  bool keep_alive_ = false;  // with the client
  bool server_keep_alive_ = false;
  bool abrupt_ = false;  // the connection ends without a farewell (reject, silent-drop)
  bool service_ran_ = false;
  bool client_leaves_ = false;  // it has said that it will send no more
  bool body_hidden_ = false;    // the server sends a body that the client did not ask for
  bool handling_after_rules_ = false;
  std::size_t kept_sent_ = 0;
  std::uint64_t server_bytes_ = 0;  // received from servers
  std::string kept_body_;
  std::string_view reply_body_;        // of a response that is ours, while rules look at it
  std::array<char, 20> reply_length_;  // its length, in digits
  http::ParseError body_error_;
  // What its read timeout and its write timeout are counted from.
  rt::Instant client_seen_{}, server_seen_{};
  rt::Instant client_took_{}, server_took_{};
  std::uint64_t received_before_ = 0, sent_before_ = 0;  // on the connection, by earlier exchanges
  Relay* relay_ = nullptr;                               // the tunnel this has become
  Traffic counted_;                                      // of this exchange, in the statistics
  // option contstats: counts what has come so far, from time to time.
  struct CountTimer : rt::Timer {
    explicit CountTimer(Run& r) : rt::Timer(&CountTimer::fire), run(r) {}
    static void fire(rt::Timer& timer);
    Run& run;
  };
  static constexpr rt::Duration kRecount = std::chrono::seconds(5);
  CountTimer count_timer_{*this};
  std::string service_head_;
  std::string log_text_;
  Run* next_free_ = nullptr;
};

}  // namespace proxy

#include "proxy/run.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <random>
#include <utility>

#include "base/prefetch.h"
#include "proxy/filters.h"
#include "proxy/relay.h"
#include "proxy/session.h"
#include "proxy/tracing.h"
#include "rt/fetch.h"
#include "rt/shared_number.h"
#include "state/variable_limits.h"

namespace proxy {

namespace {

constexpr unsigned kKeptRuns = 512;  // free ones a worker keeps

std::atomic<std::uint32_t> next_exchange_id{0};

std::int64_t wall_us(rt::Instant at) {
  using std::chrono::duration_cast;
  using std::chrono::microseconds;
  // The wall clock may be set while we run: it is compared with the monotonic one every second.
  thread_local rt::Instant checked{};
  thread_local std::int64_t offset_us = 0;
  if (at - checked > std::chrono::seconds(1) || checked == rt::Instant{}) {
    auto wall = std::chrono::system_clock::now().time_since_epoch();
    offset_us = duration_cast<microseconds>(wall).count() -
                duration_cast<microseconds>(rt::precise_now().time_since_epoch()).count();
    checked = at;
  }
  return duration_cast<microseconds>(at.time_since_epoch()).count() + offset_us;
}

}  // namespace

// The free ones of a worker; they end with its thread.
struct RunPool {
  Run* head = nullptr;
  unsigned count = 0;
  ~RunPool() {
    while (head != nullptr) delete std::exchange(head, head->next_free_);
  }
};

namespace {
thread_local RunPool pool;
}  // namespace

Run::Run() = default;
Run::~Run() = default;

Run& Run::take(Session& session) {
  Run* run = pool.head;
  if (run == nullptr) {
    run = new Run;
  } else {
    pool.head = run->next_free_;
    --pool.count;
    base::prefetch(pool.head, sizeof *run);  // for the fiber that begins after this one
  }
  run->session_ = &session;
  session.busy = run;
  run->config_ = &running();
  run->frontend_ = &session.frontend;
  run->fiber_ = rt::current();
  rt::fetch_ahead(*run->fiber_, run, sizeof *run);
  run->client_in_.attach(session.connection.get(), std::move(session.received));
  run->client_out_.attach(session.connection.get());
  run->watch_client(true);
  return *run;
}

void Run::give_back() {
  client_out_.detach();
  if (client_in_.connection() != nullptr) client_in_.detach();
  session_->busy = nullptr;
  session_ = nullptr;
  fiber_ = nullptr;
  if (pool.count >= kKeptRuns) {
    delete this;
    return;
  }
  next_free_ = pool.head;
  pool.head = this;
  ++pool.count;
}

void Run::watch_client(bool on) { session_->connection->io().park_unhurried(on ? this : nullptr); }

void Run::await_client() { session_->connection->io().watch_now(); }

wire::Buffer Run::release_client() {
  watch_client(false);
  return client_in_.detach();
}

bool Run::client_has_bytes() const { return client_in_.has_bytes(); }

void Run::on_ready() {
  if (fiber_ == nullptr) return;
  if (abort_cancels_ && client_aborted())
    rt::cancel(*fiber_);
  else
    rt::wake(*fiber_);
}

void Run::begin(bool http) {
  exchange_.emplace(session_->facts);
  txn::Exchange& e = *exchange_;
  e.request.headers = std::move(spare_request_headers_);
  e.response.headers = std::move(spare_response_headers_);
  e.txn_variables = std::move(spare_variables_);
  e.request.headers.clear();
  e.response.headers.clear();
  e.engine = this;
  e.is_http = http;
  e.frontend = frontend_->state;
  e.request_channel = &request_body_;
  e.response_channel = nullptr;
  e.id = rt::add(next_exchange_id, 1);
  const bool first = session_->facts.requests == 0;
  e.times.idle_start = first ? session_->facts.accepted : session_->idle_since;
  e.times.request_start = first ? session_->facts.accepted : rt::now();
  e.times.start_wall_us = first ? session_->facts.accepted_wall_us : wall_us(rt::now());
  ++session_->facts.requests;

  backend_ = nullptr;
  server_ = nullptr;
  persistence_ = cookie_server_ = nullptr;
  persistent_ = fresh_only_ = abort_cancels_ = request_dead_ = upgraded_ = false;
  counted_backend_ = continue_sent_ = request_sent_ = request_head_sent_ = false;
  request_half_closed_ = keep_body_ = response_started_ = response_done_ = false;
  response_chunked_ = is_reply_ = logged_ = keep_alive_ = server_keep_alive_ = false;
  abrupt_ = service_ran_ = client_leaves_ = body_hidden_ = handling_after_rules_ = false;
  kept_sent_ = server_bytes_ = 0;
  kept_body_.clear();
  request_body_.edited = response_body_.edited = false;
  body_error_ = {};
  client_seen_ = server_seen_ = client_took_ = server_took_ = rt::now();
  received_before_ = client_in_.received() - client_in_.raw().size();
  sent_before_ = client_out_.sent();
  counted_ = {};
  if (obs::trace::on()) [[unlikely]]
    trace_begin();
  if (frontend_->options.has(Option::contstats)) count_timer_.arm(rt::now() + kRecount);
}

expr::Context Run::context(const Proxy& of, txn::Direction direction) {
  return expr::Context{.registry = *config_->registry,
                       .arena = x().arena,
                       .session = &session_->facts,
                       .exchange = &x(),
                       .proxy = of.state,
                       .direction = direction};
}

// What rules of the frontend have set for "its" backend does not hold for another (the manual's
// set-timeout and set-retries).
void Run::forget_backend_settings() {
  txn::Exchange& e = x();
  e.server_timeout_ms = e.connect_timeout_ms = e.queue_timeout_ms = e.tunnel_timeout_ms = -1;
  e.max_retries = -1;
}

// Rules may fill the buffer, and in any case what tune.maxrewrite keeps for them.
std::size_t Run::rewrite_room(std::size_t used) const {
  const std::size_t size = config_->buffer_size;
  const std::size_t left = used < size ? size - used : 0;
  return std::max(left, config_->rewrite_reserve);
}

void Run::enter_backend(const Proxy& backend) {
  backend_ = &backend;
  x().backend = backend.state;
  if (&backend != frontend_) forget_backend_settings();
  state::Proxy& st = *backend.state;
  counted_backend_ = true;
  const std::uint32_t now = rt::add(st.backend_sessions, 1) + 1;
  if (now > st.backend_highest.load(std::memory_order_relaxed))
    st.backend_highest.store(now, std::memory_order_relaxed);
  state::ProxyCounters& counters = st.backend.mine();
  counters.sessions.add();
  counters.requests.add(x().is_http ? 1 : 0);
}

// The client is gone, or has closed its side where that means the same (option abortonclose).
bool Run::client_aborted() {
  const rt::Descriptor& io = session_->connection->io();
  if (io.failed() || client_in_.broken() || client_out_.broken()) return true;
  if (!io.hung_up() && !client_in_.at_end()) return false;
  const Proxy& of = backend_ != nullptr ? *backend_ : *frontend_;
  const bool wanted = x().is_http ? !of.options.has(Option::abortonclose_off)
                                  : of.options.has(Option::abortonclose);
  if (!wanted) return false;
  // Requests sent ahead may stand before the end.
  if (!client_in_.at_end() && client_in_.all_here() && io.readable()) client_in_.fill();
  return client_in_.at_end();
}

// In a soft stop connections end with their next response; close-spread-time spreads that over a
// while.
bool Run::ends_with_process() const {
  const state::Process& process = config_->registry->process();
  return process.stopping.load(std::memory_order_relaxed) && ends_by_now(process);
}

bool Run::ends_by_now(const state::Process& process) const {
  const std::int64_t spread = config_->close_spread_ms;
  if (spread == 0) return true;
  if (spread < 0) return false;
  thread_local std::minstd_rand generator{std::random_device{}()};
  const auto drawn = std::uniform_int_distribution<std::int64_t>(0, spread)(generator);
  return rt::now() - process.stopping_since.load(std::memory_order_relaxed) >=
         rt::milliseconds(drawn);
}

// The connection goes to the pool when both messages are complete and nothing stands in the way.
void Run::let_go_of_server(bool reusable) {
  link_.connection->io().park(nullptr);
  x().server_connection = nullptr;
  if (server_in_.connection() != nullptr) server_bytes_ += server_in_.received();
  const bool clean = !server_in_.has_bytes() && !server_in_.at_end() && !server_out_.blocked();
  server_in_.detach();
  server_out_.detach();
  const bool ends = !reusable || !clean || server_ == nullptr;
  if (ends && obs::trace::on()) [[unlikely]]
    trace_h1(obs::trace::h1::h1c_end, TraceLevel::state, "H1 connection ends", Peer::server);
  if (ends) return link_.drop();
  auto& pools = session_->private_pools;
  if (link_.session != 0 && std::find(pools.begin(), pools.end(), server_) == pools.end()) {
    if (std::distance(pools.begin(), pools.end()) >= frontend_->session_servers)
      return link_.drop();
    pools.push_front(server_);
  }
  server_->release(std::move(link_));
}

// The response is on its way, or there will be none: server back to its pool, counters, log.
void Run::settle() {
  txn::Exchange& e = x();
  e.times.end = rt::now();
  drop_server(server_reusable());
  slot_.free();
  pick_.reset();
  if (std::exchange(counted_backend_, false)) rt::subtract(e.backend->backend_sessions, 1);
  const Traffic total = traffic();
  e.bytes_in = total.in;
  e.bytes_out = total.out;
  count_timer_.disarm();
  count_traffic(total);
  log_end();
  count_end();
}

void Run::end_exchange() {
  if (obs::trace::on()) [[unlikely]]
    trace_end();
  if (filters_ != nullptr) finish_filters();
  settle();
  if (is_reply_ && !client_in_.over()) drain_request();
  txn::Exchange& e = x();
  spare_request_headers_ = std::move(e.request.headers);
  spare_response_headers_ = std::move(e.response.headers);
  spare_variables_ = std::move(e.txn_variables);
  state::release_counted(spare_variables_);
  state::release_counted(e.request_variables);
  state::release_counted(e.response_variables);
  spare_variables_.clear();
  exchange_.reset();
  if (rt::costs_measured()) [[unlikely]]
    rt::restart_cost();
}

// A tunnel has had one fiber until it began and has another for its end.
rt::Cost Run::cost() const {
  rt::Cost sum = rt::cost();
  if (relay_ == nullptr) return sum;
  const rt::Cost& before = relay_->fiber_cost();
  sum.runs += before.runs;
  sum.computing += before.computing;
  sum.waiting += before.waiting;
  return sum;
}

// Whether what is sent now can go out together with the end of the connection: nothing may wait in
// between, and nothing may come that makes the end a reset, which would throw the bytes away.
bool Run::close_follows() const {
  return !keep_alive_ && client_leaves_ && x().request.framing == http::Framing::none &&
         client_in_.over() && !client_in_.has_bytes() && !session_->connection->io().readable() &&
         filters_ == nullptr && !frontend_->log_may_wait &&
         !frontend_->options.has(Option::nolinger);
}

After Run::after_response() {
  if (abrupt_ || client_in_.broken() || client_out_.broken()) return After::close;
  if (!keep_alive_) {
    const bool finished = client_leaves_ && client_in_.over() && !client_in_.has_bytes() &&
                          !client_out_.blocked() && !session_->connection->io().readable();
    return finished ? After::close : After::linger;
  }
  client_in_.next_message();
  session_->idle_since = rt::now();
  return After::next_request;
}

// --- timeouts in force: set-timeout, then the configuration ------------------------------------

namespace {

rt::Duration chosen(std::int64_t ms, rt::Duration configured) {
  if (ms < 0) return configured;
  return ms == 0 ? rt::kForever : rt::Duration(rt::milliseconds(ms));
}

}  // namespace

rt::Duration Run::client_timeout() const {
  return chosen(x().client_timeout_ms, frontend_->timeouts.client);
}
rt::Duration Run::server_timeout() const {
  return chosen(x().server_timeout_ms,
                backend_ != nullptr ? backend_->timeouts.server : rt::kForever);
}
rt::Duration Run::tunnel_timeout() const {
  return chosen(x().tunnel_timeout_ms,
                backend_ != nullptr ? backend_->timeouts.tunnel : rt::kForever);
}

}  // namespace proxy

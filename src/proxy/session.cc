#include "proxy/session.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <random>

#include "net/netscaler.h"
#include "net/proxy_protocol.h"
#include "proxy/hooks.h"
#include "proxy/live.h"
#include "proxy/run.h"
#include "proxy/tracing.h"
#include "rt/memory.h"
#include "state/variable_limits.h"
#include "txn/tracking.h"

namespace proxy {

namespace {

constexpr rt::Duration kMemoryRetry = rt::milliseconds(20);
using SessionList = boost::intrusive::list<Session>;
thread_local SessionList sessions;
constexpr std::uint16_t kPrivilegedPorts = 1024;
std::atomic<std::uint32_t> next_session_id{0};

rt::Duration first_set(std::initializer_list<rt::Duration> timeouts) {
  for (rt::Duration t : timeouts)
    if (t != rt::kForever) return t;
  return rt::kForever;
}

std::int64_t wall_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::uint64_t now_ms() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<rt::milliseconds>(rt::now().time_since_epoch()).count());
}

void raise(std::atomic<std::uint32_t>& highest, std::uint32_t value) {
  if (value > highest.load(std::memory_order_relaxed))
    highest.store(value, std::memory_order_relaxed);
}

}  // namespace

std::uint32_t Session::count() {
  return running().registry->process().connections.load(std::memory_order_relaxed);
}

Session::Session(int fd, const Proxy& of, const Bind& at)
    : connection(of.mode == state::Mode::http
                     ? std::make_unique<net::Connection>(fd, net::Connection::Fresh{})
                     : std::make_unique<net::Connection>(fd)),
      frontend(of),
      bind(at),
      is_http(of.mode == state::Mode::http) {
  sessions.push_back(*this);
}

Session::~Session() {
  if (obs::trace::on()) [[unlikely]] {
    trace_connection(*this, obs::trace::h1::h1c_end, obs::trace::Level::state,
                     "H1 connection ends");
    trace_session(*this, obs::trace::session::sess_end, obs::trace::Level::state,
                  "releasing session");
  }
  sessions.erase(sessions.iterator_to(*this));
  connection->io().park(nullptr);
  connection.reset();
  if (facts.extras != nullptr) state::release_counted(facts.extras->variables);
  for (upstream::Server* server : private_pools) server->drop_idle_of(pool_id());
  frontend.state->frontend_sessions.fetch_sub(1, std::memory_order_relaxed);
  running().registry->process().connections.fetch_sub(1, std::memory_order_relaxed);
  if (facts.listener != nullptr) facts.listener->current.fetch_sub(1, std::memory_order_relaxed);
  place_is_free();
}

void Session::accept(int fd, const net::Address& peer, const net::Address& local,
                     const Proxy& frontend, const Bind& bind, state::ListenerState* listener) {
  if (running().reject_privileged_ports && peer.is_ip() && peer.port() < kPrivilegedPorts) {
    ::close(fd);
    return;
  }
  auto& session = *new Session(fd, frontend, bind);
  txn::Session& f = session.facts;
  f.frontend = frontend.state;
  f.listener = listener;
  f.connection = session.connection.get();
  f.source = peer;
  f.destination = local.kind() == net::Address::Kind::none ? session.connection->local() : local;
  f.accepted = rt::now();
  f.accepted_wall_us = wall_us();
  f.id = next_session_id.fetch_add(1, std::memory_order_relaxed);
  state::Proxy& st = *frontend.state;
  state::Process& process = running().registry->process();
  const std::uint32_t here = st.frontend_sessions.fetch_add(1, std::memory_order_relaxed) + 1;
  raise(st.frontend_highest, here);
  raise(process.connections_highest,
        process.connections.fetch_add(1, std::memory_order_relaxed) + 1);
  if (listener != nullptr) listener->current.fetch_add(1, std::memory_order_relaxed);
  state::ProxyCounters& counters = st.frontend.mine();
  const std::uint64_t now = now_ms();
  counters.connections.add();
  if (listener != nullptr && listener->counts) listener->counters.mine().connections.add();
  counters.connection_rate_max.raise_to(counters.connection_rate.count(now));
  process.counters.mine().connections.add();
  process.counters.mine().connection_rate.add(now);
  if (obs::trace::on()) [[unlikely]] {
    trace_session(session, obs::trace::session::sess_new, obs::trace::Level::state, "new session");
    trace_connection(session, obs::trace::h1::h1c_new, obs::trace::Level::state,
                     "new H1 connection");
  }
  session.begin();
}

// Without rules to run the first bytes are awaited without a fiber.
void Session::begin() {
  if (frontend.options.has(Option::clitcpka)) {
    const int one = 1;  // refused on unix sockets, which need none
    ::setsockopt(connection->io().fd(), SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
  }
  const bool rules = !frontend.tcp_connection.empty() || !frontend.tcp_session.empty() ||
                     bind.accept_proxy || bind.accept_netscaler;
  if (rules) {
    state_ = State::serving;
    rt::spawn([this] {
      const bool welcome = connection_rules() && leading_headers() && session_rules();
      if (!welcome && obs::trace::on()) [[unlikely]]
        trace_session(*this, obs::trace::session::sess_err, obs::trace::Level::error,
                      "session refused");
      if (!welcome) return close();
      serve();
    });
    return;
  }
  session_rules();
  if (frontend.mode == state::Mode::http)
    park();
  else
    spawn();
}

bool Session::connection_rules() {
  if (frontend.tcp_connection.empty()) return true;
  base::Arena arena;
  expr::Context context{.registry = *running().registry,
                        .arena = arena,
                        .session = &facts,
                        .session_engine = this,
                        .proxy = frontend.state};
  const rules::Verdict verdict = frontend.tcp_connection.run(context);
  if (verdict == rules::Verdict::next || verdict == rules::Verdict::stop) return true;
  frontend.state->frontend.mine().denied_connections.add();
  return false;
}

bool Session::session_rules() {
  state::ProxyCounters& counters = frontend.state->frontend.mine();
  const std::uint64_t now = now_ms();
  if (!frontend.tcp_session.empty()) {
    base::Arena arena;
    expr::Context context{.registry = *running().registry,
                          .arena = arena,
                          .session = &facts,
                          .session_engine = this,
                          .proxy = frontend.state};
    const rules::Verdict verdict = frontend.tcp_session.run(context);
    if (verdict != rules::Verdict::next && verdict != rules::Verdict::stop) {
      counters.denied_sessions.add();
      return false;
    }
  }
  txn::count_tracked(facts, nullptr, state::StickEvent::session);
  counters.sessions.add();
  if (facts.listener != nullptr && facts.listener->counts)
    facts.listener->counters.mine().sessions.add();
  counters.session_rate_max.raise_to(counters.session_rate.count(now));
  running().registry->process().counters.mine().session_rate.add(now);
  return true;
}

// "accept-proxy" of the line, or an "expect-proxy" rule.
bool Session::expects_proxy_header() const {
  return bind.accept_proxy || (facts.extras && facts.extras->expect_proxy);
}

// What proxies before us send first; the connection ends where it does not come, or is wrong.
bool Session::leading_headers() {
  using txn::ClientError;
  const bool netscaler = bind.accept_netscaler || expects_netscaler_;
  const bool proxy = expects_proxy_header();
  if (!netscaler && !proxy) return true;
  const net::Address source = facts.source, destination = facts.destination;
  if (netscaler) error_ = read_netscaler_header();
  if (proxy && error_ == ClientError::none) error_ = read_proxy_header();
  if (error_ != ClientError::none) {
    log_failure();
    return false;
  }
  txn::SessionExtras& more = facts.more();
  more.original_source = source;
  more.original_destination = destination;
  return true;
}

// Reads until `parse` says that the header is complete (none) or wrong; nothing: more is needed.
// `empty` is followed by the numbers for an aborted connection, time that ran out, and an end amid.
template <class Parse>
txn::ClientError Session::read_leading(txn::ClientError empty, Parse&& parse) {
  const auto after_empty = [empty](int step) {
    return static_cast<txn::ClientError>(static_cast<int>(empty) + step);
  };
  const rt::Duration timeout = first_set({frontend.timeouts.client_hs, frontend.timeouts.client});
  const rt::Instant deadline = timeout == rt::kForever ? rt::kNever : rt::now() + timeout;
  received.take();
  while (true) {
    std::size_t consumed = 0;
    const std::string_view bytes{received.data() + received.begin(),
                                 received.end() - received.begin()};
    const std::optional<txn::ClientError> verdict = parse(bytes, consumed);
    if (verdict && *verdict != txn::ClientError::none) return *verdict;
    if (verdict) {
      received.set(received.begin() + consumed, received.end());
      if (received.empty()) received.drop();
      return txn::ClientError::none;
    }
    if (received.room().empty()) return after_empty(3);
    const auto got = connection->read(received.room(), deadline);
    if (!got)
      return after_empty(got.error() != net::IoError::timed_out ? 1 : bytes.empty() ? 2 : 3);
    if (*got == 0) return bytes.empty() ? empty : after_empty(3);
    received.filled(*got);
  }
}

namespace {

// What kind of a PROXY header it is not.
txn::ClientError wrong_header(std::string_view bytes) {
  using txn::ClientError;
  constexpr std::string_view kLine = "PROXY ", kVersion2{"\r\n\r\n\0\r\nQUIT\n", 12};
  if (bytes.starts_with(kLine)) {
    bytes.remove_prefix(kLine.size());
    for (const std::string_view known : {"TCP4 ", "TCP6 ", "UNKNOWN"})
      if (bytes.starts_with(known)) return ClientError::proxy_bad;
    return ClientError::proxy_protocol;
  }
  const bool second = bytes.size() > kVersion2.size() && bytes.starts_with(kVersion2) &&
                      static_cast<unsigned char>(bytes[kVersion2.size()]) >> 4 == 2;
  return second ? ClientError::proxy_bad : ClientError::proxy_none;
}

}  // namespace

txn::ClientError Session::read_proxy_header() {
  using txn::ClientError;
  net::ProxyHeader header;
  const auto parse = [&](std::string_view bytes,
                         std::size_t& consumed) -> std::optional<ClientError> {
    switch (net::parse_proxy_header(bytes, header, consumed)) {
      case net::ProxyParse::complete:
        return ClientError::none;
      case net::ProxyParse::need_more:
        return std::nullopt;
      case net::ProxyParse::malformed:
        break;
    }
    return wrong_header(bytes);
  };
  const ClientError error = read_leading(ClientError::proxy_empty, parse);
  if (error != ClientError::none) return error;
  txn::SessionExtras& more = facts.more();
  more.proxy_header = true;
  more.tlvs = std::move(header.tlvs);
  if (header.local) return ClientError::none;
  facts.source = header.source;
  facts.destination = header.destination;
  return ClientError::none;
}

txn::ClientError Session::read_netscaler_header() {
  using txn::ClientError;
  net::NetscalerHeader header;
  const auto parse = [&](std::string_view bytes,
                         std::size_t& consumed) -> std::optional<ClientError> {
    switch (net::parse_netscaler_header(bytes, bind.netscaler_magic, header, consumed)) {
      case net::NetscalerParse::complete:
        return ClientError::none;
      case net::NetscalerParse::need_more:
        return std::nullopt;
      case net::NetscalerParse::wrong_magic:
        return ClientError::netscaler_magic;
      case net::NetscalerParse::wrong_protocol:
        break;
    }
    return ClientError::netscaler_protocol;
  };
  const ClientError error = read_leading(ClientError::netscaler_empty, parse);
  if (error != ClientError::none) return error;
  facts.source = header.source;
  facts.destination = header.destination;
  return ClientError::none;
}

void Session::spawn() {
  state_ = State::serving;  // the timer hangs on: to park again moves it, which is one store
  connection->io().park(nullptr);
  rt::spawn([this] { serve(); });
}

void Session::serve() {
  state_ = State::serving;
  Run& run = Run::take(*this);
  After after;
  do {
    after = is_http ? run.live() : run.live_tcp();
  } while (after == After::next_request && (run.client_has_bytes() || connection->io().readable()));
  if (after == After::relayed) return;
  received = run.release_client();
  run.give_back();
  if (after == After::close) return close();
  if (after == After::linger) return linger();
  park();
}

void Session::park() {
  state_ = State::parked;
  received.drop();
  const Timeouts& t = frontend.timeouts;
  const rt::Duration timeout = facts.requests == 0
                                   ? first_set({t.http_request, t.client})
                                   : first_set({t.http_keep_alive, t.http_request, t.client});
  timer_.arm(timeout == rt::kForever ? rt::kNever : rt::now() + timeout);
  if (connection->io().readable())
    connection->io().park_unhurried(this);  // and looked at before this turn is over
  else
    connection->io().park(this);
}

void Session::on_ready() {
  if (state_ == State::lingering) {
    while (true) {
      auto got = connection->read_now(wire::scratch());
      if (got && *got != 0) continue;
      if (!got && got.error() == net::IoError::would_block) return;
      return close();
    }
  }
  if (!connection->io().readable()) return;
  if (!rt::memory_left()) return wait_for_memory();
  // What came is looked at first: an idle connection that ends needs no fiber.
  received.take();
  auto got = connection->read_now(received.room());
  if (!got && got.error() == net::IoError::would_block) {
    received.drop();
    return connection->io().watch_now();
  }
  if (got && *got != 0) {
    received.filled(*got);
    if (obs::trace::on()) [[unlikely]]
      trace_connection(*this, obs::trace::h1::h1c_wake | obs::trace::h1::h1c_recv,
                       obs::trace::Level::data, "H1 connection woken up");
  } else {
    received.drop();
    connection->io().assume_readable();
    if (facts.requests != 0 || frontend.options.has(Option::dontlognull)) return close();
  }
  spawn();
}

// The bytes stay with the kernel for a moment; the deadline of the client is kept.
void Session::wait_for_memory() {
  if (memory_deadline_ == rt::Instant{}) memory_deadline_ = timer_.deadline();
  timer_.arm(std::min(memory_deadline_, rt::now() + kMemoryRetry));
}

void Session::IdleTimer::fire(rt::Timer& timer) {
  static_cast<IdleTimer&>(timer).session.on_timeout();
}

void Session::on_timeout() {
  if (state_ == State::serving) return;
  if (const rt::Instant deadline = std::exchange(memory_deadline_, rt::Instant{});
      deadline != rt::Instant{}) {
    if (rt::now() >= deadline) return close();
    timer_.arm(deadline);
    return on_ready();
  }
  if (!rt::memory_left()) return close();
  if (state_ == State::lingering || facts.requests != 0) return close();
  if (frontend.options.has(Option::http_ignore_probes)) return close();
  spawn();  // a first request that does not come is answered and logged
}

// Our side is closed; what the client still sends is read away, so that its kernel does not throw
// away our last bytes with a reset.
void Session::linger() {
  const rt::Descriptor& io = connection->io();
  if (io.hung_up() || io.failed() || frontend.options.has(Option::nolinger)) return close();
  state_ = State::lingering;
  received.drop();
  connection->shutdown_write();
  const rt::Duration timeout =
      first_set({frontend.timeouts.client_fin, rt::Duration(std::chrono::seconds(1))});
  timer_.arm(rt::now() + std::min<rt::Duration>(timeout, std::chrono::seconds(10)));
  connection->io().park(this);
}

void Session::close() { delete this; }

std::vector<LiveExchange> Session::snapshot() {
  std::vector<LiveExchange> all;
  LiveExchange one;
  for (const Session& session : sessions)
    if (session.busy != nullptr && session.busy->describe(one)) all.push_back(std::move(one));
  return all;
}

bool Session::shut(std::uint64_t id) {
  LiveExchange one;
  for (Session& session : sessions) {
    if (session.busy == nullptr || !session.busy->describe(one) || one.id != id) continue;
    session.busy->shut();
    return true;
  }
  return false;
}

// At once, unless options let it have one more response (idle-close-on-response) or spread the
// ends over a time (close-spread-time).
void Session::end_idle() {
  const std::int64_t spread = running().close_spread_ms;
  if (frontend.options.has(Option::idle_close_on_response) || spread < 0) return;
  if (spread == 0) return close();
  thread_local std::minstd_rand generator{std::random_device{}()};
  const auto wait = std::uniform_int_distribution<std::int64_t>(0, spread)(generator);
  timer_.arm(rt::now() + rt::milliseconds(wait));
}

void Session::close_idle(const state::Proxy* of) {
  for (auto it = sessions.begin(); it != sessions.end();) {
    Session& session = *it++;
    const bool idle = session.state_ == State::parked && session.facts.requests != 0;
    if (!idle || (of != nullptr && session.frontend.state != of)) continue;
    session.end_idle();
  }
}

}  // namespace proxy

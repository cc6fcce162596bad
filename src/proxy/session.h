// A client connection. Between requests it is parked: no fiber, no buffer, one timer. Owned by the
// worker that accepted it; it deletes itself.
#pragma once

#include <boost/intrusive/list.hpp>
#include <forward_list>
#include <memory>

#include "net/connection.h"
#include "proxy/config.h"
#include "rt/io.h"
#include "rt/timer.h"
#include "txn/exchange.h"
#include "wire/buffer.h"

namespace proxy {

class Run;
struct LiveExchange;

class Session final : public rt::Watcher,
                      public txn::SessionEngine,
                      public boost::intrusive::list_base_hook<> {
 public:
  // In the loop: `fd` is a fresh connection to `bind`; `local` is its address where that is the
  // listener's, none where it has to be asked for.
  static void accept(int fd, const net::Address& peer, const net::Address& local,
                     const Proxy& frontend, const Bind& bind, state::ListenerState* listener);
  // Closes the parked sessions of this worker (of one frontend, or of all).
  static void close_idle(const state::Proxy* frontend);
  static std::uint32_t count();
  // What this worker's sessions are busy with; see live.h.
  static std::vector<LiveExchange> snapshot();
  static bool shut(std::uint64_t id);

  void on_ready() override;
  void log_now(txn::LogOrigin origin, const expr::LogProfile* profile) override;
  void expect_netscaler() override { expects_netscaler_ = true; }
  txn::ClientError client_error() const override { return error_; }
  // The tunnel that had the connection is over.
  void close();

  txn::Session facts;
  std::unique_ptr<net::Connection> connection;
  wire::Buffer received;
  const Proxy& frontend;
  const Bind& bind;
  bool is_http;  // requests come one after the other: from the start, or since an upgrade
  rt::Instant idle_since{};
  Run* busy = nullptr;                         // what serves it, unless it is parked
  const state::Server* last_server = nullptr;  // that responded
  // The client has authenticated a server connection, which is its own since; the servers whose
  // pools hold connections of this session alone.
  bool authenticated = false;
  std::forward_list<upstream::Server*> private_pools;
  std::uint64_t pool_id() const { return std::uint64_t{1} << 32 | facts.id; }

 private:
  enum class State : std::uint8_t { parked, serving, lingering };
  struct IdleTimer : rt::Timer {
    explicit IdleTimer(Session& s) : rt::Timer(&IdleTimer::fire), session(s) {}
    static void fire(rt::Timer& timer);
    Session& session;
  };

  Session(int fd, const Proxy& frontend, const Bind& bind);
  ~Session();
  void begin();  // in a fiber or the loop: connection rules, then park or serve
  bool connection_rules();
  bool expects_proxy_header() const;
  bool leading_headers();
  template <class Parse>
  txn::ClientError read_leading(txn::ClientError empty, Parse&& parse);
  txn::ClientError read_proxy_header();
  txn::ClientError read_netscaler_header();
  void log_failure();
  bool session_rules();
  void serve();  // in a fiber
  void spawn();
  void park();
  void linger();
  void on_timeout();
  void wait_for_memory();
  void end_idle();

  State state_ = State::parked;
  bool expects_netscaler_ = false;
  txn::ClientError error_ = txn::ClientError::none;
  IdleTimer timer_{*this};
  rt::Instant memory_deadline_{};  // of the client, while memory is awaited
};

}  // namespace proxy

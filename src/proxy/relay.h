// Bytes through, both ways: a TCP connection or an HTTP tunnel once its rules are done. Driven by
// the loop, without a fiber; holds bytes only where one side is slower than the other. Owned by
// itself from start() to its end, on the worker of its Run.
#pragma once

#include <algorithm>
#include <string>

#include "proxy/run.h"
#include "rt/io.h"
#include "rt/timer.h"
#include "wire/pipe.h"

namespace proxy {

class Relay final {
 public:
  // Takes over the connections of `run`, with what its inputs and outputs still hold.
  static void start(Run& run);

  std::uint64_t from_client() const { return up_.moved; }
  // With what was received before the relay took over, or without.
  std::uint64_t from_server() const { return adopted_ + down_.moved; }
  std::uint64_t received_from_server() const { return down_.moved; }
  const rt::Cost& fiber_cost() const { return fiber_cost_; }  // until the relay took over

 private:
  // One direction: from `source` to `sink`.
  struct Side final : rt::Watcher, rt::Sender {
    Side(Relay& r, net::Connection& from, net::Connection& to) : relay(r), source(from), sink(to) {}
    void on_ready() override;
    void on_sent(long put) override;
    void send_now();
    // Nothing kept, nothing come, and its end told.
    bool rests() const {
      return kept.empty() && !pipe.held() && !source.io().readable() && ended == closed;
    }
    bool calm() const { return !ended && !in_bulk && kept.empty() && !pipe.held(); }
    Relay& relay;
    net::Connection& source;
    net::Connection& sink;
    std::string_view going;  // in the scratch block, to be sent in a row with others
    std::uint64_t moved = 0;
    rt::Instant seen{};  // when bytes came last
    bool in_bulk = false;
    bool ended = false;   // no more from the source
    bool closed = false;  // and the sink knows
    bool source_broken = false, sink_broken = false;
    bool independent = false;  // those alone keep the source alive (option independent-streams)
    std::string kept;          // what the sink did not take
    std::size_t kept_at = 0;
    wire::Pipe pipe;  // the same, of what is spliced; one of the two is empty
  };
  struct IdleTimer : rt::Timer {
    explicit IdleTimer(Relay& r) : rt::Timer(&IdleTimer::fire), relay(r) {}
    static void fire(rt::Timer& timer);
    Relay& relay;
  };

  explicit Relay(Run& run);
  enum class Piece : std::uint8_t { moved, drained, stuck, ended, source_broken, sink_broken };
  void turn(bool good = true);
  bool move(Side& side);
  bool note(Side& side, Piece piece);
  Piece copy(Side& side);
  Piece splice(Side& side);
  bool flush(Side& side);
  bool flush_pipe(Side& side);
  rt::Instant expiry(const Side& of, rt::Duration timeout, rt::Duration fin) const;
  rt::Instant client_due() const { return expiry(up_, client_timeout_, client_fin_); }
  rt::Instant server_due() const { return expiry(down_, server_timeout_, server_fin_); }
  rt::Instant due() const { return std::min(client_due(), server_due()); }
  void on_timer();
  void finish_broken();
  void finish(txn::Termination end);
  static void kill(void* relay);

  Run& run_;
  Side up_, down_;
  rt::Cost fiber_cost_ = rt::costs_measured() ? rt::cost() : rt::Cost{};
  std::uint64_t adopted_ = 0;  // of the server's bytes, received before
  rt::Instant active_;
  rt::Duration client_timeout_, server_timeout_, tunnel_timeout_, client_fin_, server_fin_;
  IdleTimer timer_{*this};
  bool finishing_ = false;
  bool calm_ = false;       // both sides: what comes need only go on
  bool end_known_ = false;  // to the timer: one side has ended
};

}  // namespace proxy

#include "proxy/relay.h"

#include <algorithm>

#include "proxy/session.h"

namespace proxy {

namespace {
constexpr int kRounds = 16;           // pieces moved in one direction before the loop goes on
constexpr std::size_t kBulk = 16384;  // smaller pieces are cheaper to copy than to splice
}  // namespace

void Relay::start(Run& run) {
  auto* relay = new Relay(run);
  relay->turn();
}

Relay::Relay(Run& run)
    : run_(run),
      up_(*this, *run.client_in_.connection(), *run.server_in_.connection()),
      down_(*this, *run.server_in_.connection(), *run.client_in_.connection()),
      active_(rt::now()),
      client_timeout_(run.client_timeout()),
      server_timeout_(run.server_timeout()),
      tunnel_timeout_(run.tunnel_timeout()),
      client_fin_(run.frontend_->timeouts.client_fin),
      server_fin_(run.backend_->timeouts.server_fin) {
  run.fiber_ = nullptr;
  const auto adopt = [](Side& side, wire::Output& out, wire::Input& in) {
    side.kept = out.take_kept();
    side.kept += in.payload();
    in.consume(in.payload().size());
    side.kept += in.raw();
    side.ended = in.at_end();
    side.source_broken = in.broken();
  };
  adopt(up_, run.server_out_, run.client_in_);
  // What the client sent was counted when it came; what goes to it is counted as it goes.
  adopted_ = run.server_in_.payload().size() + run.server_in_.raw().size();
  run.server_bytes_ += run.server_in_.received();
  adopt(down_, run.client_out_, run.server_in_);
  up_.independent = run.frontend_->options.has(Option::independent_streams);
  down_.independent = run.backend_->options.has(Option::independent_streams);
  up_.seen = down_.seen = active_;
  run.client_in_.detach();
  run.server_in_.detach();
  run.relay_ = this;
  run.slot_.on_kill(&Relay::kill, this);
  up_.source.io().park(&up_);
  down_.source.io().park(&down_);
  timer_.arm(due());
}

void Relay::kill(void* relay) {
  auto& self = *static_cast<Relay*>(relay);
  const upstream::Kill why = self.run_.slot_.killed();
  self.finish({why == upstream::Kill::server_down ? txn::Cause::down
               : why == upstream::Kill::server_up ? txn::Cause::killed_up
                                                  : txn::Cause::killed,
               txn::Phase::data});
}

bool Relay::flush(Side& side) {
  if (!flush_pipe(side)) return false;
  while (side.kept_at < side.kept.size()) {
    const auto put = side.sink.write_now(std::string_view(side.kept).substr(side.kept_at));
    if (!put) {
      side.sink_broken = put.error() != net::IoError::would_block;
      return false;
    }
    side.kept_at += *put;
    active_ = rt::now();
  }
  if (side.kept.empty()) return true;
  side.kept_at = 0;
  side.kept.capacity() > 32768 ? std::string().swap(side.kept) : side.kept.clear();
  return true;
}

bool Relay::flush_pipe(Side& side) {
  while (side.pipe.size() != 0) {
    const auto put = side.pipe.drain(side.sink, false);
    if (!put) {
      side.sink_broken = put.error() != net::IoError::would_block;
      return false;
    }
    active_ = rt::now();
  }
  return true;
}

// A part of its caller: see rt/system_call.h.
[[gnu::always_inline]] inline Relay::Piece Relay::copy(Side& side) {
  const std::span<char> room = wire::scratch();
  const auto got = side.source.read_now(room);
  if (!got) return got.error() == net::IoError::would_block ? Piece::drained : Piece::source_broken;
  if (*got == 0) return Piece::ended;
  side.moved += *got;
  side.in_bulk = *got == room.size();
  const std::string_view bytes(room.data(), *got);
  // More of it may follow at once otherwise, or its end.
  if (!side.source.io().readable() && side.sink.io().writable() && wire::hold_scratch(*got)) {
    side.going = bytes;
    side.sink.write_in_a_row(bytes, side);
    return Piece::moved;
  }
  const auto put = side.sink.write_now(bytes);
  if (!put && put.error() != net::IoError::would_block) return Piece::sink_broken;
  const std::size_t taken = put ? *put : 0;
  if (taken == *got) return Piece::moved;
  side.kept.assign(room.data() + taken, *got - taken);
  return Piece::stuck;
}

void Relay::Side::on_sent(long put) {
  const std::string_view bytes = std::exchange(going, {});
  const auto taken = sink.written(put, bytes.size());
  if (taken != bytes.size()) [[unlikely]] {
    sink_broken = !taken && taken.error() != net::IoError::would_block;
    if (!sink_broken) kept = bytes.substr(taken.value_or(0));
    relay.calm_ = false;
  }
  wire::let_go_of_scratch();
  if (sink_broken && !relay.finishing_) relay.finish_broken();
}

void Relay::Side::send_now() {
  if (going.empty()) return;
  rt::Descriptor::take_back(*this);
  on_sent(rt::send(sink.io().fd(), going, MSG_NOSIGNAL));
}

Relay::Piece Relay::splice(Side& side) {
  const auto got = side.pipe.fill(side.source, UINT64_MAX);
  if (!got) return got.error() == net::IoError::would_block ? Piece::drained : Piece::source_broken;
  if (*got == 0) return Piece::ended;
  side.moved += *got;
  if (*got < kBulk) side.in_bulk = false;
  if (flush_pipe(side)) return Piece::moved;
  return side.sink_broken ? Piece::sink_broken : Piece::stuck;
}

// False when one of the two is gone for good.
[[gnu::always_inline]] inline bool Relay::note(Side& side, Piece piece) {
  if (piece != Piece::moved) [[unlikely]] {
    if (piece == Piece::drained) return true;
    side.source_broken = piece == Piece::source_broken;
    side.sink_broken = side.sink_broken || piece == Piece::sink_broken;
    side.ended = piece == Piece::ended || side.source_broken;
    if (side.source_broken || side.sink_broken) return false;
  }
  side.seen = active_ = rt::now();
  return true;
}

// What most events bring: some bytes that go on as they are.
void Relay::Side::on_ready() {
  Relay& r = relay;
  if (!r.calm_ || !going.empty() || !source.io().readable()) return r.turn();
  const Piece piece = r.copy(*this);
  const bool good = r.note(*this, piece);
  if (piece != Piece::moved || source.io().readable()) [[unlikely]]
    r.turn(good);
}

// As much as goes now; false when one of the two is gone for good.
bool Relay::move(Side& side) {
  if (!side.going.empty()) return true;  // first that
  if (!flush(side)) return !side.sink_broken;
  for (int rounds = 0; !side.ended && side.source.io().readable(); ++rounds) {
    if (rounds == kRounds) {  // others want their turn
      side.source.io().park(&side);
      return true;
    }
    const bool spliced = side.in_bulk && side.source.plain_fd() >= 0 && side.sink.plain_fd() >= 0 &&
                         side.pipe.take();
    const Piece piece = spliced ? splice(side) : copy(side);
    if (piece == Piece::drained) break;
    if (!note(side, piece)) return false;
    if (piece == Piece::stuck) return true;
  }
  if (side.pipe.held() && !side.in_bulk) side.pipe.drop();
  if (side.ended && !std::exchange(side.closed, true)) side.sink.shutdown_write();
  return true;
}

void Relay::turn(bool good) {
  if (finishing_) return;
  good = good && (up_.rests() || move(up_)) && (down_.rests() || move(down_));
  if (finishing_) return;  // broken where it was sent at once
  if (!good) return finish_broken();
  if (up_.closed && down_.closed) return finish({});
  if ((up_.ended || down_.ended) && !std::exchange(end_known_, true)) timer_.arm(due());
  calm_ = up_.calm() && down_.calm();
}

void Relay::finish_broken() {
  const bool client = up_.source_broken || down_.sink_broken;
  finish({client ? txn::Cause::client : txn::Cause::server, txn::Phase::data});
}

// The timer is not moved with each byte: when it fires it is asked what is due.
rt::Instant Relay::expiry(const Side& of, rt::Duration timeout, rt::Duration fin) const {
  if (tunnel_timeout_ != rt::kForever) timeout = tunnel_timeout_;
  if (of.ended) timeout = std::min(timeout, fin);
  const rt::Instant since = of.independent && !of.ended ? of.seen : active_;
  return timeout == rt::kForever ? rt::kNever : since + timeout;
}

void Relay::IdleTimer::fire(rt::Timer& timer) { static_cast<IdleTimer&>(timer).relay.on_timer(); }

void Relay::on_timer() {
  const rt::Instant client_end = client_due(), server_end = server_due();
  const rt::Instant end = std::min(client_end, server_end);
  if (end > rt::now()) {
    timer_.arm(end);
    return;
  }
  const bool client =
      client_end == server_end ? client_timeout_ <= server_timeout_ : client_end < server_end;
  finish({client ? txn::Cause::client_timeout : txn::Cause::server_timeout, txn::Phase::data});
}

// Logging may wait: it happens in a fiber.
void Relay::finish(txn::Termination end) {
  finishing_ = true;
  calm_ = false;
  timer_.disarm();
  up_.source.io().park(nullptr);
  down_.source.io().park(nullptr);
  up_.send_now();
  down_.send_now();
  Run& run = run_;
  run.x().end = end;
  run.x().request_body_bytes += from_client();
  run.x().response_body_bytes += from_server();
  if (end.cause == txn::Cause::client) run.backend_->state->backend.mine().client_aborts.add();
  if (end.cause == txn::Cause::server) run.backend_->state->backend.mine().server_aborts.add();
  run.slot_.on_kill(nullptr, nullptr);
  rt::spawn([this, &run] {
    run.fiber_ = rt::current();
    Session& session = *run.session_;
    run.end_exchange();
    run.relay_ = nullptr;
    delete this;
    run.give_back();
    session.close();
  });
}

After Run::start_tunnel() {
  server_keep_alive_ = false;
  if (!prepare_filtered_tunnel()) {
    Relay::start(*this);
    return After::relayed;
  }
  relay_filtered();
  keep_alive_ = false;
  end_exchange();
  return After::linger;
}

}  // namespace proxy

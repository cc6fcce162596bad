#include "proxy/tracing.h"

#include <fmt/format.h>

#include <bit>

#include "proxy/run.h"

namespace proxy {

namespace {

using obs::trace::Entry;
using obs::trace::Events;
using obs::trace::Level;
namespace h1 = obs::trace::h1;
namespace stream = obs::trace::stream;

// Numbers never come again while a trace sticks to one; addresses do.
const void* key(std::uint32_t id) { return std::bit_cast<const void*>(std::uintptr_t{id} + 1); }

void be_about(Entry& entry, const Session& session) {
  entry.about.frontend = session.facts.frontend;
  entry.about.listener = session.facts.listener;
  entry.about.session = key(session.facts.id);
  entry.about.connection = session.connection.get();
}

std::string_view name_of(const auto* thing) {
  return thing == nullptr ? std::string_view("-") : std::string_view(thing->name);
}

void add_line(Entry& entry, const txn::Exchange& e, bool request) {
  if (request && e.request_valid)
    entry.text += fmt::format(" - \"{} {} HTTP/{}.{}\"", e.request.method_text, e.request.target,
                              e.request.version.major, e.request.version.minor);
  if (!request && e.response.status != 0)
    entry.text += fmt::format(" - \"HTTP/{}.{} {} {}\"", e.response.version.major,
                              e.response.version.minor, e.response.status, e.response.reason);
}

void add_headers(Entry& entry, const txn::Exchange& e, bool request) {
  if (request ? !e.request_valid : e.response.status == 0) return;
  for (const http::Field& field : request ? e.request.headers : e.response.headers)
    entry.text += fmt::format("\n\t{}: {}", field.name, field.value);
}

}  // namespace

void trace_session(const Session& session, Events of, Level level, std::string_view text,
                   const obs::trace::Place& where) {
  obs::trace::Source& source = obs::trace::session::source;
  if (!source.wants(of)) return;
  source.take(of, level, where, [&](Entry& entry) {
    be_about(entry, session);
    entry.text = text;
    if (entry.verbosity != obs::trace::kQuiet)
      entry.text += fmt::format(" : sess={} fe={} src={}", session.facts.id,
                                name_of(session.facts.frontend), session.facts.source.text());
  });
}

void trace_connection(const Session& session, Events of, Level level, std::string_view text,
                      const obs::trace::Place& where) {
  if (!session.is_http || !h1::source.wants(of)) return;
  h1::source.take(of, level, where, [&](Entry& entry) {
    be_about(entry, session);
    entry.text = text;
    if (entry.verbosity >= obs::trace::kClean) entry.text += " : [F]";
    if (entry.verbosity >= obs::trace::kMinimal)
      entry.text +=
          fmt::format(" - sess={} fe={}", session.facts.id, name_of(session.facts.frontend));
  });
}

// What the exchange is part of, and by verbosity what is known of it.
void Run::describe(Entry& entry, std::string_view text, std::string_view side, bool request) const {
  const txn::Exchange& e = x();
  be_about(entry, *session_);
  if (side == "[B]") entry.about.connection = link_.connection.get();
  entry.about.stream = key(e.id);
  entry.about.backend = e.backend;
  entry.about.server = e.server;
  entry.text = text;
  if (entry.verbosity >= obs::trace::kClean) entry.text += fmt::format(" : {}", side);
  if (entry.verbosity >= obs::trace::kMinimal)
    entry.text += fmt::format(" - sess={} strm={} fe={} be={} srv={}", session_->facts.id, e.id,
                              name_of(e.frontend), name_of(e.backend), name_of(e.server));
  if (entry.verbosity >= obs::trace::kSimple) add_line(entry, e, request);
  if (entry.verbosity >= obs::trace::kComplete)
    entry.text += fmt::format(" - rcvd={} sent={}", client_in_.received(), client_out_.sent());
  if (entry.verbosity >= obs::trace::kAdvanced) add_headers(entry, e, request);
}

void Run::trace_h1(Events of, Level level, std::string_view text, Peer peer,
                   const obs::trace::Place& where) const {
  if (!x().is_http || !h1::source.wants(of)) return;
  // What comes from the client and goes to the server is the request.
  constexpr Events kReceived = h1::rx_data | h1::rx_headers | h1::rx_body | h1::rx_eoi;
  constexpr Events kSent = h1::tx_data | h1::tx_headers | h1::tx_body | h1::tx_eoi;
  const bool request =
      (of & (peer == Peer::client ? kReceived : kSent)) != 0 || (of & (kReceived | kSent)) == 0;
  h1::source.take(of, level, where, [&](Entry& entry) {
    describe(entry, text, peer == Peer::client ? "[F]" : "[B]", request);
  });
}

void Run::trace_stream(Events of, Level level, std::string_view text,
                       const obs::trace::Place& where) const {
  if (!stream::source.wants(of)) return;
  stream::source.take(of, level, where, [&](Entry& entry) {
    describe(entry, text, x().is_http ? "[HTTP]" : "[TCP]", !x().response_valid);
  });
}

// How an exchange ended that did not end well, or should not have.
void Run::trace_failure(unsigned status, const obs::trace::Place& where) const {
  const Events part = x().is_http ? stream::http_err : stream::tcp_err;
  trace_stream(
      stream::strm_err | part, Level::error,
      fmt::format("stream failed, termination state {}{}, status {}",
                  static_cast<char>(x().end.cause), static_cast<char>(x().end.phase), status),
      where);
}

// Where a rule answers, and Lua and statistics do.
void Run::trace_service(Events of, Level level, std::string_view text,
                        const obs::trace::Place& where) const {
  obs::trace::Source& source = obs::trace::applet::source;
  if (!source.wants(of)) return;
  source.take(of, level, where, [&](Entry& entry) {
    describe(entry, fmt::format("{} {}", text, x().service_name), "[F]", true);
  });
}

void Run::trace_begin() const {
  trace_stream(stream::strm_new, Level::state, "new stream");
  trace_h1(h1::h1s_new | h1::strm_new, Level::state, "new H1 stream", Peer::client);
}

void Run::trace_end() const {
  trace_h1(h1::h1s_end | h1::strm_end, Level::state, "releasing H1 stream", Peer::client);
  trace_stream(stream::strm_free, Level::state, "releasing stream");
}

void Run::trace_request_head() const {
  trace_h1(h1::rx_data | h1::rx_headers | h1::h1c_recv, Level::user, "rcvd H1 request headers",
           Peer::client);
  if (client_in_.all_here())
    trace_h1(h1::rx_data | h1::rx_eoi, Level::user, "H1 request fully rcvd", Peer::client);
}

void Run::trace_request_out() const {
  trace_h1(h1::tx_data | h1::tx_headers | h1::h1c_send, Level::user, "sending request headers",
           Peer::server);
  if (request_sent_)
    trace_h1(h1::tx_data | h1::tx_eoi, Level::user, "H1 request fully xferred", Peer::server);
  if (server_out_.blocked())
    trace_h1(h1::h1c_blk, Level::data, "server takes no more for now", Peer::server);
}

void Run::trace_response_head() const {
  trace_h1(h1::rx_data | h1::rx_headers | h1::h1c_recv, Level::user, "rcvd H1 response headers",
           Peer::server);
  if (server_in_.all_here())
    trace_h1(h1::rx_data | h1::rx_eoi, Level::user, "H1 response fully rcvd", Peer::server);
}

void Run::trace_response_out(bool whole) const {
  trace_h1(h1::tx_data | h1::tx_headers | h1::h1c_send, Level::user, "sending response headers",
           Peer::client);
  if (whole)
    trace_h1(h1::tx_data | h1::tx_eoi, Level::user, "H1 response fully xferred", Peer::client);
  if (client_out_.blocked())
    trace_h1(h1::h1c_blk, Level::data, "client takes no more for now", Peer::client);
}

// Bytes of a body that came from one side and went to the other.
void Run::trace_moved(Peer from, std::size_t count, bool last) const {
  const bool request = from == Peer::client;
  const std::string_view what = request ? "request" : "response";
  const Peer to = request ? Peer::server : Peer::client;
  trace_h1(h1::rx_data | h1::rx_body | h1::h1c_recv, Level::data,
           fmt::format("rcvd {} bytes of the {} body", count, what), from);
  trace_h1(h1::tx_data | h1::tx_body | h1::h1c_send, Level::data,
           fmt::format("sent {} bytes of the {} body", count, what), to);
  if (!last) return;
  trace_h1(h1::rx_data | h1::rx_eoi, Level::user, fmt::format("H1 {} fully rcvd", what), from);
  trace_h1(h1::tx_data | h1::tx_eoi, Level::user, fmt::format("H1 {} fully xferred", what), to);
}

void Run::trace_chosen_server() const {
  trace_stream(stream::strm_ana | stream::strm_proc, Level::state, "server chosen");
}

void Run::trace_connected() const {
  trace_stream(
      stream::sc_state | stream::strm_proc, Level::state,
      link_.reused ? "an idle connection to the server is used again" : "connected to the server");
  if (!link_.reused) trace_h1(h1::h1c_new, Level::state, "new H1 connection", Peer::server);
}

void Run::trace_unconnected() const {
  trace_stream(stream::sc_state | stream::strm_err, Level::error, "no connection to the server");
  trace_h1(h1::h1c_err, Level::error, "no connection to the server", Peer::server);
}

}  // namespace proxy

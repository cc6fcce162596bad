#include "obs/trace_sources.h"

#include <array>
#include <iterator>

namespace obs::trace {

namespace {

constexpr VerbosityRow kVerbosities[] = {
    {"quiet", "the bare point"},
    {"clean", "with the side it is on"},
    {"minimal", "with session, stream, proxies and server"},
    {"simple", "with the first line of the message, or the result"},
    {"advanced", "with the header fields"},
    {"complete", "with what came and went so far"},
};
constexpr VerbosityRow kFew[] = {
    {"quiet", "the bare point"},
    {"default", "with what is known of it"},
};

constexpr EventRow kH1[] = {
    {h1::h1c_new, "h1c_new", "a connection began"},
    {h1::h1c_recv, "h1c_recv", "bytes came on a connection"},
    {h1::h1c_send, "h1c_send", "bytes went out on a connection"},
    {h1::h1c_blk, "h1c_blk", "a connection takes no more"},
    {h1::h1c_wake, "h1c_wake", "a connection was woken"},
    {h1::h1c_end, "h1c_end", "a connection ended"},
    {h1::h1c_err, "h1c_err", "a connection failed"},
    {h1::rx_data, "rx_data", "payload came"},
    {h1::rx_eoi, "rx_eoi", "a message came to its end"},
    {h1::rx_headers, "rx_headers", "a head came"},
    {h1::rx_body, "rx_body", "a part of a body came"},
    {h1::tx_data, "tx_data", "payload went out"},
    {h1::tx_eoi, "tx_eoi", "a message was sent to its end"},
    {h1::tx_headers, "tx_headers", "a head went out"},
    {h1::tx_body, "tx_body", "a part of a body went out"},
    {h1::h1s_new, "h1s_new", "an exchange of messages began"},
    {h1::h1s_end, "h1s_end", "an exchange of messages ended"},
    {h1::h1s_err, "h1s_err", "an exchange of messages failed"},
    {h1::strm_new, "strm_new", "the stream of an exchange began"},
    {h1::strm_end, "strm_end", "the stream of an exchange ended"},
    {h1::strm_err, "strm_err", "the stream of an exchange failed"},
};

constexpr EventRow kStream[] = {
    {stream::strm_new, "strm_new", "a stream began"},
    {stream::strm_free, "strm_free", "a stream ended"},
    {stream::strm_err, "strm_err", "a stream failed"},
    {stream::strm_ana, "strm_ana", "a step of the life of a stream"},
    {stream::strm_proc, "strm_proc", "a stream goes on"},
    {stream::sc_state, "sc_state", "a server was reached, or not"},
    {stream::http_ana, "http_ana", "rules on HTTP messages"},
    {stream::http_err, "http_err", "an HTTP message was refused"},
    {stream::tcp_ana, "tcp_ana", "rules on bytes"},
    {stream::tcp_err, "tcp_err", "bytes were refused"},
    {stream::flt_ana, "flt_ana", "filters on messages"},
    {stream::flt_err, "flt_err", "a filter failed"},
};

constexpr EventRow kSession[] = {
    {session::sess_new, "sess_new", "a session began"},
    {session::sess_end, "sess_end", "a session ended"},
    {session::sess_err, "sess_err", "a session failed"},
};

constexpr EventRow kCheck[] = {
    {check::task_wake, "task_wake", "a check is due"},
    {check::hchck_start, "hchck_start", "a check began"},
    {check::hchck_run, "hchck_run", "a check goes on"},
    {check::hchck_end, "hchck_end", "a check ended"},
    {check::hchck_succ, "hchck_succ", "a check succeeded"},
    {check::hchck_err, "hchck_err", "a check failed"},
};

constexpr EventRow kApplet[] = {
    {applet::app_new, "app_new", "a service was chosen"},
    {applet::app_free, "app_free", "a service ended"},
    {applet::app_err, "app_err", "a service failed"},
    {applet::app_start, "app_start", "a service starts"},
};

constexpr std::uint16_t kOfSession = bit(Criterion::frontend) | bit(Criterion::listener) |
                                     bit(Criterion::nothing) | bit(Criterion::session) |
                                     bit(Criterion::thread);
constexpr std::uint16_t kOfStream =
    kOfSession | bit(Criterion::backend) | bit(Criterion::server) | bit(Criterion::stream);
constexpr std::uint16_t kOfConnection = kOfStream | bit(Criterion::connection);
constexpr std::uint16_t kOfCheck = bit(Criterion::backend) | bit(Criterion::check) |
                                   bit(Criterion::nothing) | bit(Criterion::server) |
                                   bit(Criterion::thread);

}  // namespace

namespace h1 {
constinit Source source("h1", "HTTP/1 multiplexer", kH1, kVerbosities, kOfConnection);
}
namespace stream {
constinit Source source("stream", "Applicative stream", kStream, kVerbosities, kOfStream);
}
namespace session {
constinit Source source("session", "client session management", kSession, kFew, kOfSession);
}
namespace check {
constinit Source source("check", "Health-check", kCheck, kVerbosities, kOfCheck);
}
namespace applet {
constinit Source source("applet", "Applet endpoint", kApplet, kVerbosities, kOfStream);
}

std::span<Source* const> sources() {
  static constexpr std::array<Source*, 5> kAll = {&h1::source, &stream::source, &check::source,
                                                  &applet::source, &session::source};
  return kAll;
}

Source* find_source(std::string_view name) {
  for (Source* source : sources())
    if (source->name == name) return source;
  return nullptr;
}

std::string_view why_missing(std::string_view name) {
  struct Row {
    std::string_view name, why;
  };
  static constexpr Row kMissing[] = {
      {"h2", "HTTP/2 is not spoken here"},
      {"h3", "HTTP/3 is not spoken here"},
      {"quic", "QUIC is not spoken here"},
      {"qmux", "QUIC is not spoken here"},
      {"fcgi", "FastCGI is not spoken here"},
      {"spop", "SPOP is not spoken here"},
      {"ssl", "TLS is not spoken here"},
      {"acme", "certificates are not asked for here"},
      {"peers", "the peers protocol is not spoken here"},
      {"haterm", "there is no haterm here"},
      {"pt", "connections have no multiplexer here: 'stream' traces TCP as well"},
  };
  for (const Row& row : kMissing)
    if (row.name == name) return row.why;
  return {};
}

}  // namespace obs::trace

#include "obs/trace_sources.h"

#include <array>
#include <iterator>

namespace obs::trace {

namespace {

constexpr VerbosityRow kVerbosities[] = {
    {"quiet", "only report basic information with no decoding"},
    {"clean", "only user-friendly stuff, generally suitable for level \"user\""},
    {"minimal", "add which session, stream, proxies and server it is about"},
    {"simple", "add request/response line or result when available"},
    {"advanced", "add header fields when available"},
    {"complete", "add how much was received and sent"},
};
constexpr VerbosityRow kFew[] = {
    {"quiet", "only report basic information with no decoding"},
    {"default", "report extra information when available"},
};

constexpr EventRow kH1[] = {
    {h1::h1c_new, "h1c_new", "new H1 connection"},
    {h1::h1c_recv, "h1c_recv", "Rx on H1 connection"},
    {h1::h1c_send, "h1c_send", "Tx on H1 connection"},
    {h1::h1c_blk, "h1c_blk", "H1 connection blocked"},
    {h1::h1c_wake, "h1c_wake", "H1 connection woken up"},
    {h1::h1c_end, "h1c_end", "H1 connection terminated"},
    {h1::h1c_err, "h1c_err", "error on H1 connection"},
    {h1::rx_data, "rx_data", "receipt of any H1 data"},
    {h1::rx_eoi, "rx_eoi", "receipt of end of H1 input"},
    {h1::rx_headers, "rx_headers", "receipt of H1 headers"},
    {h1::rx_body, "rx_body", "receipt of H1 body"},
    {h1::tx_data, "tx_data", "transmission of any H1 data"},
    {h1::tx_eoi, "tx_eoi", "transmission of end of H1 input"},
    {h1::tx_headers, "tx_headers", "transmission of all headers"},
    {h1::tx_body, "tx_body", "transmission of H1 body"},
    {h1::h1s_new, "h1s_new", "new H1 stream"},
    {h1::h1s_end, "h1s_end", "H1 stream terminated"},
    {h1::h1s_err, "h1s_err", "error on H1 stream"},
    {h1::strm_new, "strm_new", "app-layer stream creation"},
    {h1::strm_end, "strm_end", "detaching app-layer stream"},
    {h1::strm_err, "strm_err", "stream error"},
};

constexpr EventRow kStream[] = {
    {stream::strm_new, "strm_new", "new stream"},
    {stream::strm_free, "strm_free", "release stream"},
    {stream::strm_err, "strm_err", "error during stream processing"},
    {stream::strm_ana, "strm_ana", "stream analyzers"},
    {stream::strm_proc, "strm_proc", "stream processing"},
    {stream::sc_state, "sc_state", "processing connector states"},
    {stream::http_ana, "http_ana", "HTTP analyzers"},
    {stream::http_err, "http_err", "error during HTTP analysis"},
    {stream::tcp_ana, "tcp_ana", "TCP analyzers"},
    {stream::tcp_err, "tcp_err", "error during TCP analysis"},
    {stream::flt_ana, "flt_ana", "Filter analyzers"},
    {stream::flt_err, "flt_err", "error during filter analysis"},
};

constexpr EventRow kSession[] = {
    {session::sess_new, "sess_new", "new session creation"},
    {session::sess_end, "sess_end", "session termination"},
    {session::sess_err, "sess_err", "session error"},
};

constexpr EventRow kCheck[] = {
    {check::task_wake, "task_wake", "Check task woken up"},
    {check::hchck_start, "hchck_start", "Health-check started"},
    {check::hchck_run, "hchck_run", "Health-check running"},
    {check::hchck_end, "hchck_end", "Health-check terminated"},
    {check::hchck_succ, "hchck_succ", "Health-check success"},
    {check::hchck_err, "hchck_err", "Health-check failure"},
};

constexpr EventRow kApplet[] = {
    {applet::app_new, "app_new", "new service"},
    {applet::app_free, "app_free", "end of a service"},
    {applet::app_err, "app_err", "error of a service"},
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

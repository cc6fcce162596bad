// The sources of traces and their events, as the management guide's "trace" names them.
#pragma once

#include "obs/trace.h"

namespace obs::trace {

// HTTP/1 connections with clients and servers, and their messages.
namespace h1 {
enum : Events {
  h1c_new = Events{1} << 0,
  h1c_recv = Events{1} << 1,
  h1c_send = Events{1} << 2,
  h1c_blk = Events{1} << 3,
  h1c_wake = Events{1} << 4,
  h1c_end = Events{1} << 5,
  h1c_err = Events{1} << 6,
  rx_data = Events{1} << 7,
  rx_eoi = Events{1} << 8,
  rx_headers = Events{1} << 9,
  rx_body = Events{1} << 10,
  tx_data = Events{1} << 11,
  tx_eoi = Events{1} << 12,
  tx_headers = Events{1} << 13,
  tx_body = Events{1} << 14,
  h1s_new = Events{1} << 15,
  h1s_end = Events{1} << 16,
  h1s_err = Events{1} << 17,
  strm_new = Events{1} << 18,
  strm_end = Events{1} << 19,
  strm_err = Events{1} << 20,
};
extern Source source;
}  // namespace h1

// Requests, and TCP connections, on their way through rules and servers.
namespace stream {
enum : Events {
  strm_new = Events{1} << 0,
  strm_free = Events{1} << 1,
  strm_err = Events{1} << 2,
  strm_ana = Events{1} << 3,
  strm_proc = Events{1} << 4,
  sc_state = Events{1} << 5,
  http_ana = Events{1} << 6,
  http_err = Events{1} << 7,
  tcp_ana = Events{1} << 8,
  tcp_err = Events{1} << 9,
  flt_ana = Events{1} << 10,
  flt_err = Events{1} << 11,
};
extern Source source;
}  // namespace stream

namespace session {
enum : Events { sess_new = 1, sess_end = 2, sess_err = 4 };
extern Source source;
}  // namespace session

namespace check {
enum : Events {
  task_wake = 1 << 0,
  hchck_start = 1 << 1,
  hchck_run = 1 << 2,
  hchck_end = 1 << 3,
  hchck_succ = 1 << 4,
  hchck_err = 1 << 5,
};
extern Source source;
}  // namespace check

// Services: what answers in a server's place.
namespace applet {
enum : Events {
  app_new = 1 << 0,
  app_free = 1 << 1,
  app_err = 1 << 2,
  app_start = 1 << 3,
};
extern Source source;
}  // namespace applet

std::span<Source* const> sources();
Source* find_source(std::string_view name);
// Why a source that is known elsewhere is not there; empty for names nobody knows.
std::string_view why_missing(std::string_view name);

}  // namespace obs::trace

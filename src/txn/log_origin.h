// Where in the life of an exchange a log line is made: the steps of "log-steps" and "on" of log
// profiles, the places of "do-log" (manual sections 8.3.5 and 4.4), and what %OG prints.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace txn {

enum class LogOrigin : std::uint8_t {
  unspecified,
  session_error,  // no exchange came to be
  accept,
  request,
  connect,
  response,
  close,
  http_request,  // from here on: do-log
  http_response,
  http_after_response,
  tcp_connection,
  tcp_session,
  tcp_request,
  tcp_response,
  count_
};

struct LogStep {
  LogOrigin origin;
  std::string_view name;     // as the configuration calls it
  std::string_view printed;  // %OG
};

inline constexpr std::array<LogStep, static_cast<std::size_t>(LogOrigin::count_)> kLogSteps{
    {{LogOrigin::unspecified, "", "unspec"},
     {LogOrigin::session_error, "error", "sess_error"},
     {LogOrigin::accept, "accept", "txn_accept"},
     {LogOrigin::request, "request", "txn_request"},
     {LogOrigin::connect, "connect", "txn_connect"},
     {LogOrigin::response, "response", "txn_response"},
     {LogOrigin::close, "close", "txn_close"},
     {LogOrigin::http_request, "http-req", "http-req"},
     {LogOrigin::http_response, "http-res", "http-res"},
     {LogOrigin::http_after_response, "http-after-res", "http-after-res"},
     {LogOrigin::tcp_connection, "tcp-req-conn", "tcp-req-conn"},
     {LogOrigin::tcp_session, "tcp-req-sess", "tcp-req-sess"},
     {LogOrigin::tcp_request, "tcp-req-cont", "tcp-req-cont"},
     {LogOrigin::tcp_response, "tcp-res-cont", "tcp-res-cont"}}};

inline std::string_view printed(LogOrigin origin) {
  return kLogSteps[static_cast<std::size_t>(origin)].printed;
}

}  // namespace txn

#include <array>

#include "expr/keyword.h"

namespace expr {
namespace {

struct Source {
  std::uint32_t bit;
  std::string_view name;
};
constexpr std::array<Source, 22> kSources{{{kInternal, "internal state"},
                                           {kListener, "listener"},
                                           {kFrontendSide, "frontend"},
                                           {kClientL4, "client address"},
                                           {kClientL5, "client-side connection"},
                                           {kTracked, "track counters"},
                                           {kRequestL6, "request buffer"},
                                           {kRequestHttpV, "HTTP request headers"},
                                           {kRequestHttpP, "HTTP request"},
                                           {kRequestBody, "HTTP request body"},
                                           {kBackendSide, "backend"},
                                           {kBackendServer, "server"},
                                           {kServerL4, "server address"},
                                           {kServerL5, "server-side connection"},
                                           {kResponseL6, "response buffer"},
                                           {kResponseHttpV, "HTTP response headers"},
                                           {kResponseHttpP, "HTTP response"},
                                           {kResponseBody, "HTTP response body"},
                                           {kRequestEnd, "request buffer statistics"},
                                           {kResponseEnd, "response buffer statistics"},
                                           {kExchangeEnd, "transaction statistics"},
                                           {kSessionEnd, "session statistics"}}};

constexpr std::uint32_t kConnectionBits =
    kInternal | kListener | kFrontendSide | kClientL4 | kTracked;
constexpr std::uint32_t kSessionBits = kConnectionBits | kClientL5;
// Persistent request facts and counts stay until the end.
constexpr std::uint32_t kExchangeBits = kSessionBits | kRequestHttpP | kRequestEnd | kExchangeEnd;
constexpr std::uint32_t kRequestBits = kExchangeBits | kRequestL6 | kRequestHttpV | kRequestBody;
constexpr std::uint32_t kServerBits = kBackendServer | kServerL4 | kServerL5;
constexpr std::uint32_t kResponseBits = kExchangeBits | kBackendSide | kServerBits | kResponseL6 |
                                        kResponseHttpV | kResponseHttpP | kResponseBody |
                                        kResponseEnd;

}  // namespace

std::uint32_t available_at(txn::Point point, bool /*http*/, std::uint8_t sides) {
  std::uint32_t backend = sides & state::kBackend ? std::uint32_t{kBackendSide} : 0;
  switch (point) {
    case txn::Point::connection:
      return kConnectionBits;
    case txn::Point::session:
      return kSessionBits;
    case txn::Point::request_content:
    case txn::Point::http_request:
      return kRequestBits | backend;
    case txn::Point::balance:
      return kRequestBits | kBackendSide | kResponseEnd;
    case txn::Point::server_connect:
      return kRequestBits | kBackendSide | kBackendServer | kResponseEnd;
    case txn::Point::response_content:
    case txn::Point::http_response:
    case txn::Point::http_after_response:
      return kResponseBits;
    case txn::Point::log:
      return kExchangeBits | kBackendSide | kServerBits | kResponseHttpP | kResponseEnd |
             kSessionEnd;
    case txn::Point::check:
      return kInternal | kListener | kClientL4 | kTracked | kBackendSide | kServerBits |
             kResponseL6 | kResponseHttpV | kResponseHttpP | kResponseBody;
  }
  return 0;
}

const char* place_name(txn::Point point, std::uint8_t sides) {
  bool front = (sides & state::kFrontend) != 0;
  bool back = (sides & state::kBackend) != 0;
  switch (point) {
    case txn::Point::connection:
      return "frontend tcp-request connection rule";
    case txn::Point::session:
      return "frontend tcp-request session rule";
    case txn::Point::request_content:
      return front ? "frontend tcp-request content rule" : "backend tcp-request content rule";
    case txn::Point::http_request:
      return front ? "frontend http-request header rule" : "backend http-request header rule";
    case txn::Point::balance:
      return "backend use-server, balance or stick-match rule";
    case txn::Point::server_connect:
      return "server source selection";
    case txn::Point::response_content:
      return back ? "backend tcp-response content rule" : "frontend tcp-response content rule";
    case txn::Point::http_response:
    case txn::Point::http_after_response:
      return back ? "backend http-response header rule" : "frontend http-response header rule";
    case txn::Point::log:
      return "logs";
    case txn::Point::check:
      return "backend tcp-check rule";
  }
  return "";
}

std::string describe_sources(std::uint32_t where) {
  std::string text;
  for (const Source& s : kSources) {
    if ((where & s.bit) == 0) continue;
    if (!text.empty()) text += ',';
    text += s.name;
  }
  return text;
}

}  // namespace expr

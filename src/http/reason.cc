#include <array>

#include "http/h1.h"

namespace http {

namespace {

struct Reason {
  std::uint16_t status;
  std::string_view text;
};

constexpr std::array kReasons{
    Reason{100, "Continue"},
    Reason{101, "Switching Protocols"},
    Reason{102, "Processing"},
    Reason{200, "OK"},
    Reason{201, "Created"},
    Reason{202, "Accepted"},
    Reason{203, "Non-Authoritative Information"},
    Reason{204, "No Content"},
    Reason{205, "Reset Content"},
    Reason{206, "Partial Content"},
    Reason{207, "Multi-Status"},
    Reason{210, "Content Different"},
    Reason{226, "IM Used"},
    Reason{300, "Multiple Choices"},
    Reason{301, "Moved Permanently"},
    Reason{302, "Found"},
    Reason{303, "See Other"},
    Reason{304, "Not Modified"},
    Reason{305, "Use Proxy"},
    Reason{307, "Temporary Redirect"},
    Reason{308, "Permanent Redirect"},
    Reason{310, "Too many Redirects"},
    Reason{400, "Bad Request"},
    Reason{401, "Unauthorized"},
    Reason{402, "Payment Required"},
    Reason{403, "Forbidden"},
    Reason{404, "Not Found"},
    Reason{405, "Method Not Allowed"},
    Reason{406, "Not Acceptable"},
    Reason{407, "Proxy Authentication Required"},
    Reason{408, "Request Time-out"},
    Reason{409, "Conflict"},
    Reason{410, "Gone"},
    Reason{411, "Length Required"},
    Reason{412, "Precondition Failed"},
    Reason{413, "Request Entity Too Large"},
    Reason{414, "Request-URI Too Long"},
    Reason{415, "Unsupported Media Type"},
    Reason{416, "Requested range unsatisfiable"},
    Reason{417, "Expectation failed"},
    Reason{418, "I'm a teapot"},
    Reason{421, "Misdirected Request"},
    Reason{422, "Unprocessable Content"},
    Reason{423, "Locked"},
    Reason{424, "Method failure"},
    Reason{425, "Too Early"},
    Reason{426, "Upgrade Required"},
    Reason{428, "Precondition Required"},
    Reason{429, "Too Many Requests"},
    Reason{431, "Request Header Fields Too Large"},
    Reason{449, "Retry With"},
    Reason{450, "Blocked by Windows Parental Controls"},
    Reason{451, "Unavailable For Legal Reasons"},
    Reason{456, "Unrecoverable Error"},
    Reason{499, "client has closed connection"},
    Reason{500, "Internal Server Error"},
    Reason{501, "Not Implemented"},
    Reason{502, "Bad Gateway or Proxy Error"},
    Reason{503, "Service Unavailable"},
    Reason{504, "Gateway Time-out"},
    Reason{505, "HTTP Version not supported"},
    Reason{506, "Variant also negotiate"},
    Reason{507, "Insufficient storage"},
    Reason{508, "Loop detected"},
    Reason{509, "Bandwidth Limit Exceeded"},
    Reason{510, "Not extended"},
    Reason{511, "Network authentication required"},
    Reason{520, "Web server is returning an unknown error"},
};

constexpr std::array<std::string_view, 6> kClasses{"Other",       "Informational", "Success",
                                                   "Redirection", "Client Error",  "Server Error"};

// By status: one more than the place in kReasons, 0 for none.
constexpr auto kPlaces = [] {
  std::array<std::uint8_t, 600> places{};
  for (std::size_t i = 0; i < kReasons.size(); ++i)
    places[kReasons[i].status] = static_cast<std::uint8_t>(i + 1);
  return places;
}();

}  // namespace

std::string_view reason_phrase(unsigned status) {
  const unsigned place = status < kPlaces.size() ? kPlaces[status] : 0;
  if (place != 0) return kReasons[place - 1].text;
  const unsigned kind = status / 100;
  return kClasses[kind < kClasses.size() ? kind : 0];
}

}  // namespace http

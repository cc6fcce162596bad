// A small HTTP/1.1 client for HTTPClient: one request, one response, read whole. Runs in the
// calling fiber, without the state.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "lua/destination.h"

namespace lua {

struct OutboundRequest {
  http::Method method = http::Method::get;
  std::string host;  // of the URL, with its port when one was written
  int port = 80;
  std::string target;  // path and query
  Destination destination;
  std::string headers;  // lines, as sent
  bool has_host = false, has_user_agent = false;
  std::string body;
  std::int64_t timeout_ms = 0;

  // What is wrong with it, or null.
  const char* set_url(std::string_view url);
  // Framing and connection headers are this client's own business and left out.
  void add_header(std::string_view name, std::string_view value);
};

struct InboundResponse {
  int status = 0;  // 0: there was none
  std::string reason;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

// Of all requests (httpclient.*). Before the first one.
struct ClientSettings {
  rt::Duration connect_timeout = std::chrono::seconds(5);
  unsigned retries = 3;  // without a connection, or without a response
  int first_family = 0;  // AF_INET, AF_INET6; 0: in the resolver's order
};
void set_client(const ClientSettings& settings);

InboundResponse exchange(const OutboundRequest& request);

}  // namespace lua

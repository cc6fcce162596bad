#include "expr/fetch/support.h"

#include <ctime>

#include "http/h1.h"

namespace expr::fetch {

std::int64_t wall_us() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * std::int64_t{1000000} + now.tv_nsec / 1000;
}

// TCP proxies may look at HTTP/1 requests in their stream (manual section 7.3.6). The parser
// changes names in place, so it works on a copy.
const http::RequestHead* parsed_from_stream(Context& context) {
  txn::Exchange& exchange = *context.exchange;
  if (exchange.is_http || exchange.request_channel == nullptr) return nullptr;
  std::string_view bytes = exchange.request_channel->data();
  if (bytes.empty()) {
    may_grow(context, *exchange.request_channel);
    return nullptr;
  }
  char* copy = exchange.arena.allocate_chars(bytes.size());
  std::memcpy(copy, bytes.data(), bytes.size());
  std::size_t consumed = 0;
  http::ParseError error;
  exchange.request.clear();
  switch (http::parse_request_head({copy, bytes.size()}, {}, exchange.request, consumed, error)) {
    case http::Parse::complete:
      exchange.request_valid = true;
      exchange.original_target = exchange.request.target;
      exchange.original_method = exchange.request.method_text;
      return &exchange.request;
    case http::Parse::need_more:
      may_grow(context, *exchange.request_channel);
      return nullptr;
    case http::Parse::error:
      return nullptr;
  }
  return nullptr;
}

std::string_view path_and_query(std::string_view target) {
  if (target.empty()) return {};
  if (target.front() == '/') return target;
  std::size_t scheme = target.find("://");
  if (scheme == std::string_view::npos) return {};
  std::size_t slash = target.find('/', scheme + 3);
  return slash == std::string_view::npos ? std::string_view() : target.substr(slash);
}

std::int64_t leading_number(std::string_view text) {
  std::size_t i = 0;
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    i = 1;
  }
  std::uint64_t value = 0;
  for (; i < text.size() && base::is_digit(text[i]); ++i) {
    value = value * 10 + static_cast<std::uint64_t>(text[i] - '0');
    if (value > INT64_MAX) return negative ? INT64_MIN : INT64_MAX;
  }
  return negative ? -static_cast<std::int64_t>(value) : static_cast<std::int64_t>(value);
}

}  // namespace expr::fetch

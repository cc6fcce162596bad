#include "lua/http_exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "http/h1.h"
#include "http/uri.h"

namespace lua {

namespace {

constexpr std::size_t kReadAtOnce = 16384;
constexpr rt::Duration kRetryPause = std::chrono::seconds(1);
ClientSettings client;

// Header names and values must not make lines of their own.
bool has_control(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

std::string head_of(const OutboundRequest& request) {
  std::string out =
      fmt::format("{} {} HTTP/1.1\r\n", http::name_of(request.method), request.target);
  if (!request.has_host) out += fmt::format("host: {}\r\n", request.host);
  if (!request.has_user_agent) out += "user-agent: moongate\r\n";
  out += request.headers;
  if (!request.body.empty() || request.method == http::Method::post ||
      request.method == http::Method::put)
    out += fmt::format("content-length: {}\r\n", request.body.size());
  return out + "connection: close\r\n\r\n";
}

class ResponseReader {
 public:
  ResponseReader(net::Connection& connection, const OutboundRequest& request)
      : connection_(connection), request_(request) {}

  bool read(InboundResponse& out) {
    if (!read_head()) return false;
    out.status = head_.status;
    out.reason = head_.reason;
    for (const http::Field& field : head_.headers)
      out.headers.emplace_back(field.name, field.value);
    input_.erase(0, consumed_);
    switch (head_.framing) {
      case http::Framing::none:
        return true;
      case http::Framing::length:
        return read_length(out.body);
      case http::Framing::chunked:
        return read_chunked(out.body);
      case http::Framing::until_close:
        break;
    }
    while (more()) continue;
    out.body = std::move(input_);
    return !late_;
  }
  bool junk() const { return junk_; }

 private:
  bool more() {
    const std::size_t before = input_.size();
    input_.resize(before + kReadAtOnce);
    auto got = connection_.read(std::span(input_).subspan(before),
                                rt::deadline(rt::milliseconds(request_.timeout_ms)));
    input_.resize(before + (got ? *got : 0));
    late_ = !got && got.error() == net::IoError::timed_out;
    return got && *got != 0;
  }

  bool read_head() {
    http::ParseLimits limits;
    limits.max_head = 65536;
    http::ParseError error;
    while (true) {
      head_.clear();
      const http::Parse state = http::parse_response_head(std::span(input_), limits,
                                                          request_.method, head_, consumed_, error);
      junk_ = state == http::Parse::error;
      if (junk_) return false;
      if (state == http::Parse::complete) {
        if (head_.status >= 200 || head_.status == 101) return true;
        input_.erase(0, consumed_);
        continue;
      }
      if (!more()) return false;
    }
  }

  bool read_length(std::string& body) {
    while (input_.size() < head_.content_length)
      if (!more()) break;
    const bool whole = input_.size() >= head_.content_length;
    if (whole) input_.resize(head_.content_length);
    body = std::move(input_);
    return whole;
  }

  bool read_chunked(std::string& body) {
    http::ChunkedReader chunks;
    http::ParseError error;
    while (true) {
      std::size_t consumed = 0;
      std::string_view payload;
      const http::Parse state = chunks.step(std::span(input_), consumed, payload, error);
      if (state == http::Parse::error) return false;
      body.append(payload);
      const bool progressed = consumed != 0 || !payload.empty();
      const std::size_t used =
          payload.empty() ? consumed
                          : std::max<std::size_t>(
                                consumed, static_cast<std::size_t>(payload.data() - input_.data()) +
                                              payload.size());
      input_.erase(0, used);
      if (state == http::Parse::complete) return true;
      if (!progressed && !more()) return false;
    }
  }

  net::Connection& connection_;
  const OutboundRequest& request_;
  std::string input_;
  std::size_t consumed_ = 0;
  bool late_ = false, junk_ = false;
  http::ResponseHead head_;
};

InboundResponse failure(std::string reason) {
  InboundResponse out;
  out.reason = std::move(reason);
  return out;
}

}  // namespace

const char* OutboundRequest::set_url(std::string_view url) {
  if (base::istarts_with(url, "https://")) return "TLS is not supported yet";
  if (!base::istarts_with(url, "http://")) return "the URL must start with http://";
  if (has_control(url) || url.find(' ') != std::string_view::npos) return "invalid URL";
  url.remove_prefix(7);
  const std::size_t end = std::min(url.find_first_of("/?"), url.size());
  std::string_view authority = url.substr(0, end);
  target = url.substr(end).empty() || url[end] == '?' ? "/" : "";
  target += url.substr(end);
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos)
    authority.remove_prefix(at + 1);
  if (authority.empty()) return "the URL names no host";
  const std::string_view port_text = http::port_only(authority);
  if (!port_text.empty()) {
    const auto number = base::parse_int<std::uint16_t>(port_text);
    if (!number || *number == 0) return "invalid port in the URL";
    port = *number;
  }
  host = authority;
  return nullptr;
}

void OutboundRequest::add_header(std::string_view name, std::string_view value) {
  static constexpr std::string_view kOwn[] = {"content-length", "transfer-encoding", "connection",
                                              "keep-alive", "proxy-connection"};
  for (const std::string_view own : kOwn)
    if (base::iequals(name, own)) return;
  if (name.empty() || has_control(name) || has_control(value)) return;
  if (base::iequals(name, "host")) has_host = true;
  if (base::iequals(name, "user-agent")) has_user_agent = true;
  headers.append(name).append(": ").append(value).append("\r\n");
}

void set_client(const ClientSettings& settings) { client = settings; }

namespace {

// Nothing when another attempt may be made.
std::optional<InboundResponse> attempt(const OutboundRequest& request,
                                       net::Connection& connection) {
  const std::string head = head_of(request);
  const iovec parts[2] = {{const_cast<char*>(head.data()), head.size()},
                          {const_cast<char*>(request.body.data()), request.body.size()}};
  const auto until = rt::deadline(rt::milliseconds(request.timeout_ms));
  // A server may answer before it has read everything.
  (void)connection.write(std::span(parts, request.body.empty() ? 1 : 2), until).has_value();
  InboundResponse response;
  ResponseReader reader(connection, request);
  if (reader.read(response)) return response;
  if (response.status == 0 && !reader.junk()) return std::nullopt;
  return failure("no complete response");
}

}  // namespace

InboundResponse exchange(const OutboundRequest& request) {
  std::string trouble;
  for (unsigned attempts = 0; attempts <= client.retries && !rt::cancelled(); ++attempts) {
    auto connection =
        request.destination.connect(rt::deadline(client.connect_timeout), client.first_family);
    if (connection) {
      if (auto response = attempt(request, **connection)) return std::move(*response);
      trouble = "no complete response";
      continue;
    }
    trouble = net::describe(connection.error());
    if (attempts == client.retries) break;
    if (rt::sleep_for(std::min(kRetryPause, client.connect_timeout)) == rt::Wait::cancelled) break;
  }
  return failure(std::move(trouble));
}

}  // namespace lua

// What the files of sample fetches share: the heads of the messages wherever they can be had.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "expr/support.h"

namespace expr::fetch {

// Any place that sees a client or is a check.
inline constexpr std::uint32_t kAnywhere = kInternal | kConfig;  // constants: also while parsing
inline constexpr std::uint32_t kTransaction = kRequestHttpP;     // from the request to the log

inline bool give_ip(Value& out, const net::Ip& ip) {
  out = Value::of(ip);
  return static_cast<bool>(out);
}

std::int64_t wall_us();
std::string_view host_name(base::Arena& arena);

// The bytes of a direction that are there to be looked at; null when nothing can be.
inline txn::Channel* channel(Context& context, txn::Direction direction) {
  if (context.exchange == nullptr) return nullptr;
  return direction == txn::Direction::request ? context.exchange->request_channel
                                              : context.exchange->response_channel;
}
// Whether more bytes may come that a rule can wait for; then the context is told to wait.
inline bool may_grow(Context& context, const txn::Channel& bytes) {
  if (context.final || bytes.complete() || bytes.full()) return false;
  context.incomplete = true;
  return true;
}

// The exchange, once it can be told what it is about: HTTP has none before the request's head.
inline txn::Exchange* stream_of(Context& context) {
  txn::Exchange* exchange = context.exchange;
  if (exchange == nullptr || (exchange->is_http && !exchange->request_valid)) return nullptr;
  return exchange;
}

const http::RequestHead* parsed_from_stream(Context& context);
// Null when there is no request: none yet, or the stream is not HTTP.
inline const http::RequestHead* request_head(Context& context) {
  if (context.exchange == nullptr) return nullptr;
  if (context.exchange->request_valid) [[likely]]
    return &context.exchange->request;
  return parsed_from_stream(context);
}
inline const http::ResponseHead* response_head(Context& context) {
  if (context.exchange == nullptr || !context.exchange->response_valid) return nullptr;
  return &context.exchange->response;
}
inline const http::Headers* headers_of(Context& context, txn::Direction direction) {
  if (direction == txn::Direction::request) {
    const http::RequestHead* head = request_head(context);
    return head == nullptr ? nullptr : &head->headers;
  }
  const http::ResponseHead* head = response_head(context);
  return head == nullptr ? nullptr : &head->headers;
}

// From the first slash on, with the query; empty for "*" and authority forms.
std::string_view path_and_query(std::string_view target);
inline std::string_view path_of(std::string_view target) {
  std::string_view rest = path_and_query(target);
  return rest.substr(0, rest.find('?'));
}

// The leading decimal number of a text, with a sign; 0 without one.
std::int64_t leading_number(std::string_view text);

}  // namespace expr::fetch

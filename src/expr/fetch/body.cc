// Bodies as far as they are buffered (manual section 7.3.6).
#include "expr/fetch/query.h"
#include "expr/fetch/support.h"
#include "expr/fetch/tables.h"

namespace expr::fetch {
namespace {

constexpr txn::Direction kRequest = txn::Direction::request;
constexpr txn::Direction kResponse = txn::Direction::response;

bool available(Context& context, txn::Direction direction, std::string_view& out) {
  if (headers_of(context, direction) == nullptr) return false;
  txn::Channel* bytes = channel(context, direction);
  out = bytes == nullptr ? std::string_view() : bytes->data();
  return true;
}

template <txn::Direction direction>
bool body(Args, Context& context, Value& out, const FetchRow&) {
  std::string_view bytes;
  return available(context, direction, bytes) && give_binary(out, bytes);
}
template <txn::Direction direction>
bool body_length(Args, Context& context, Value& out, const FetchRow&) {
  std::string_view bytes;
  return available(context, direction, bytes) && give(out, static_cast<std::int64_t>(bytes.size()));
}
// The advertised length, or what is there when none was advertised.
template <txn::Direction direction>
bool body_size(Args, Context& context, Value& out, const FetchRow&) {
  std::string_view bytes;
  if (!available(context, direction, bytes)) return false;
  const txn::Exchange& exchange = *context.exchange;
  bool advertised = direction == kRequest ? exchange.request.framing == http::Framing::length
                                          : exchange.response.framing == http::Framing::length;
  std::uint64_t length =
      direction == kRequest ? exchange.request.content_length : exchange.response.content_length;
  return give(out, static_cast<std::int64_t>(advertised ? length : bytes.size()));
}

bool parameter(Args args, Context& context, Value& out, const FetchRow&) {
  std::string_view bytes, text;
  if (!available(context, kRequest, bytes)) return false;
  if (!find_parameter(bytes, text_or(args, 0), "&", text_or(args, 1) == "i", context.occurrences,
                      text))
    return false;
  return give_binary(out, text);
}
// clang-format off
constexpr FetchRow kRows[] = {
    {{"req.body", "", "The request's body as far as it is buffered."},
     Type::binary, kRequestBody, body<kRequest>},
    {{"req.body_len", "", "How many bytes of the request's body are buffered."},
     Type::integer, kRequestBody, body_length<kRequest>},
    {{"req.body_param", "[ss", "A parameter of a form in the request's body."},
     Type::binary, kRequestBody, parameter},
    {{"req.body_size", "", "The length of the request's body as advertised."},
     Type::integer, kRequestBody, body_size<kRequest>},
    {{"res.body", "", "The response's body as far as it is buffered."},
     Type::binary, kResponseBody, body<kResponse>},
    {{"res.body_len", "", "How many bytes of the response's body are buffered."},
     Type::integer, kResponseBody, body_length<kResponse>},
    {{"res.body_size", "", "The length of the response's body as advertised."},
     Type::integer, kResponseBody, body_size<kResponse>},
};
// clang-format on

}  // namespace

std::span<const FetchRow> body_fetches() { return kRows; }

}  // namespace expr::fetch

// What was kept of the request and the response for later: original request line, captured headers
// (manual sections 7.3.6 and 8.8).
#include "expr/fetch/support.h"
#include "expr/fetch/tables.h"

namespace expr::fetch {
namespace {

const txn::Exchange* with_request(Context& context) {
  return request_head(context) != nullptr ? context.exchange : nullptr;
}

bool method(Args, Context& context, Value& out, const FetchRow&) {
  const txn::Exchange* exchange = with_request(context);
  if (exchange == nullptr) return false;
  return give_text(out, exchange->original_method.empty() ? exchange->request.method_text
                                                          : exchange->original_method);
}
bool uri(Args, Context& context, Value& out, const FetchRow&) {
  const txn::Exchange* exchange = with_request(context);
  if (exchange == nullptr) return false;
  std::string_view target =
      exchange->original_target.empty() ? exchange->request.target : exchange->original_target;
  std::string_view path = path_and_query(target);
  return give_text(out, path.empty() ? target : path);
}
bool give_version(Value& out, http::Version version) {
  if (version.major == 1) return give_text(out, version.minor == 0 ? "HTTP/1.0" : "HTTP/1.1");
  if (version.major == 2) return give_text(out, "HTTP/2.0");
  return version.major == 3 && give_text(out, "HTTP/3.0");
}
bool request_version(Args, Context& context, Value& out, const FetchRow&) {
  const txn::Exchange* exchange = with_request(context);
  return exchange != nullptr && give_version(out, exchange->request.version);
}
bool response_version(Args, Context& context, Value& out, const FetchRow&) {
  const http::ResponseHead* head = response_head(context);
  return head != nullptr && give_version(out, head->version);
}

bool slot(const std::vector<std::string_view>& slots, Args args, Value& out) {
  auto index = static_cast<std::size_t>(args[0].integer());
  if (index >= slots.size() || slots[index].data() == nullptr) return false;
  return give_text(out, slots[index]);
}
bool request_header(Args args, Context& context, Value& out, const FetchRow&) {
  return context.exchange != nullptr && slot(context.exchange->request_captures, args, out);
}
bool response_header(Args args, Context& context, Value& out, const FetchRow&) {
  return context.exchange != nullptr && slot(context.exchange->response_captures, args, out);
}

// clang-format off
constexpr FetchRow kRows[] = {
    {{"capture.req.hdr", "i", "The text in a capture slot of the request."},
     Type::string, kRequestHttpP, request_header},
    {{"capture.req.method", "", "The method as the client sent it."},
     Type::string, kRequestHttpP, method},
    {{"capture.req.uri", "", "The path and query as the client sent them."},
     Type::string, kRequestHttpP, uri},
    {{"capture.req.ver", "", "The request's version as in HTTP/1.1."},
     Type::string, kRequestHttpP, request_version},
    {{"capture.res.hdr", "i", "The text in a capture slot of the response."},
     Type::string, kResponseHttpP, response_header},
    {{"capture.res.ver", "", "The response's version as in HTTP/1.1."},
     Type::string, kRequestHttpP, response_version},
};
// clang-format on

}  // namespace

std::span<const FetchRow> capture_fetches() { return kRows; }

}  // namespace expr::fetch

// The request line and what is in it, and status lines (manual section 7.3.6).
#include "base/hash.h"
#include "expr/fetch/support.h"
#include "expr/fetch/tables.h"
#include "http/uri.h"

namespace expr::fetch {
namespace {

bool method(Args, Context& context, Value& out, const FetchRow&) {
  const http::RequestHead* head = request_head(context);
  if (head == nullptr) return false;
  out = Value::of(head->method, head->method_text);
  return true;
}
bool url(Args, Context& context, Value& out, const FetchRow&) {
  const http::RequestHead* head = request_head(context);
  return head != nullptr && give_text(out, head->target);
}
bool path(Args, Context& context, Value& out, const FetchRow&) {
  const http::RequestHead* head = request_head(context);
  if (head == nullptr) return false;
  std::string_view text = path_of(head->target);
  return !text.empty() && give_text(out, text);
}
bool pathq(Args, Context& context, Value& out, const FetchRow&) {
  const http::RequestHead* head = request_head(context);
  if (head == nullptr) return false;
  std::string_view text = path_and_query(head->target);
  return !text.empty() && give_text(out, text);
}

// query(with_qm) keeps the question mark of a query that is not empty.
bool query(Args args, Context& context, Value& out, const FetchRow&) {
  const http::RequestHead* head = request_head(context);
  if (head == nullptr) return false;
  std::size_t mark = head->target.find('?');
  if (mark == std::string_view::npos) return false;
  std::string_view text = head->target.substr(mark + 1);
  if (has(args, 0) && !text.empty()) text = head->target.substr(mark);
  return give_text(out, text);
}
bool check_query(std::vector<Argument>& args, std::string& error) {
  if (args.empty() || !args[0].present()) return true;
  if (args[0].text().empty()) {
    args[0].value = std::monostate();
    return true;
  }
  if (args[0].text() == "with_qm") return true;
  error = "'" + args[0].text() + "' is not supported, only 'with_qm' is";
  return false;
}

std::string_view host_and(Context& context, const http::RequestHead& head, std::string_view rest) {
  const http::Field* host = head.headers.find(http::HeaderId::host);
  if (host == nullptr || host->value.empty()) return rest;
  Text text(context.arena, host->value.size() + rest.size());
  return text.add(host->value).add(rest).view();
}
bool base_text(Context& context, bool with_query, std::string_view& text) {
  const http::RequestHead* head = request_head(context);
  if (head == nullptr) return false;
  text =
      host_and(context, *head, with_query ? path_and_query(head->target) : path_of(head->target));
  return !text.empty();
}
bool base_without(Args, Context& context, Value& out, const FetchRow&) {
  std::string_view text;
  return base_text(context, false, text) && give_text(out, text);
}
bool base_with(Args, Context& context, Value& out, const FetchRow&) {
  std::string_view text;
  return base_text(context, true, text) && give_text(out, text);
}

// The manual's sdbm(1).
std::uint32_t hash(std::string_view text) { return base::avalanche(base::hash_sdbm(text)); }
bool hashed(Context& context, bool whole_url, std::uint32_t& out) {
  std::string_view text;
  if (whole_url) {
    const http::RequestHead* head = request_head(context);
    if (head == nullptr) return false;
    const http::Field* host = head->headers.find(http::HeaderId::host);
    text = host == nullptr ? head->target : host_and(context, *head, path_and_query(head->target));
  } else if (!base_text(context, false, text)) {
    return false;
  }
  out = hash(text);
  return true;
}
template <bool whole_url>
bool hash32(Args, Context& context, Value& out, const FetchRow&) {
  std::uint32_t number = 0;
  return hashed(context, whole_url, number) && give(out, number);
}
template <bool whole_url>
bool hash32_src(Args, Context& context, Value& out, const FetchRow&) {
  std::uint32_t number = 0;
  if (context.session == nullptr || !hashed(context, whole_url, number)) return false;
  net::Ip ip = context.session->source.ip();
  if (ip.family == 0) return false;
  std::size_t size = ip.family == AF_INET ? 4 : 16;
  Text text(context.arena, 4 + size);
  for (int shift = 24; shift >= 0; shift -= 8) text.add(static_cast<char>(number >> shift));
  text.add({reinterpret_cast<const char*>(&ip.v6), size});
  return give_binary(out, text.view());
}

bool absolute_target(Context& context, net::Ip& ip, std::uint16_t& port) {
  const http::RequestHead* head = request_head(context);
  if (head == nullptr) return false;
  http::Target target = http::split_target(head->target, head->method == http::Method::connect);
  if (target.authority.empty()) return false;
  std::string_view authority = target.authority;
  if (std::size_t at = authority.rfind('@'); at != std::string_view::npos)
    authority.remove_prefix(at + 1);
  ip = net::Ip::parse(http::host_only(authority));
  if (ip.family != AF_INET) return false;
  std::string_view text = http::port_only(authority);
  port = text.empty() ? (base::iequals(target.scheme, "https") ? 443 : 80)
                      : base::parse_int<std::uint16_t>(text).value_or(0);
  return true;
}
bool url_ip(Args, Context& context, Value& out, const FetchRow&) {
  net::Ip ip;
  std::uint16_t port = 0;
  return absolute_target(context, ip, port) && give_ip(out, ip);
}
bool url_port(Args, Context& context, Value& out, const FetchRow&) {
  net::Ip ip;
  std::uint16_t port = 0;
  return absolute_target(context, ip, port) && give(out, port);
}

std::string_view version_text(http::Version version) {
  if (version.major == 1) return version.minor == 0 ? "1.0" : "1.1";
  return version.major == 2 ? "2.0" : version.major == 3 ? "3.0" : "";
}
bool request_version(Args, Context& context, Value& out, const FetchRow&) {
  const http::RequestHead* head = request_head(context);
  if (head == nullptr) return false;
  std::string_view text = version_text(head->version);
  return !text.empty() && give_text(out, text);
}
bool response_version(Args, Context& context, Value& out, const FetchRow&) {
  const http::ResponseHead* head = response_head(context);
  if (head == nullptr) return false;
  std::string_view text = version_text(head->version);
  return !text.empty() && give_text(out, text);
}

// Whether the stream looks like HTTP: known only once a whole head is there (manual 7.3.5).
bool proto_http(Args, Context& context, Value& out, const FetchRow&) {
  if (request_head(context) != nullptr) return give_bool(out, true);
  return !context.incomplete && give_bool(out, false);
}
bool first_request(Args, Context& context, Value& out, const FetchRow&) {
  return context.session != nullptr && give_bool(out, context.session->requests <= 1);
}
bool status(Args, Context& context, Value& out, const FetchRow&) {
  const http::ResponseHead* head = response_head(context);
  return head != nullptr && give(out, head->status);
}
bool server_status(Args, Context& context, Value& out, const FetchRow&) {
  if (context.exchange == nullptr || context.exchange->server_status == 0) return false;
  return give(out, context.exchange->server_status);
}

// clang-format off
constexpr FetchRow kRows[] = {
    {{"base", "", "The Host header and the path, without the query."},
     Type::string, kRequestHttpV, base_without},
    {{"base32", "", "A 32-bit hash of base."}, Type::integer, kRequestHttpV, hash32<false>},
    {{"base32+src", "", "A 32-bit hash of base followed by the client's address."},
     Type::binary, kRequestHttpV, hash32_src<false>},
    {{"baseq", "", "The Host header and the path with the query."},
     Type::string, kRequestHttpV, base_with},
    {{"http_first_req", "", "Whether this is the first request of its connection."},
     Type::boolean, kRequestHttpP, first_request},
    {{"method", "", "The request's method."}, Type::method, kRequestHttpP, method},
    {{"path", "", "The path of the target, without the query."}, Type::string, kRequestHttpV, path},
    {{"pathq", "", "The path of the target with the query."}, Type::string, kRequestHttpV, pathq},
    {{"query", "[s", "What follows the question mark; with_qm keeps the mark."},
     Type::string, kRequestHttpV, query, check_query},
    {{"req.proto_http", "", "Whether the request's bytes are HTTP."},
     Type::boolean, kRequestHttpP, proto_http},
    {{"req_proto_http", "", "As req.proto_http."}, Type::boolean, kRequestHttpP, proto_http},
    {{"req.ver", "", "The request's HTTP version, such as 1.1."},
     Type::string, kRequestHttpP, request_version},
    {{"req_ver", "", "As req.ver."}, Type::string, kRequestHttpP, request_version},
    {{"res.ver", "", "The response's HTTP version, such as 1.1."},
     Type::string, kResponseHttpP, response_version},
    {{"resp_ver", "", "As res.ver."}, Type::string, kResponseHttpP, response_version},
    {{"server_status", "", "The status as the server sent it."},
     Type::integer, kResponseHttpP, server_status},
    {{"status", "", "The response's status."}, Type::integer, kResponseHttpP, status},
    {{"url", "", "The whole target of the request."}, Type::string, kRequestHttpV, url},
    {{"url32", "", "A 32-bit hash of the Host header and the target."},
     Type::integer, kRequestHttpV, hash32<true>},
    {{"url32+src", "", "A 32-bit hash as url32, followed by the client's address."},
     Type::binary, kRequestHttpV, hash32_src<true>},
    {{"url_ip", "", "The IPv4 address in an absolute target."}, Type::ipv4, kRequestHttpV, url_ip},
    {{"url_port", "", "The port in an absolute target."}, Type::integer, kRequestHttpV, url_port},
};
// clang-format on

}  // namespace

std::span<const FetchRow> request_fetches() { return kRows; }

}  // namespace expr::fetch

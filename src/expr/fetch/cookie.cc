// Cookies (RFC 6265, manual section 7.3.6): of requests in Cookie, of responses in Set-Cookie.
#include "expr/fetch/support.h"
#include "expr/fetch/tables.h"

namespace expr::fetch {
namespace {

enum class Side { request, response, context };

struct Cookie {
  std::string_view name, value;
};

// The pair at `from`, which moves behind it; false at the end.
bool next_pair(std::string_view text, std::size_t& from, Cookie& out) {
  while (from < text.size()) {
    std::size_t end = text.find(';', from);
    if (end == std::string_view::npos) end = text.size();
    std::string_view pair = base::trim(text.substr(from, end - from));
    from = end + 1;
    std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    out = {base::trim(pair.substr(0, equals)), base::trim(pair.substr(equals + 1))};
    return true;
  }
  return false;
}

// Walks the cookies from a place on: `field` and `offset` say where it goes on. A Set-Cookie header
// holds one cookie; what follows in it are attributes.
class Walk {
 public:
  Walk(const http::Headers& headers, bool response) : headers_(headers), response_(response) {}
  bool next(Cookie& out) {
    http::HeaderId id = response_ ? http::HeaderId::set_cookie : http::HeaderId::cookie;
    for (; field < headers_.size(); ++field, offset = 0) {
      if (headers_[field].id != id) continue;
      if (!next_pair(headers_[field].value, offset, out)) continue;
      if (response_) {
        ++field;
        offset = 0;
      }
      return true;
    }
    return false;
  }
  std::size_t field = 0, offset = 0;

 private:
  const http::Headers& headers_;
  bool response_;
};

template <Side side>
bool is_response(Context& context) {
  if constexpr (side == Side::context) return context.direction == txn::Direction::response;
  return side == Side::response;
}

bool find(Context& context, bool response, Args args, std::string_view& out) {
  const http::Headers* headers =
      headers_of(context, response ? txn::Direction::response : txn::Direction::request);
  if (headers == nullptr) return false;
  std::string_view name = text_or(args, 0);
  Walk walk(*headers, response);
  Occurrences* at = context.occurrences;
  if (at != nullptr) {
    walk.field = at->next;
    walk.offset = at->offset;
    at->more = false;
  }
  bool found = false;
  for (Cookie cookie; walk.next(cookie);) {
    if (!name.empty() && cookie.name != name) continue;
    out = cookie.value;
    found = true;
    if (at != nullptr) {
      at->next = static_cast<std::uint32_t>(walk.field);
      at->offset = static_cast<std::uint32_t>(walk.offset);
      at->more = true;
      return true;
    }
    if (name.empty()) return true;
  }
  return found;
}

template <Side side>
bool cookie(Args args, Context& context, Value& out, const FetchRow&) {
  std::string_view text;
  return find(context, is_response<side>(context), args, text) && give_text(out, text);
}
template <Side side>
bool cookie_number(Args args, Context& context, Value& out, const FetchRow&) {
  std::string_view text;
  return find(context, is_response<side>(context), args, text) && give(out, leading_number(text));
}
template <Side side>
bool cookie_count(Args args, Context& context, Value& out, const FetchRow&) {
  constexpr bool response = side == Side::response;
  const http::Headers* headers =
      headers_of(context, response ? txn::Direction::response : txn::Direction::request);
  if (headers == nullptr) return false;
  std::string_view name = text_or(args, 0);
  std::int64_t n = 0;
  Walk walk(*headers, response);
  for (Cookie found; walk.next(found);) n += name.empty() || found.name == name;
  return give(out, n);
}
template <Side side>
bool cookie_names(Args args, Context& context, Value& out, const FetchRow&) {
  constexpr bool response = side == Side::response;
  const http::Headers* headers =
      headers_of(context, response ? txn::Direction::response : txn::Direction::request);
  if (headers == nullptr) return false;
  std::string line;
  Walk walk(*headers, response);
  for (Cookie found; walk.next(found);) {
    if (!line.empty()) line += text_or(args, 0, ",").substr(0, 1);
    line += found.name;
  }
  return give_text(out, context.arena.copy(line));
}

// clang-format off
constexpr FetchRow kRows[] = {
    {{"cook", "[s", "As req.cook."}, Type::string, kRequestHttpV, cookie<Side::request>},
    {{"cook_cnt", "[s", "As req.cook_cnt."},
     Type::integer, kRequestHttpV, cookie_count<Side::request>},
    {{"cook_val", "[s", "As req.cook_val."},
     Type::integer, kRequestHttpV, cookie_number<Side::request>},
    {{"cookie", "[s", "As req.cook in requests and res.cook in responses."},
     Type::string, kRequestHttpV | kResponseHttpV, cookie<Side::context>},
    {{"req.cook", "[s", "The value of a request's cookie."},
     Type::string, kRequestHttpV, cookie<Side::request>},
    {{"req.cook_cnt", "[s", "How many cookies of the name the request has."},
     Type::integer, kRequestHttpV, cookie_count<Side::request>},
    {{"req.cook_names", "[s", "The names of the request's cookies with a delimiter between."},
     Type::string, kRequestHttpV, cookie_names<Side::request>},
    {{"req.cook_val", "[s", "The value of a request's cookie as a number."},
     Type::integer, kRequestHttpV, cookie_number<Side::request>},
    {{"res.cook", "[s", "The value of a cookie that the response sets."},
     Type::string, kResponseHttpV, cookie<Side::response>},
    {{"res.cook_cnt", "[s", "How many cookies of the name the response sets."},
     Type::integer, kResponseHttpV, cookie_count<Side::response>},
    {{"res.cook_names", "[s", "The names of the cookies that the response sets."},
     Type::string, kResponseHttpV, cookie_names<Side::response>},
    {{"res.cook_val", "[s", "The value of a cookie that the response sets, as a number."},
     Type::integer, kResponseHttpV, cookie_number<Side::response>},
    {{"scook", "[s", "As res.cook."}, Type::string, kResponseHttpV, cookie<Side::response>},
    {{"scook_cnt", "[s", "As res.cook_cnt."},
     Type::integer, kResponseHttpV, cookie_count<Side::response>},
    {{"scook_val", "[s", "As res.cook_val."},
     Type::integer, kResponseHttpV, cookie_number<Side::response>},
};
// clang-format on

}  // namespace

std::span<const FetchRow> cookie_fetches() { return kRows; }

}  // namespace expr::fetch

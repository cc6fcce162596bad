// Header fields (manual section 7.3.6): by name and occurrence, whole (fhdr) or as comma-separated
// lists (hdr), and all of them at once.
#include "expr/fetch/header.h"

#include "expr/fetch/support.h"
#include "expr/fetch/tables.h"

namespace expr::fetch {
namespace {

constexpr txn::Direction kRequest = txn::Direction::request;
constexpr txn::Direction kResponse = txn::Direction::response;

// The end of the list element that starts at `from`: a comma outside of quotes, or the end.
std::size_t element_end(std::string_view value, std::size_t from) {
  std::size_t comma = value.find(',', from);
  if (comma == std::string_view::npos) return value.size();
  if (std::memchr(value.data() + from, '"', comma - from) == nullptr) return comma;
  bool quoted = false;
  for (std::size_t i = from; i < value.size(); ++i) {
    if (value[i] == '"')
      quoted = !quoted;
    else if (quoted && value[i] == '\\')
      ++i;
    else if (!quoted && value[i] == ',')
      return i;
  }
  return value.size();
}

std::string_view last_element(std::string_view value) {
  std::size_t from = 0;
  for (;;) {
    std::size_t end = element_end(value, from);
    if (end == value.size()) return base::trim(value.substr(from));
    from = end + 1;
  }
}

// What check() has made of the arguments: [0] name in lower case, [1] occurrence, [2] header id.
bool matches(const http::Field& field, Args args) {
  if (!has(args, 0)) return true;
  auto id = static_cast<http::HeaderId>(args[2].integer());
  if (id != http::HeaderId::other) return field.id == id;
  return field.id == http::HeaderId::other && field.name == args[0].text();
}

bool last(const http::Headers& headers, Args args, bool whole, std::string_view& out) {
  for (std::size_t i = headers.size(); i-- > 0;) {
    const http::Field& field = headers[i];
    if (!matches(field, args)) continue;
    bool single = whole || std::memchr(field.value.data(), ',', field.value.size()) == nullptr;
    out = single ? base::trim(field.value) : last_element(field.value);
    return true;
  }
  return false;
}

// Calls visit(element) on each in order until it returns true.
template <class Visit>
bool each(const http::Headers& headers, Args args, bool whole, Visit visit) {
  for (const http::Field& field : headers) {
    if (!matches(field, args)) continue;
    if (whole) {
      if (visit(base::trim(field.value))) return true;
      continue;
    }
    for (std::size_t from = 0; from <= field.value.size();) {
      std::size_t end = element_end(field.value, from);
      if (visit(base::trim(field.value.substr(from, end - from)))) return true;
      from = end + 1;
    }
  }
  return false;
}

std::int64_t count(const http::Headers& headers, Args args, bool whole) {
  std::int64_t n = 0;
  each(headers, args, whole, [&](std::string_view) { return ++n, false; });
  return n;
}

bool nth(const http::Headers& headers, Args args, bool whole, std::int64_t occurrence,
         std::string_view& out) {
  if (occurrence < 0) occurrence += count(headers, args, whole) + 1;
  if (occurrence <= 0) return false;
  return each(headers, args, whole, [&](std::string_view element) {
    out = element;
    return --occurrence == 0;
  });
}

// The next one of an ACL's round; `next` is the field's index, `offset` where in its value to go
// on.
bool following(const http::Headers& headers, Args args, bool whole, Occurrences& at,
               std::string_view& out) {
  at.more = false;
  for (; at.next < headers.size(); ++at.next, at.offset = 0) {
    const http::Field& field = headers[at.next];
    if (!matches(field, args) || at.offset > field.value.size()) continue;
    at.more = true;
    if (whole) {
      out = base::trim(field.value);
      ++at.next;
      return true;
    }
    std::size_t end = element_end(field.value, at.offset);
    out = base::trim(field.value.substr(at.offset, end - at.offset));
    at.offset = static_cast<std::uint32_t>(end + 1);
    return true;
  }
  return false;
}

bool find(Context& context, txn::Direction direction, Args args, bool whole,
          std::string_view& out) {
  const http::Headers* headers = headers_of(context, direction);
  if (headers == nullptr) return false;
  std::int64_t occurrence = integer_or(args, 1, 0);
  if (occurrence == 0 && context.occurrences != nullptr)
    return following(*headers, args, whole, *context.occurrences, out);
  if (occurrence == 0 || occurrence == -1) return last(*headers, args, whole, out);
  return nth(*headers, args, whole, occurrence, out);
}

// "hdr" and the like take the direction of the rule.
enum class Side { request, response, context };
template <Side side>
txn::Direction direction_of(Context& context) {
  if constexpr (side == Side::context) return context.direction;
  return side == Side::request ? kRequest : kResponse;
}

template <Side side, bool whole>
bool header(Args args, Context& context, Value& out, const FetchRow&) {
  std::string_view text;
  return find(context, direction_of<side>(context), args, whole, text) && give_text(out, text);
}
template <Side side, bool whole>
bool header_count(Args args, Context& context, Value& out, const FetchRow&) {
  const http::Headers* headers = headers_of(context, direction_of<side>(context));
  return headers != nullptr && give(out, count(*headers, args, whole));
}
template <Side side>
bool header_number(Args args, Context& context, Value& out, const FetchRow&) {
  std::string_view text;
  if (!find(context, direction_of<side>(context), args, false, text)) return false;
  return give(out, leading_number(text));
}
template <Side side>
bool header_ip(Args args, Context& context, Value& out, const FetchRow&) {
  std::string_view text;
  do {  // elements that are no address are passed over by ACLs
    if (!find(context, direction_of<side>(context), args, false, text)) return false;
    if (give_ip(out, parse_forwarded_ip(text))) return true;
  } while (context.occurrences != nullptr && context.occurrences->more);
  return false;
}

bool check_header(std::vector<Argument>& args, std::string&) {
  args.resize(3);
  if (args[0].present() && args[0].text().empty()) args[0].value = std::monostate();
  if (args[0].present()) {
    std::string name = base::to_lower(args[0].text());
    args[2].value = static_cast<std::int64_t>(http::id_of(name));
    args[0].value = std::move(name);
  }
  return true;
}
bool check_full_header(std::vector<Argument>& args, std::string& error) {
  return check_header(args, error);
}

template <txn::Direction direction>
bool names(Args args, Context& context, Value& out, const FetchRow&) {
  const http::Headers* headers = headers_of(context, direction);
  if (headers == nullptr) return false;
  std::string_view delimiter = text_or(args, 0, ",");
  std::size_t size = 0;
  for (const http::Field& field : *headers) size += field.name.size() + 1;
  Text text(context.arena, size);
  bool first = true;
  for (const http::Field& field : *headers) {
    if (!first) text.add(delimiter.substr(0, 1));
    text.add(field.name);
    first = false;
  }
  return give_text(out, text.view());
}

template <txn::Direction direction>
bool lines(Args, Context& context, Value& out, const FetchRow&) {
  const http::Headers* headers = headers_of(context, direction);
  if (headers == nullptr) return false;
  std::size_t size = 2;
  for (const http::Field& field : *headers) size += field.name.size() + field.value.size() + 4;
  Text text(context.arena, size);
  for (const http::Field& field : *headers)
    text.add(field.name).add(": ").add(field.value).add("\r\n");
  return give_text(out, text.add("\r\n").view());
}

// Lengths in the variable-length coding of SPOE (doc/SPOE.txt, section 3.1).
void add_varint(std::string& bytes, std::uint64_t number) {
  if (number < 240) {
    bytes += static_cast<char>(number);
    return;
  }
  bytes += static_cast<char>(number | 240);
  number = (number - 240) >> 4;
  while (number >= 128) {
    bytes += static_cast<char>(number | 128);
    number = (number - 128) >> 7;
  }
  bytes += static_cast<char>(number);
}
template <txn::Direction direction>
bool binary(Args, Context& context, Value& out, const FetchRow&) {
  const http::Headers* headers = headers_of(context, direction);
  if (headers == nullptr) return false;
  std::string bytes;
  for (const http::Field& field : *headers) {
    add_varint(bytes, field.name.size());
    bytes += field.name;
    add_varint(bytes, field.value.size());
    bytes += field.value;
  }
  bytes.append(2, '\0');
  return give_binary(out, context.arena.copy(bytes));
}

constexpr std::uint32_t kEither = kRequestHttpV | kResponseHttpV;
// clang-format off
constexpr FetchRow kRows[] = {
    {{"hdr", "[si", "As req.hdr in requests and res.hdr in responses."},
     Type::string, kEither, header<Side::context, false>, check_header},
    {{"hdr_cnt", "[s", "As req.hdr_cnt."},
     Type::integer, kRequestHttpV, header_count<Side::request, false>, check_header},
    {{"hdr_ip", "[si", "As req.hdr_ip."},
     Type::address, kRequestHttpV, header_ip<Side::request>, check_header},
    {{"hdr_val", "[si", "As req.hdr_val."},
     Type::integer, kRequestHttpV, header_number<Side::request>, check_header},
    {{"req.fhdr", "[si", "A request header's whole value, the last one or that of a number."},
     Type::string, kRequestHttpV, header<Side::request, true>, check_full_header},
    {{"req.fhdr_cnt", "[s", "How many request headers of the name there are."},
     Type::integer, kRequestHttpV, header_count<Side::request, true>, check_header},
    {{"req.hdr", "[si", "An element of a request header's list, the last or that of a number."},
     Type::string, kRequestHttpV, header<Side::request, false>, check_header},
    {{"req.hdr_cnt", "[s", "How many elements the request headers of the name hold."},
     Type::integer, kRequestHttpV, header_count<Side::request, false>, check_header},
    {{"req.hdr_ip", "[si", "A request header's element as an address."},
     Type::address, kRequestHttpV, header_ip<Side::request>, check_header},
    {{"req.hdr_names", "[s", "The names of all request headers with a delimiter between."},
     Type::string, kRequestHttpV, names<kRequest>},
    {{"req.hdr_val", "[si", "A request header's element as a number."},
     Type::integer, kRequestHttpV, header_number<Side::request>, check_header},
    {{"req.hdrs", "", "All request headers as lines, with the empty line at the end."},
     Type::binary, kRequestHttpV, lines<kRequest>},
    {{"req.hdrs_bin", "", "All request headers as pairs of lengths and bytes."},
     Type::binary, kRequestHttpV, binary<kRequest>},
    {{"res.fhdr", "[si", "A response header's whole value, the last one or that of a number."},
     Type::string, kResponseHttpV, header<Side::response, true>, check_full_header},
    {{"res.fhdr_cnt", "[s", "How many response headers of the name there are."},
     Type::integer, kResponseHttpV, header_count<Side::response, true>, check_header},
    {{"res.hdr", "[si", "An element of a response header's list, the last or that of a number."},
     Type::string, kResponseHttpV, header<Side::response, false>, check_header},
    {{"res.hdr_cnt", "[s", "How many elements the response headers of the name hold."},
     Type::integer, kResponseHttpV, header_count<Side::response, false>, check_header},
    {{"res.hdr_ip", "[si", "A response header's element as an address."},
     Type::address, kResponseHttpV, header_ip<Side::response>, check_header},
    {{"res.hdr_names", "[s", "The names of all response headers with a delimiter between."},
     Type::string, kResponseHttpV, names<kResponse>},
    {{"res.hdr_val", "[si", "A response header's element as a number."},
     Type::integer, kResponseHttpV, header_number<Side::response>, check_header},
    {{"res.hdrs", "", "All response headers as lines, with the empty line at the end."},
     Type::binary, kResponseHttpV, lines<kResponse>},
    {{"res.hdrs_bin", "", "All response headers as pairs of lengths and bytes."},
     Type::binary, kResponseHttpV, binary<kResponse>},
    {{"shdr", "[si", "As res.hdr."},
     Type::string, kResponseHttpV, header<Side::response, false>, check_header},
    {{"shdr_cnt", "[s", "As res.hdr_cnt."},
     Type::integer, kResponseHttpV, header_count<Side::response, false>, check_header},
    {{"shdr_ip", "[si", "As res.hdr_ip."},
     Type::address, kResponseHttpV, header_ip<Side::response>, check_header},
    {{"shdr_val", "[si", "As res.hdr_val."},
     Type::integer, kResponseHttpV, header_number<Side::response>, check_header},
};
// clang-format on

}  // namespace

namespace {

// "010.1.2.3" is written by some proxies, and is decimal all the same.
std::string without_leading_zeros(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool first = out.empty() || out.back() == '.';
    const bool more = i + 1 < text.size() && base::is_digit(text[i + 1]);
    if (!(first && text[i] == '0' && more)) out += text[i];
  }
  return out;
}

}  // namespace

net::Ip parse_forwarded_ip(std::string_view text) {
  if (text.starts_with('[')) {
    if (!text.ends_with(']')) return {};
    net::Ip ip = net::Ip::parse(text.substr(1, text.size() - 2));
    return ip.family == AF_INET6 ? ip : net::Ip{};
  }
  // A port may follow IPv4 only (manual section 7.3.6, "req.hdr_ip").
  std::size_t colon = text.find(':');
  if (colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
    if (!base::parse_int<std::uint16_t>(text.substr(colon + 1))) return {};
    text = text.substr(0, colon);
  }
  if (text.find(':') == std::string_view::npos) return net::Ip::parse(without_leading_zeros(text));
  return net::Ip::parse(text);
}

std::span<const FetchRow> header_fetches() { return kRows; }

}  // namespace expr::fetch

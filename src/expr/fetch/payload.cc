// Bytes of a stream that no protocol has interpreted (manual section 7.3.5). Nothing for HTTP
// proxies.
#include "expr/fetch/support.h"
#include "expr/fetch/tables.h"

namespace expr::fetch {
namespace {

enum class Side { request, response, context };

template <Side side>
txn::Channel* stream(Context& context) {
  if (context.exchange != nullptr && context.exchange->is_http) return nullptr;
  if constexpr (side == Side::context) return channel(context, context.direction);
  return channel(context,
                 side == Side::request ? txn::Direction::request : txn::Direction::response);
}

// A number or block that more bytes may still change: an ACL that it does not satisfy waits.
template <Side side>
bool length(Args, Context& context, Value& out, const FetchRow&) {
  txn::Channel* bytes = stream<side>(context);
  if (bytes == nullptr) return false;
  may_grow(context, *bytes);
  return give(out, static_cast<std::int64_t>(bytes->data().size()));
}

bool block(Context& context, txn::Channel& bytes, std::int64_t offset, std::int64_t size,
           Value& out) {
  std::string_view data = bytes.data();
  if (offset < 0 || size < 0) return false;
  auto need = static_cast<std::size_t>(offset) + static_cast<std::size_t>(size);
  if (data.size() < need || (size == 0 && data.size() <= static_cast<std::size_t>(offset))) {
    may_grow(context, bytes);
    return false;
  }
  auto from = static_cast<std::size_t>(offset);
  if (size == 0) {
    may_grow(context, bytes);
    return give_binary(out, data.substr(from));
  }
  return give_binary(out, data.substr(from, static_cast<std::size_t>(size)));
}

template <Side side>
bool payload(Args args, Context& context, Value& out, const FetchRow&) {
  txn::Channel* bytes = stream<side>(context);
  if (bytes == nullptr) return false;
  return block(context, *bytes, args[0].integer(), args[1].integer(), out);
}

// [2] the data's offset, [3] whether it counts from the end of the length: check() has filled both.
template <Side side>
bool payload_lv(Args args, Context& context, Value& out, const FetchRow&) {
  txn::Channel* bytes = stream<side>(context);
  if (bytes == nullptr) return false;
  std::int64_t at = args[0].integer(), width = args[1].integer();
  Value number;
  if (!block(context, *bytes, at, width, number)) return false;
  std::int64_t size = 0;
  for (char c : number.text) size = size << 8 | static_cast<unsigned char>(c);
  std::int64_t from = args[2].integer() + (args[3].integer() != 0 ? at + width : 0);
  return size != 0 && block(context, *bytes, from, size, out);
}
bool check_payload_lv(std::vector<Argument>& args, std::string& error) {
  args.resize(4);
  if (args[1].integer() < 1 || args[1].integer() > 7) {
    error = "the size of the length must be between 1 and 7 bytes";
    return false;
  }
  std::string offset = args[2].present() ? args[2].text() : std::string("+0");
  bool relative = offset[0] == '+' || offset[0] == '-';
  auto number = base::parse_int<std::int64_t>(offset[0] == '+' ? std::string_view(offset).substr(1)
                                                               : std::string_view(offset));
  if (!number) {
    error = "'" + offset + "' is not an offset, expected a number, +number or -number";
    return false;
  }
  args[2].value = *number;
  args[3].value = std::int64_t{relative};
  return true;
}

// RDP connection request: TPKT (4 bytes), X.224 CR (7 bytes), then "Cookie: name=value\r\n".
bool find_rdp_cookie(Args args, Context& context, std::string_view& out) {
  constexpr std::size_t kHeader = 11;
  txn::Channel* bytes = stream<Side::request>(context);
  if (bytes == nullptr) return false;
  std::string_view data = bytes->data();
  if (data.size() <= kHeader) {
    may_grow(context, *bytes);
    return false;
  }
  if (data[0] != 3 || static_cast<unsigned char>(data[5]) != 0xe0) return false;
  std::string_view line = data.substr(kHeader);
  std::size_t end = line.find("\r\n");
  if (end == std::string_view::npos) {
    may_grow(context, *bytes);
    return false;
  }
  line = line.substr(0, end);
  if (!base::istarts_with(line, "Cookie:")) return false;
  line = base::trim(line.substr(7));
  std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return false;
  if (has(args, 0) && !base::iequals(line.substr(0, equals), args[0].text())) return false;
  out = line.substr(equals + 1);
  return true;
}
bool rdp_cookie(Args args, Context& context, Value& out, const FetchRow&) {
  std::string_view text;
  return find_rdp_cookie(args, context, text) && give_text(out, text);
}
bool rdp_cookie_count(Args args, Context& context, Value& out, const FetchRow&) {
  std::string_view text;
  bool found = find_rdp_cookie(args, context, text);
  return (found || !context.incomplete) && give(out, found ? 1 : 0);
}

constexpr std::uint32_t kEither = kRequestL6 | kResponseL6;
// clang-format off
constexpr FetchRow kRows[] = {
    {{"payload", "ii", "As req.payload in requests and res.payload in responses."},
     Type::binary, kEither, payload<Side::context>},
    {{"payload_lv", "ii[s", "As req.payload_lv in requests and res.payload_lv in responses."},
     Type::binary, kEither, payload_lv<Side::context>, check_payload_lv},
    {{"rdp_cookie", "[s", "As req.rdp_cookie."}, Type::string, kRequestL6, rdp_cookie},
    {{"rdp_cookie_cnt", "[s", "As req.rdp_cookie_cnt."},
     Type::integer, kRequestL6, rdp_cookie_count},
    {{"req.len", "", "How many bytes of the request are buffered."},
     Type::integer, kRequestL6, length<Side::request>},
    {{"req_len", "", "As req.len."}, Type::integer, kRequestL6, length<Side::request>},
    {{"req.payload", "ii", "Bytes of the request: offset, length (0: to the end)."},
     Type::binary, kRequestL6, payload<Side::request>},
    {{"req.payload_lv", "ii[s", "Bytes of the request behind a length field."},
     Type::binary, kRequestL6, payload_lv<Side::request>, check_payload_lv},
    {{"req.rdp_cookie", "[s", "The RDP cookie of the request, of any or the given name."},
     Type::string, kRequestL6, rdp_cookie},
    {{"req.rdp_cookie_cnt", "[s", "How many RDP cookies the request has."},
     Type::integer, kRequestL6, rdp_cookie_count},
    {{"res.len", "", "How many bytes of the response are buffered."},
     Type::integer, kResponseL6, length<Side::response>},
    {{"res.payload", "ii", "Bytes of the response: offset, length (0: to the end)."},
     Type::binary, kResponseL6, payload<Side::response>},
    {{"res.payload_lv", "ii[s", "Bytes of the response behind a length field."},
     Type::binary, kResponseL6, payload_lv<Side::response>, check_payload_lv},
};
// clang-format on

}  // namespace

std::span<const FetchRow> payload_fetches() { return kRows; }

}  // namespace expr::fetch

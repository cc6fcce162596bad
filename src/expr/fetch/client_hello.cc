// TLS hello messages seen in the clear (RFC 8446 section 4.1.2, manual section 7.3.5): for TCP
// proxies that pass TLS through.
#include "expr/fetch/support.h"
#include "expr/fetch/tables.h"

namespace expr::fetch {
namespace {

// Reads big-endian numbers and blocks; `good` turns false when something is missing.
struct Reader {
  std::string_view left;
  bool good = true;

  std::size_t number(std::size_t width) {
    std::size_t value = 0;
    for (char c : block(width)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  std::string_view block(std::size_t size) {
    if (left.size() < size) {
      good = false;
      left = {};
      return {};
    }
    std::string_view out = left.substr(0, size);
    left.remove_prefix(size);
    return out;
  }
  std::string_view sized(std::size_t width) { return block(number(width)); }
};

enum class Hello { complete, wait, none };
constexpr std::size_t kRecordHeader = 5;

// The handshake message in the first record; `type` 1 is a client's hello, 2 a server's.
Hello find_hello(txn::Channel* bytes, std::size_t& type, std::size_t& version,
                 std::string_view& message) {
  if (bytes == nullptr) return Hello::none;
  Reader in{bytes->data()};
  if (in.left.empty()) return Hello::wait;
  if (static_cast<unsigned char>(in.left[0]) != 0x16) return Hello::none;
  if (in.left.size() < kRecordHeader) return Hello::wait;
  in.number(1);
  version = in.number(2);
  if (version < 0x0300) return Hello::none;
  std::size_t size = in.number(2);
  if (size < 4) return Hello::none;
  if (in.left.size() < size) return Hello::wait;
  in.left = in.left.substr(0, size);
  type = in.number(1);
  message = in.sized(3);
  return in.good ? Hello::complete : Hello::none;
}

struct ClientHello {
  std::size_t record_version = 0, version = 0;
  std::string_view ciphers, extensions;

  bool extension(std::size_t wanted, std::string_view& out) const {
    Reader in{extensions};
    while (!in.left.empty()) {
      std::size_t type = in.number(2);
      std::string_view data = in.sized(2);
      if (!in.good) return false;
      if (type == wanted) {
        out = data;
        return true;
      }
    }
    return false;
  }
};

txn::Channel* stream(Context& context, txn::Direction direction) {
  if (context.exchange != nullptr && context.exchange->is_http) return nullptr;
  return channel(context, direction);
}

bool client_hello(Context& context, ClientHello& out) {
  txn::Channel* bytes = stream(context, txn::Direction::request);
  std::size_t type = 0;
  std::string_view message;
  Hello found = find_hello(bytes, type, out.record_version, message);
  if (found == Hello::wait) may_grow(context, *bytes);
  if (found != Hello::complete || type != 1) return false;
  Reader in{message};
  out.version = in.number(2);
  in.block(32);  // random
  in.sized(1);   // session id
  out.ciphers = in.sized(2);
  in.sized(1);  // compression
  if (!in.good) return false;
  if (!in.left.empty()) out.extensions = in.sized(2);
  return in.good;
}

template <txn::Direction direction>
bool hello_type(Args, Context& context, Value& out, const FetchRow&) {
  txn::Channel* bytes = stream(context, direction);
  std::size_t type = 0, version = 0;
  std::string_view message;
  Hello found = find_hello(bytes, type, version, message);
  if (found == Hello::wait) may_grow(context, *bytes);
  return found == Hello::complete && give(out, static_cast<std::int64_t>(type));
}

bool version(Args, Context& context, Value& out, const FetchRow&) {
  ClientHello hello;
  if (!client_hello(context, hello)) return false;
  return give(out, static_cast<std::int64_t>((hello.version >> 8) << 16 | (hello.version & 0xff)));
}
bool server_name(Args, Context& context, Value& out, const FetchRow&) {
  ClientHello hello;
  std::string_view data;
  if (!client_hello(context, hello) || !hello.extension(0, data)) return false;
  Reader list{data};
  Reader in{list.sized(2)};
  while (!in.left.empty()) {  // RFC 6066 section 3
    std::size_t type = in.number(1);
    std::string_view name = in.sized(2);
    if (!in.good) return false;
    if (type == 0) return give_text(out, name);
  }
  return false;
}
bool alpn(Args, Context& context, Value& out, const FetchRow&) {
  ClientHello hello;
  std::string_view data;
  if (!client_hello(context, hello) || !hello.extension(16, data)) return false;
  Reader list{data};
  Reader in{list.sized(2)};
  std::string names;
  while (!in.left.empty()) {  // RFC 7301 section 3.1
    std::string_view name = in.sized(1);
    if (!in.good) return false;
    if (!names.empty()) names += ',';
    names += name;
  }
  return give_text(out, context.arena.copy(names));
}
bool ciphers(Args, Context& context, Value& out, const FetchRow&) {
  ClientHello hello;
  return client_hello(context, hello) && give_binary(out, hello.ciphers);
}
bool elliptic(Args, Context& context, Value& out, const FetchRow&) {
  ClientHello hello;
  std::string_view data;
  return client_hello(context, hello) && hello.extension(10, data) && give_bool(out, true);
}
bool ticket(Args, Context& context, Value& out, const FetchRow&) {
  ClientHello hello;
  std::string_view data;
  if (!client_hello(context, hello)) return false;
  if (!hello.extension(35, data)) return give(out, 0);
  return give(out, data.empty() ? 1 : 2);
}
// Lists of 16-bit numbers behind their length.
template <std::size_t type>
bool list(Args, Context& context, Value& out, const FetchRow&) {
  ClientHello hello;
  std::string_view data;
  if (!client_hello(context, hello) || !hello.extension(type, data)) return false;
  Reader in{data};
  std::string_view numbers = in.sized(2);
  return in.good && give_binary(out, numbers);
}
bool key_shares(Args, Context& context, Value& out, const FetchRow&) {
  ClientHello hello;
  std::string_view data;
  if (!client_hello(context, hello) || !hello.extension(51, data)) return false;
  Reader outer{data};
  Reader in{outer.sized(2)};
  std::string groups;
  while (!in.left.empty()) {  // RFC 8446 section 4.2.8
    groups += in.block(2);
    in.sized(2);
    if (!in.good) return false;
  }
  return give_binary(out, context.arena.copy(groups));
}

constexpr txn::Direction kRequest = txn::Direction::request;
constexpr txn::Direction kResponse = txn::Direction::response;
// clang-format off
constexpr FetchRow kRows[] = {
    {{"rep_ssl_hello_type", "", "As res.ssl_hello_type."},
     Type::integer, kResponseL6, hello_type<kResponse>},
    {{"req.ssl_alpn", "", "The ALPN protocols in a client's hello that passes through."},
     Type::string, kRequestL6, alpn},
    {{"req.ssl_cipherlist", "", "The cipher numbers in a client's hello that passes through."},
     Type::binary, kClientL4, ciphers},
    {{"req.ssl_ec_ext", "", "Whether a client's hello names elliptic curves."},
     Type::boolean, kRequestL6, elliptic},
    {{"req.ssl_hello_type", "", "The type of the hello in the request: 1 is a client's."},
     Type::integer, kRequestL6, hello_type<kRequest>},
    {{"req.ssl_keyshare_groups", "", "The groups of the key shares in a client's hello."},
     Type::binary, kClientL4, key_shares},
    {{"req.ssl_sigalgs", "", "The signature algorithms in a client's hello."},
     Type::binary, kClientL4, list<13>},
    {{"req.ssl_sni", "", "The server name in a client's hello that passes through."},
     Type::string, kRequestL6, server_name},
    {{"req.ssl_st_ext", "", "Session tickets in a client's hello: 0 none, 1 asked, 2 sent."},
     Type::integer, kRequestL6, ticket},
    {{"req.ssl_supported_groups", "", "The groups in a client's hello."},
     Type::binary, kClientL4, list<10>},
    {{"req.ssl_ver", "", "The protocol version in a client's hello, major * 65536 + minor."},
     Type::integer, kRequestL6, version},
    {{"req_ssl_hello_type", "", "As req.ssl_hello_type."},
     Type::integer, kRequestL6, hello_type<kRequest>},
    {{"req_ssl_sni", "", "As req.ssl_sni."}, Type::string, kRequestL6, server_name},
    {{"req_ssl_ver", "", "As req.ssl_ver."}, Type::integer, kRequestL6, version},
    {{"res.ssl_hello_type", "", "The type of the hello in the response: 2 is a server's."},
     Type::integer, kResponseL6, hello_type<kResponse>},
};
// clang-format on

}  // namespace

std::span<const FetchRow> client_hello_fetches() { return kRows; }

}  // namespace expr::fetch

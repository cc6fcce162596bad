// Headers of Ethernet, IP and TCP in a saved SYN packet (manual section 7.3.1).
#include <cstring>

#include "expr/converter/support.h"
#include "expr/converter/tables.h"

namespace expr::converter {
namespace {

std::uint32_t big_endian(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint32_t n = 0;
  for (std::size_t i = 0; i < size; ++i) n = n << 8 | static_cast<unsigned char>(bytes[at + i]);
  return n;
}

// Ethernet: two addresses, VLAN tags, the protocol.
struct Frame {
  std::size_t header = 0;  // bytes of it
  std::uint32_t protocol = 0;
  std::uint32_t vlan = 0;
  bool has_vlan = false;
};

bool parse_frame(std::string_view bytes, Frame& out) {
  std::size_t at = 12;
  for (;;) {
    if (bytes.size() < at + 2) return false;
    out.protocol = big_endian(bytes, at, 2);
    at += 2;
    if (out.protocol != 0x8100 && out.protocol != 0x88a8) break;
    if (bytes.size() < at + 2) return false;
    out.vlan = big_endian(bytes, at, 2) & 0xfff;
    out.has_vlan = true;
    at += 2;
  }
  out.header = at;
  return bytes.size() > at;  // the header alone says nothing
}

bool eth_bytes(Value& value, std::size_t from, std::size_t size) {
  return value.text.size() >= from + size && give_binary(value, value.text.substr(from, size));
}
bool eth_destination(Args, Context&, Value& value, const ConverterRow&) {
  return eth_bytes(value, 0, 6);
}
bool eth_source(Args, Context&, Value& value, const ConverterRow&) {
  return eth_bytes(value, 6, 6);
}
bool eth_header(Args, Context&, Value& value, const ConverterRow&) {
  Frame frame;
  return parse_frame(value.text, frame) && give_binary(value, value.text.substr(0, frame.header));
}
bool eth_data(Args, Context&, Value& value, const ConverterRow&) {
  Frame frame;
  return parse_frame(value.text, frame) && give_binary(value, value.text.substr(frame.header));
}
bool eth_protocol(Args, Context&, Value& value, const ConverterRow&) {
  Frame frame;
  return parse_frame(value.text, frame) && give(value, frame.protocol);
}
bool eth_vlan(Args, Context&, Value& value, const ConverterRow&) {
  Frame frame;
  return parse_frame(value.text, frame) && frame.has_vlan && give(value, frame.vlan);
}

struct Ip {
  std::string_view bytes;
  unsigned version = 0;
  std::size_t header = 0;  // with options or extensions; 0 when it is cut
  std::uint32_t protocol = 0, tos = 0, ttl = 0;
  bool dont_fragment = true, options = false;
};

bool parse_v4(std::string_view bytes, Ip& out) {
  if (bytes.size() < 20) return false;
  out.header = (static_cast<unsigned char>(bytes[0]) & 15u) * 4u;
  if (out.header < 20 || out.header > bytes.size()) out.header = 0;
  out.tos = big_endian(bytes, 1, 1);
  out.dont_fragment = (big_endian(bytes, 6, 1) & 0x40) != 0;
  out.ttl = big_endian(bytes, 8, 1);
  out.protocol = big_endian(bytes, 9, 1);
  out.options = out.header > 20;
  return true;
}

// Extension headers have their length in units of eight bytes, the fragment header none (RFC 8200).
bool parse_v6(std::string_view bytes, Ip& out) {
  if (bytes.size() < 40) return false;
  out.tos = big_endian(bytes, 0, 2) >> 4 & 255;
  out.protocol = big_endian(bytes, 6, 1);
  out.ttl = big_endian(bytes, 7, 1);
  out.header = 40;
  for (;;) {
    std::uint32_t p = out.protocol;
    bool extension =
        p == 0 || p == 43 || p == 44 || p == 51 || p == 60 || p == 135 || p == 139 || p == 140;
    if (!extension) return true;
    if (bytes.size() < out.header + 8) return false;
    std::size_t units = big_endian(bytes, out.header + 1, 1);
    std::size_t size = p == 44 ? 8 : p == 51 ? (units + 2) * 4 : (units + 1) * 8;
    out.options = true;
    out.protocol = big_endian(bytes, out.header, 1);
    out.header += size;
    if (out.header > bytes.size()) return false;
  }
}

bool parse_ip(std::string_view bytes, Ip& out) {
  if (bytes.empty()) return false;
  out.bytes = bytes;
  out.version = static_cast<unsigned char>(bytes[0]) >> 4;
  if (out.version == 4) return parse_v4(bytes, out);
  return out.version == 6 && parse_v6(bytes, out);
}

template <std::int64_t (*kRead)(const Ip&)>
bool ip_number(Args, Context&, Value& value, const ConverterRow&) {
  Ip ip;
  return parse_ip(value.text, ip) && give(value, kRead(ip));
}
std::int64_t protocol_of(const Ip& ip) { return ip.protocol; }
std::int64_t ttl_of(const Ip& ip) { return ip.ttl; }

// Fields near the start are had from packets that were cut behind them.
unsigned version_of(std::string_view bytes) {
  return bytes.empty() ? 0 : static_cast<unsigned char>(bytes[0]) >> 4;
}
bool ip_version(Args, Context&, Value& value, const ConverterRow&) {
  return !value.text.empty() && give(value, version_of(value.text));
}
bool ip_service(Args, Context&, Value& value, const ConverterRow&) {
  const unsigned version = version_of(value.text);
  if ((version != 4 && version != 6) || value.text.size() < 2) return false;
  const std::uint32_t first = big_endian(value.text, 0, 2);
  return give(value, version == 4 ? first & 255 : first >> 4 & 255);
}
bool ip_unfragmented(Args, Context&, Value& value, const ConverterRow&) {
  const unsigned version = version_of(value.text);
  if (version == 6) return give(value, 1);
  if (version != 4 || value.text.size() < 6) return false;
  return give(value, value.text.size() > 6 && (value.text[6] & 0x40) != 0);
}
bool ip_protocol(Args args, Context& context, Value& value, const ConverterRow& row) {
  if (version_of(value.text) == 4 && value.text.size() >= 10)
    return give(value, big_endian(value.text, 9, 1));
  return ip_number<protocol_of>(args, context, value, row);
}

bool ip_header(Args, Context&, Value& value, const ConverterRow&) {
  Ip ip;
  return parse_ip(value.text, ip) && ip.header != 0 &&
         give_binary(value, value.text.substr(0, ip.header));
}
bool ip_data(Args, Context&, Value& value, const ConverterRow&) {
  Ip ip;
  return parse_ip(value.text, ip) && ip.header != 0 &&
         give_binary(value, value.text.substr(ip.header));
}

std::string_view address_bytes(const Ip& ip, bool source) {
  return ip.version == 4 ? ip.bytes.substr(source ? 12 : 16, 4)
                         : ip.bytes.substr(source ? 8 : 24, 16);
}
template <bool kSource>
bool ip_address(Args, Context&, Value& value, const ConverterRow&) {
  Ip ip;
  if (!parse_ip(value.text, ip)) return false;
  std::string_view bytes = address_bytes(ip, kSource);
  if (ip.version == 4) {
    in_addr v4;
    std::memcpy(&v4, bytes.data(), 4);
    value = Value::of(net::Ip::from(v4));
  } else {
    in6_addr v6;
    std::memcpy(&v6, bytes.data(), 16);
    value = Value::of(net::Ip::from(v6));
  }
  return true;
}

struct Tcp {
  std::string_view bytes;
  std::size_t header = 0;
  std::string_view options;
  // The option's data, or nothing. Kinds 0 and 1 have no length (RFC 9293 section 3.1). The last
  // call is for a kind whose length does not fit.
  template <class F, class G>
  void each(F f, G broken) const {
    for (std::size_t at = 0; at < options.size();) {
      auto kind = static_cast<unsigned char>(options[at]);
      if (kind == 0) return;
      std::size_t size = 1;
      if (kind != 1) {
        size = at + 1 < options.size() ? static_cast<unsigned char>(options[at + 1]) : 0;
        if (size < 2 || at + size > options.size()) return broken(kind);
      }
      f(kind, size > 2 ? options.substr(at + 2, size - 2) : std::string_view());
      at += size;
    }
  }
  bool find(unsigned char wanted, std::string_view& data) const {
    bool found = false;
    each(
        [&](unsigned char kind, std::string_view bytes_of) {
          if (kind != wanted || found) return;
          found = true;
          data = bytes_of;
        },
        [](unsigned char) {});
    return found;
  }
};

bool parse_tcp(std::string_view bytes, Tcp& out) {
  if (bytes.size() < 20) return false;
  out.bytes = bytes;
  out.header = (static_cast<unsigned char>(bytes[12]) >> 4) * 4u;
  if (out.header < 20 || out.header > bytes.size()) return false;
  out.options = bytes.substr(20, out.header - 20);
  return true;
}

std::int64_t option_number(const Tcp& tcp, unsigned char kind, std::size_t size) {
  std::string_view data;
  return tcp.find(kind, data) && data.size() >= size ? big_endian(data, 0, size) : 0;
}
std::int64_t has_option(const Tcp& tcp, unsigned char kind) {
  std::string_view data;
  return tcp.find(kind, data);
}

// Options, which need all of the header.
template <std::int64_t (*kRead)(const Tcp&)>
bool tcp_option(Args, Context&, Value& value, const ConverterRow&) {
  Tcp tcp;
  return parse_tcp(value.text, tcp) && give(value, kRead(tcp));
}
template <std::int64_t (*kRead)(const Tcp&)>
bool tcp_number(Args, Context&, Value& value, const ConverterRow&) {
  return value.text.size() >= 20 && give(value, kRead(Tcp{value.text, 20, {}}));
}
std::int64_t source_port(const Tcp& tcp) { return big_endian(tcp.bytes, 0, 2); }
std::int64_t destination_port(const Tcp& tcp) { return big_endian(tcp.bytes, 2, 2); }
std::int64_t sequence(const Tcp& tcp) { return big_endian(tcp.bytes, 4, 4); }
std::int64_t flags(const Tcp& tcp) { return big_endian(tcp.bytes, 13, 1); }
std::int64_t window(const Tcp& tcp) { return big_endian(tcp.bytes, 14, 2); }
std::int64_t segment_size(const Tcp& tcp) { return option_number(tcp, 2, 2); }
std::int64_t scale(const Tcp& tcp) { return option_number(tcp, 3, 1); }
std::int64_t has_scale(const Tcp& tcp) { return has_option(tcp, 3); }
std::int64_t has_sack(const Tcp& tcp) { return has_option(tcp, 4); }
std::int64_t has_timestamp(const Tcp& tcp) { return has_option(tcp, 8); }
std::int64_t timestamp(const Tcp& tcp) { return option_number(tcp, 8, 4); }

void add_kinds(const Tcp& tcp, Text& out) {
  auto add = [&](unsigned char kind, std::string_view = {}) { out.add(static_cast<char>(kind)); };
  tcp.each(add, add);
}
bool option_kinds(Args, Context& context, Value& value, const ConverterRow&) {
  Tcp tcp;
  if (!parse_tcp(value.text, tcp)) return false;
  Text out(context.arena, tcp.options.size());
  add_kinds(tcp, out);
  return give_binary(value, out.view());
}

enum FingerprintPart : std::int64_t { kTtl = 1, kOptions = 2, kSource = 4 };

// Eight bytes, laid out as the manual has it (ip.fp), and what `mode` asks for.
bool fingerprint(Args args, Context& context, Value& value, const ConverterRow&) {
  Ip ip;
  Tcp tcp;
  if (!parse_ip(value.text, ip) || ip.header == 0 || ip.protocol != 6 ||
      !parse_tcp(value.text.substr(ip.header), tcp))
    return false;
  std::int64_t mode = integer_or(args, 0, 0);
  Text out(context.arena, 8 + 1 + 40 + 16);
  unsigned hops = ip.ttl <= 32 ? 0 : ip.ttl <= 64 ? 1 : ip.ttl <= 128 ? 2 : 3;
  auto tcp_flags = static_cast<unsigned>(flags(tcp));
  bool data = tcp.bytes.size() > tcp.header;
  unsigned second = (ip.version == 6 ? 0x80u : 0) | (ip.dont_fragment ? 0x40u : 0) | hops << 4 |
                    (ip.options ? 8u : 0) | (data ? 4u : 0) | (tcp_flags >> 6 & 3);
  auto window_scale = static_cast<unsigned>(has_scale(tcp) != 0 ? scale(tcp) + 1 : 0);
  unsigned kinds = 0;
  tcp.each(
      [&](unsigned char kind, std::string_view) {
        if (kind >= 2 && kind <= 8)
          kinds |= 1u << (kind - 2);
        else if (kind > 8)
          kinds |= 0x80u;
      },
      [](unsigned char) {});
  auto mss = static_cast<unsigned>(segment_size(tcp));
  for (unsigned byte :
       {ip.tos, second, static_cast<unsigned>(tcp.header / 4) << 4 | (window_scale & 15)})
    out.add(static_cast<char>(byte));
  out.add(tcp.bytes.substr(14, 2));
  out.add(static_cast<char>(mss >> 8));
  out.add(static_cast<char>(mss));
  out.add(static_cast<char>(kinds));
  if (mode & kTtl) out.add(static_cast<char>(ip.ttl));
  if (mode & kOptions) add_kinds(tcp, out);
  if (mode & kSource) out.add(address_bytes(ip, true));
  return give_binary(value, out.view());
}

constexpr ConverterRow kRows[] = {
    {{"eth.data", "", "What follows the Ethernet header."}, Type::binary, Type::binary, eth_data},
    {{"eth.dst", "", "The destination address of an Ethernet frame."},
     Type::binary,
     Type::binary,
     eth_destination},
    {{"eth.hdr", "", "The Ethernet header with its VLANs."},
     Type::binary,
     Type::binary,
     eth_header},
    {{"eth.proto", "", "The EtherType."}, Type::binary, Type::integer, eth_protocol},
    {{"eth.src", "", "The source address of an Ethernet frame."},
     Type::binary,
     Type::binary,
     eth_source},
    {{"eth.vlan", "", "The last VLAN of an Ethernet frame."},
     Type::binary,
     Type::integer,
     eth_vlan},
    {{"ip.data", "", "What follows the IP header."}, Type::binary, Type::binary, ip_data},
    {{"ip.df", "", "1 when the packet must not be fragmented."},
     Type::binary,
     Type::integer,
     ip_unfragmented},
    {{"ip.dst", "", "The destination address."}, Type::binary, Type::address, ip_address<false>},
    {{"ip.fp", "[i", "A fingerprint of the sender's IP and TCP."},
     Type::binary,
     Type::binary,
     fingerprint},
    {{"ip.hdr", "", "The IP header with its options."}, Type::binary, Type::binary, ip_header},
    {{"ip.proto", "", "The transport protocol's number."},
     Type::binary,
     Type::integer,
     ip_protocol},
    {{"ip.src", "", "The source address."}, Type::binary, Type::address, ip_address<true>},
    {{"ip.tos", "", "The type of service or traffic class."},
     Type::binary,
     Type::integer,
     ip_service},
    {{"ip.ttl", "", "The time to live or hop limit."},
     Type::binary,
     Type::integer,
     ip_number<ttl_of>},
    {{"ip.ver", "", "The IP version."}, Type::binary, Type::integer, ip_version},
    {{"tcp.dst", "", "The destination port."},
     Type::binary,
     Type::integer,
     tcp_number<destination_port>},
    {{"tcp.flags", "", "The TCP flags."}, Type::binary, Type::integer, tcp_number<flags>},
    {{"tcp.options.mss", "", "The maximum segment size, or 0."},
     Type::binary,
     Type::integer,
     tcp_option<segment_size>},
    {{"tcp.options.sack", "", "1 when selective acknowledgements are permitted."},
     Type::binary,
     Type::integer,
     tcp_option<has_sack>},
    {{"tcp.options.tsopt", "", "1 when there is a timestamp."},
     Type::binary,
     Type::integer,
     tcp_option<has_timestamp>},
    {{"tcp.options.tsval", "", "The timestamp, or 0."},
     Type::binary,
     Type::integer,
     tcp_option<timestamp>},
    {{"tcp.options.wscale", "", "The window scale, or 0."},
     Type::binary,
     Type::integer,
     tcp_option<scale>},
    {{"tcp.options.wsopt", "", "1 when there is a window scale."},
     Type::binary,
     Type::integer,
     tcp_option<has_scale>},
    {{"tcp.options_list", "", "The kinds of all options in order."},
     Type::binary,
     Type::binary,
     option_kinds},
    {{"tcp.seq", "", "The sequence number."}, Type::binary, Type::integer, tcp_number<sequence>},
    {{"tcp.src", "", "The source port."}, Type::binary, Type::integer, tcp_number<source_port>},
    {{"tcp.win", "", "The window."}, Type::binary, Type::integer, tcp_number<window>},
};

}  // namespace

std::span<const ConverterRow> packet_converters() { return kRows; }

}  // namespace expr::converter

// Forwarded, X-Forwarded-For, X-Original-To and cookie captures: what the proxy adds to or notes of
// a request by itself.
#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "http/cookie.h"
#include "proxy/run.h"
#include "proxy/session.h"

namespace proxy {

namespace {

bool in_network(const net::Ip& ip, const net::Ip& network, unsigned bits) {
  if (ip.family != network.family) return false;
  const bool v4 = ip.family == AF_INET;
  const auto* a = v4 ? reinterpret_cast<const unsigned char*>(&ip.v4)
                     : reinterpret_cast<const unsigned char*>(&ip.v6);
  const auto* b = v4 ? reinterpret_cast<const unsigned char*>(&network.v4)
                     : reinterpret_cast<const unsigned char*>(&network.v6);
  const unsigned whole = bits / 8;
  if (std::memcmp(a, b, whole) != 0) return false;
  if (bits % 8 == 0) return true;
  const auto mask = static_cast<unsigned char>(0xff << (8 - bits % 8));
  return ((a[whole] ^ b[whole]) & mask) == 0;
}

// The two sides' settings as one: the backend's name wins, "if-none" holds if both say so.
void add_address(const ForwardFor& front, const ForwardFor& back, const net::Address& address,
                 http::Headers& headers, base::Arena& arena) {
  if (!address.is_ip()) return;
  const ForwardFor& naming = back.enabled ? back : front;
  const bool if_none = (!front.enabled || front.if_none) && (!back.enabled || back.if_none);
  const std::string_view name = naming.header;
  if (if_none && headers.find(name) != nullptr) return;
  const net::Ip ip = address.ip();
  for (const ForwardFor* side : {&front, &back}) {
    if (!side->enabled) continue;
    for (const auto& [network, bits] : side->except)
      if (in_network(ip, network, bits)) return;
  }
  headers.add(name, arena.copy(ip.text()), arena);
}

bool is_token(char c) {  // RFC 9110 section 5.6.2
  return base::is_alpha(c) || base::is_digit(c) ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

void append_value(std::string& line, std::string_view value, bool always_quoted) {
  if (!always_quoted && std::all_of(value.begin(), value.end(), is_token)) {
    line += value;
    return;
  }
  line += '"';
  for (char c : value) {
    if (c == '"' || c == '\\') line += '\\';
    line += c;
  }
  line += '"';
}

// What an expression gives instead of an address or port: hidden behind an underscore
// (section 6.3).
std::string obfuscated(std::string_view text) {
  for (char c : text)
    if (!base::is_alpha(c) && !base::is_digit(c) && c != '.' && c != '_' && c != '-')
      return "unknown";
  return text.empty() ? "unknown" : "_" + std::string(text);
}

std::string node_name(const net::Ip& ip) {
  return ip.family == AF_INET6 ? "[" + ip.text() + "]" : ip.text();
}

std::string node_from(const expr::Expression& expression, expr::Context& ctx) {
  std::string_view text;
  if (!expression.evaluate_text(ctx, text)) return "unknown";
  const net::Ip ip = net::Ip::parse(text);
  return ip.family != 0 ? node_name(ip) : obfuscated(text);
}

std::string port_from(const expr::Expression& expression, expr::Context& ctx) {
  std::string_view text;
  if (!expression.evaluate_text(ctx, text)) return {};
  if (auto port = base::parse_int<std::uint16_t>(text)) return std::string(text);
  const std::string hidden = obfuscated(text);
  return hidden == "unknown" ? std::string() : hidden;
}

// A "for" or "by" node (section 6); empty when nothing of it is wanted.
std::string node(const Forwarded::Part& name, const Forwarded::Part& port,
                 const net::Address& address, expr::Context& ctx) {
  if (!name.given && !port.given) return {};
  std::string out = "unknown";
  if (name.given && name.expression != nullptr)
    out = node_from(*name.expression, ctx);
  else if (name.given && address.is_ip())
    out = node_name(address.ip());
  if (!port.given) return out;
  const std::string number = port.expression != nullptr ? port_from(*port.expression, ctx)
                             : address.is_ip()          ? std::to_string(address.port())
                                                        : std::string();
  return number.empty() ? out : out + ":" + number;
}

}  // namespace

void Run::add_forwarded_headers() {
  txn::Exchange& e = x();
  static const ForwardFor kNone;
  const auto add = [&](const ForwardFor Proxy::*which, const net::Address& address) {
    const ForwardFor& front = frontend_->*which;
    const ForwardFor& back = backend_ != frontend_ ? backend_->*which : kNone;
    if (front.enabled || back.enabled)
      add_address(front, back, address, e.request.headers, e.arena);
  };
  add(&Proxy::forward_for, e.session.source);
  add(&Proxy::original_to, e.session.destination);
  if (backend_->forwarded.enabled) add_forwarded(backend_->forwarded);
}

// RFC 7239 section 4: pairs joined by ';', each value a token or quoted.
void Run::add_forwarded(const Forwarded& wanted) {
  txn::Exchange& e = x();
  expr::Context ctx = context(*backend_, txn::Direction::request);
  std::string line;
  auto pair = [&line](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    if (!line.empty()) line += ';';
    line += name;
    line += '=';
    append_value(line, value, name == "host");
  };
  if (wanted.proto) pair("proto", "http");
  if (wanted.host.given) {
    std::string_view host;
    if (wanted.host.expression != nullptr)
      wanted.host.expression->evaluate_text(ctx, host);
    else if (const http::Field* field = e.request.headers.find("host"))
      host = field->value;
    pair("host", host);
  }
  pair("by", node(wanted.by, wanted.by_port, e.session.destination, ctx));
  pair("for", node(wanted.from, wanted.from_port, e.session.source, ctx));
  if (!line.empty()) e.request.headers.add("forwarded", e.arena.copy(line), e.arena);
}

// The name is a beginning, which an equal sign at its end makes exact (manual, "capture cookie").
void Run::capture_request_cookie() {
  txn::Exchange& e = x();
  const Capture& wanted = frontend_->cookie_capture;
  for (const http::Field& f : e.request.headers) {
    if (f.id != http::HeaderId::cookie) continue;
    std::string_view rest = f.value;
    http::CookiePair pair;
    while (http::next_cookie(rest, pair)) {
      if (!pair.whole.starts_with(wanted.name)) continue;
      e.captured_cookie_in =
          pair.whole.substr(0, std::min<std::size_t>(wanted.length, config_->cookie_length));
      return;
    }
  }
}

void Run::capture_response_cookie() {
  txn::Exchange& e = x();
  const Capture& wanted = frontend_->cookie_capture;
  for (const http::Field& f : e.response.headers) {
    http::CookiePair pair;
    std::string_view attributes;
    if (f.id != http::HeaderId::set_cookie || !http::read_set_cookie(f.value, pair, attributes))
      continue;
    if (!pair.whole.starts_with(wanted.name)) continue;
    e.captured_cookie_out = e.arena.copy(
        pair.whole.substr(0, std::min<std::size_t>(wanted.length, config_->cookie_length)));
    return;
  }
}

}  // namespace proxy

// X-Forwarded-For, X-Original-To and cookie captures: what the proxy adds to or notes of a request
// by itself.
#include <cstring>

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
  if ((!front.enabled && !back.enabled) || !address.is_ip()) return;
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

}  // namespace

void Run::add_forwarded_headers() {
  txn::Exchange& e = x();
  static const ForwardFor kNone;
  const bool two = backend_ != frontend_;
  add_address(frontend_->forward_for, two ? backend_->forward_for : kNone, e.session.source,
              e.request.headers, e.arena);
  add_address(frontend_->original_to, two ? backend_->original_to : kNone, e.session.destination,
              e.request.headers, e.arena);
}

void Run::capture_request_cookie() {
  txn::Exchange& e = x();
  const Capture& wanted = frontend_->cookie_capture;
  for (const http::Field& f : e.request.headers) {
    if (f.id != http::HeaderId::cookie) continue;
    std::string_view rest = f.value;
    http::CookiePair pair;
    while (http::next_cookie(rest, pair)) {
      if (!pair.name.starts_with(wanted.name)) continue;
      e.captured_cookie_in = pair.whole.substr(0, wanted.length);
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
    if (!pair.name.starts_with(wanted.name)) continue;
    e.captured_cookie_out = e.arena.copy(pair.whole.substr(0, wanted.length));
    return;
  }
}

}  // namespace proxy

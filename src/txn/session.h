// One client connection as rules, samples, scripts and logs see it. Data without behaviour; owned
// by the worker that accepted it, lives as long as the connection (and so must be small: idle ones
// are many).
#pragma once

#include <cstdint>
#include <memory>

#include "net/address.h"
#include "net/proxy_protocol.h"
#include "rt/time.h"
#include "state/proxy.h"
#include "state/stick_table.h"
#include "state/variables.h"

namespace net {
class Connection;
}

namespace txn {

// What few sessions have.
struct SessionExtras {
  state::Variables variables;                          // scope "sess"
  std::vector<net::ProxyTlv> tlvs;                     // from an accepted PROXY header
  net::Address original_source, original_destination;  // before set-src, set-dst, PROXY
  bool proxy_header = false;                           // one was accepted
  bool expect_proxy = false;  // a rule wants a PROXY header before anything else
  std::uint32_t mark = 0;
  int log_level = -1;
};

struct Session {
  state::Proxy* frontend = nullptr;  // the accepting proxy
  state::ListenerState* listener = nullptr;
  net::Connection* connection =
      nullptr;                        // null for sessions without a client (checks, Lua clients)
  net::Address source, destination;   // as rules see them: after PROXY, set-src, set-dst
  rt::Instant accepted{};             // monotonic
  std::int64_t accepted_wall_us = 0;  // wall clock, microseconds
  std::uint32_t requests = 0;         // on this connection so far
  std::uint32_t id = 0;
  std::uint32_t tracked_numbers = 0;           // of `tracked`; see tracking.h
  std::unique_ptr<state::StickRef[]> tracked;  // by session rules
  std::unique_ptr<SessionExtras> extras;

  SessionExtras& more() {
    if (!extras) extras = std::make_unique<SessionExtras>();
    return *extras;
  }
};

}  // namespace txn

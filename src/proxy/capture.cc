// Keeps invalid messages for "show errors".
#include <fmt/format.h>

#include <chrono>

#include "proxy/run.h"

namespace proxy {
namespace {

constexpr std::size_t kKept = 16384;

std::string name_of(std::string_view what, const state::Proxy* proxy) {
  return proxy == nullptr ? fmt::format("{} <NONE> (#-1)", what)
                          : fmt::format("{} {} (#{})", what, proxy->name, proxy->id);
}

}  // namespace

void Run::capture(const Proxy& of, txn::Direction direction, std::string_view bytes,
                  const http::ParseError& error) {
  const txn::Exchange& e = x();
  const bool request = direction == txn::Direction::request;
  state::CapturedMessage message;
  message.event = state::next_captured_event();
  message.when_us = std::chrono::duration_cast<std::chrono::microseconds>(
                        std::chrono::system_clock::now().time_since_epoch())
                        .count();
  message.bytes = bytes.substr(0, kKept);
  message.position = error.at;
  message.why = error.what;
  message.source = e.session.source;
  message.other = request ? name_of("backend", e.backend) : name_of("frontend", e.frontend);
  message.other += e.server == nullptr
                       ? std::string(", server <NONE> (#-1)")
                       : fmt::format(", server {} (#{})", e.server->name, e.server->id);
  state::CapturedMessages& kept = of.state->captured;
  std::lock_guard lock(kept.mutex);
  (request ? kept.request : kept.response) = std::move(message);
}

}  // namespace proxy

// The last invalid request and response of a proxy, for "show errors". Written by whoever met one,
// read by commands; under its lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

#include "net/address.h"

namespace state {

struct CapturedMessage {
  std::uint64_t event = 0;   // counted over all proxies
  std::int64_t when_us = 0;  // wall clock; 0: there was none
  std::string bytes;         // what had come of the message
  std::size_t position = 0;  // of the offending byte
  std::string why;
  net::Address source;  // of the client
  std::string other;    // "backend <NONE> (#-1), server <NONE> (#-1)"
};

struct CapturedMessages {
  mutable std::mutex mutex;
  CapturedMessage request, response;
};

// The number of the next event.
std::uint64_t next_captured_event();
std::uint64_t captured_events();

}  // namespace state

#include "state/captured_message.h"

namespace state {
namespace {

std::atomic<std::uint64_t> events{0};

}  // namespace

std::uint64_t next_captured_event() { return events.fetch_add(1, std::memory_order_relaxed); }
std::uint64_t captured_events() { return events.load(std::memory_order_relaxed); }

}  // namespace state

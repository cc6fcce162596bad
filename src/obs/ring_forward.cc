#include "obs/ring_forward.h"

#include <fmt/format.h>

#include "net/connection.h"
#include "obs/ring.h"
#include "rt/fiber.h"

namespace obs {
namespace {

constexpr rt::Duration kRetryAfter = std::chrono::seconds(1);

// One batch of lines as the server's protocol frames them.
std::string frame(const RingServer& server, std::string_view line) {
  if (server.octet_count) return fmt::format("{} {}", line.size(), line);  // RFC 6587 section 3.4.1
  return fmt::format("{}\n", line);
}

// Until the connection fails; `next` moves past what was handed to the kernel.
void serve(Ring& ring, const RingServer& server, net::Connection& connection, std::uint64_t& next) {
  for (;;) {
    std::string batch;
    std::uint64_t after =
        ring.read(next, [&](std::string_view line) { batch += frame(server, line); });
    if (batch.empty()) {
      if (ring.wait_beyond(next) == rt::Wait::cancelled) return;
      continue;
    }
    if (!connection.write(batch, rt::deadline(server.send_timeout))) return;
    next = after;
  }
}

void forward(const std::shared_ptr<Ring>& ring, const RingServer& server) {
  std::uint64_t next = 0;
  for (;;) {
    auto connection = net::connect(server.address, {}, rt::deadline(server.connect_timeout));
    if (connection) serve(*ring, server, **connection, next);
    if (rt::cancelled() || rt::sleep_for(kRetryAfter) == rt::Wait::cancelled) return;
  }
}

}  // namespace

void start_forwarding() {
  for (const auto& ring : all_rings())
    for (const RingServer& server : ring->settings().servers)
      rt::spawn([ring, &server] { forward(ring, server); });
}

}  // namespace obs

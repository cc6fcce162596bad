#include "upstream/log_outlet.h"

#include <fmt/format.h>

#include "obs/log.h"
#include "obs/ring_config.h"

namespace upstream {

namespace {

constexpr std::size_t kLongestLine = 65535;

std::shared_ptr<obs::Ring> ring_for(const Server& server) {
  const ServerSettings& settings = server.settings();
  if (!settings.spec.is_stream) return nullptr;
  obs::RingServer to;
  to.name = settings.name;
  to.address = server.address();
  to.octet_count = settings.log_octet_count;
  obs::RingSettings ring;
  ring.name = fmt::format("{}/{}", server.state().proxy->name, settings.name);
  ring.description = fmt::format("lines for server {}", ring.name);
  ring.size = settings.log_ring_size;
  ring.longest = kLongestLine;
  return obs::add_forwarding_ring(std::move(ring), std::move(to));
}

}  // namespace

LogOutlet::LogOutlet(Backend& backend, LogBalancer& balancer) : balancer_(balancer) {
  for (const auto& server : backend.servers()) rings_.push_back(ring_for(*server));
}

bool LogOutlet::write(std::string_view line) {
  Server* server = balancer_.pick_for(line);
  if (server == nullptr) return false;
  server->state().counters.mine().sessions.add();
  if (const auto& ring = rings_[server->index()]) {
    ring->append(line);
    return true;
  }
  return obs::send_datagram(server->address(), line);
}

}  // namespace upstream

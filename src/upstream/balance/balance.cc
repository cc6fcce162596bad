#include "upstream/balance/balance.h"

#include <fmt/format.h>

#include <array>
#include <numeric>
#include <queue>

#include "config/diagnostics.h"

namespace upstream {

std::vector<Server*> usable_servers(const Backend& backend) {
  std::vector<Server*> active, backup;
  for (const auto& server : backend.servers()) {
    if (server->scaled_weight() == 0) continue;
    (server->state().backup ? backup : active).push_back(server.get());
  }
  if (!active.empty()) return active;
  if (!backend.settings.all_backups && backup.size() > 1) backup.resize(1);
  return backup;
}

std::vector<std::uint32_t> reduced_weights(const std::vector<Server*>& servers,
                                           std::uint32_t most) {
  std::vector<std::uint32_t> weights;
  std::uint32_t divisor = 0;
  std::uint64_t total = 0;
  for (const Server* server : servers) {
    weights.push_back(server->scaled_weight());
    divisor = std::gcd(divisor, weights.back());
  }
  for (std::uint32_t& weight : weights) total += weight /= std::max(divisor, 1u);
  if (most != 0 && total > most)
    for (std::uint32_t& weight : weights)
      weight = std::max<std::uint32_t>(
          1, static_cast<std::uint32_t>(std::uint64_t{weight} * most / total));
  return weights;
}

std::vector<Server*> smooth_sequence(const std::vector<Server*>& servers,
                                     const std::vector<std::uint32_t>& weights) {
  // The n-th turn of a server of weight w is due at (2n + 1) / 2w of a round; turns are taken in
  // the order of their due times, equal ones in the order of the servers.
  struct Turn {
    std::uint64_t numerator;
    std::uint32_t weight;
    std::size_t index;
    bool operator>(const Turn& other) const {
      const std::uint64_t mine = numerator * other.weight, theirs = other.numerator * weight;
      return mine != theirs ? mine > theirs : index > other.index;
    }
  };
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns;
  std::size_t total = 0;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    if (weights[i] == 0) continue;
    turns.push({1, weights[i], i});
    total += weights[i];
  }
  std::vector<Server*> sequence;
  sequence.reserve(total);
  while (sequence.size() < total) {
    Turn turn = turns.top();
    turns.pop();
    sequence.push_back(servers[turn.index]);
    turn.numerator += 2;
    turns.push(turn);
  }
  return sequence;
}

bool passed_over(const Server& server, Affinity affinity) {
  switch (affinity) {
    case Affinity::always:
      return false;
    case Affinity::maxconn:
      return !server.has_room();
    case Affinity::maxqueue:
      return !server.has_room() && server.queue_full();
  }
  return false;
}

namespace {

struct Algorithm {
  std::string_view name;
  std::unique_ptr<Balancer> (*make)(Backend&);
};

constexpr std::array kAlgorithms{
    Algorithm{"roundrobin", make_roundrobin},
    Algorithm{"static-rr", make_static_rr},
    Algorithm{"leastconn", make_leastconn},
    Algorithm{"first", make_first},
    Algorithm{"random", make_random},
    Algorithm{"source", make_source},
    Algorithm{"uri", make_uri},
    Algorithm{"hdr", make_hdr},
    Algorithm{"url_param", make_url_param},
    Algorithm{"rdp-cookie", make_rdp_cookie},
    Algorithm{"hash", make_hash},
};

}  // namespace

std::unique_ptr<Balancer> make_balancer(Backend& backend, config::Diagnostics& diagnostics) {
  for (const Algorithm& algorithm : kAlgorithms)
    if (algorithm.name == backend.settings.balance) return algorithm.make(backend);
  diagnostics.alert({}, fmt::format("backend '{}': balance algorithm '{}' cannot be used here",
                                    backend.state().name, backend.settings.balance));
  return nullptr;
}

}  // namespace upstream

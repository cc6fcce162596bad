// What the balance algorithms share: the servers that take traffic now, published to all workers.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "expr/context.h"
#include "upstream/backend.h"

namespace config {
class Diagnostics;
}

namespace upstream {

// From settings.balance. Null with a report when the name or its arguments do not fit.
std::unique_ptr<Balancer> make_balancer(Backend& backend, config::Diagnostics& diagnostics);

// Active servers that take traffic; when there is none the first backup server, or all of them with
// "option allbackups".
std::vector<Server*> usable_servers(const Backend& backend);

// Weights divided by their greatest common divisor. With `most`, scaled down so that they sum up to
// no more than that.
std::vector<std::uint32_t> reduced_weights(const std::vector<Server*>& servers, std::uint32_t most);

// Every server as often as its weight says, spread as evenly as can be.
std::vector<Server*> smooth_sequence(const std::vector<Server*>& servers,
                                     const std::vector<std::uint32_t>& weights);

// Whether a hash algorithm passes over a saturated server (hash-preserve-affinity).
bool passed_over(const Server& server, Affinity affinity);

// One constructor for each algorithm, defined in the file of its name.
std::unique_ptr<Balancer> make_roundrobin(Backend& backend);
std::unique_ptr<Balancer> make_static_rr(Backend& backend);
std::unique_ptr<Balancer> make_leastconn(Backend& backend);
std::unique_ptr<Balancer> make_first(Backend& backend);
std::unique_ptr<Balancer> make_random(Backend& backend);
std::unique_ptr<Balancer> make_source(Backend& backend);
std::unique_ptr<Balancer> make_uri(Backend& backend);
std::unique_ptr<Balancer> make_hdr(Backend& backend);
std::unique_ptr<Balancer> make_url_param(Backend& backend);
std::unique_ptr<Balancer> make_rdp_cookie(Backend& backend);
std::unique_ptr<Balancer> make_hash(Backend& backend);

}  // namespace upstream

// balance source: the client's address.
#include <arpa/inet.h>

#include <cstring>

#include "upstream/balance/hashed.h"

namespace upstream {

namespace {

// The address in words of 32 bits, folded; no hash function is applied to it.
std::uint32_t fold(const void* address, std::size_t size) {
  std::uint32_t folded = 0;
  for (std::size_t at = 0; at + 4 <= size; at += 4) {
    std::uint32_t word = 0;
    std::memcpy(&word, static_cast<const char*>(address) + at, 4);
    folded ^= ntohl(word);
  }
  return folded;
}

class Source final : public HashedBalancer {
 public:
  using HashedBalancer::HashedBalancer;

 private:
  std::optional<std::uint32_t> key(PickContext& pick) override {
    const net::Ip ip = pick.exchange.session.source.ip();
    if (ip.family == AF_INET) return fold(&ip.v4, sizeof ip.v4);
    if (ip.family == AF_INET6) return fold(&ip.v6, sizeof ip.v6);
    return std::nullopt;
  }
};

}  // namespace

std::unique_ptr<Balancer> make_source(Backend& backend) {
  return std::make_unique<Source>(backend);
}

}  // namespace upstream

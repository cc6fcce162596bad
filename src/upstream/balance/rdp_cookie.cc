// balance rdp-cookie(<name>): a cookie of the connection request that RDP clients send first.
#include "upstream/rdp_cookie.h"

#include "upstream/balance/hashed.h"

namespace upstream {

namespace {

class RdpCookie final : public HashedBalancer {
 public:
  using HashedBalancer::HashedBalancer;

 private:
  std::optional<std::uint32_t> key(PickContext& pick) override {
    if (pick.exchange.request_channel == nullptr) return std::nullopt;
    const auto value =
        rdp_cookie(pick.exchange.request_channel->data(), backend_.settings.balance_name);
    if (!value || value->empty()) return std::nullopt;
    return hash(*value);
  }
};

}  // namespace

std::unique_ptr<Balancer> make_rdp_cookie(Backend& backend) {
  return std::make_unique<RdpCookie>(backend);
}

}  // namespace upstream

// balance rdp-cookie(<name>): a cookie of the connection request that RDP clients send first
// (MS-RDPBCGR section 2.2.1.1: TPKT, X.224 CR, "Cookie: <name>=<value>" CR LF).
#include "base/text.h"
#include "upstream/balance/hashed.h"

namespace upstream {

namespace {

constexpr std::size_t kHeaders = 4 + 7;  // TPKT and X.224 connection request

std::optional<std::string_view> rdp_cookie(std::string_view bytes, std::string_view name) {
  if (bytes.size() <= kHeaders || bytes[0] != 3) return std::nullopt;
  bytes.remove_prefix(kHeaders);
  if (!base::istarts_with(bytes, "Cookie:")) return std::nullopt;
  bytes.remove_prefix(7);
  while (!bytes.empty() && bytes.front() == ' ') bytes.remove_prefix(1);
  const std::size_t equals = bytes.find('=');
  if (equals == std::string_view::npos || !base::iequals(bytes.substr(0, equals), name))
    return std::nullopt;
  bytes.remove_prefix(equals + 1);
  const std::size_t end = bytes.find_first_of("\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  return bytes.substr(0, end);
}

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

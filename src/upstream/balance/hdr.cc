// balance hdr(<name>): the first value of a request header, or its main domain part.
#include "base/text.h"
#include "upstream/balance/hashed.h"

namespace upstream {

namespace {

// "haproxy.1wt.eu:80" -> "1wt": what stands before the last dot.
std::string_view main_domain(std::string_view host) {
  host = host.substr(0, host.find(':'));
  const std::size_t last = host.rfind('.');
  if (last == std::string_view::npos) return host;
  host = host.substr(0, last);
  const std::size_t dot = host.rfind('.');
  return dot == std::string_view::npos ? host : host.substr(dot + 1);
}

class Hdr final : public HashedBalancer {
 public:
  using HashedBalancer::HashedBalancer;

 private:
  std::optional<std::uint32_t> key(PickContext& pick) override {
    if (!pick.exchange.is_http) return std::nullopt;
    const http::Field* field = pick.exchange.request.headers.find(backend_.settings.balance_name);
    if (field == nullptr) return std::nullopt;
    std::string_view value = base::trim(field->value.substr(0, field->value.find(',')));
    if (value.empty()) return std::nullopt;
    return hash(backend_.settings.balance_domain_only ? main_domain(value) : value);
  }
};

}  // namespace

std::unique_ptr<Balancer> make_hdr(Backend& backend) { return std::make_unique<Hdr>(backend); }

}  // namespace upstream

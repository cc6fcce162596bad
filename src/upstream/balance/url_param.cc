// balance url_param <name>: a parameter of the query string, or with check_post of a POST body.
#include "http/uri.h"
#include "upstream/balance/hashed.h"

namespace upstream {

namespace {

class UrlParam final : public HashedBalancer {
 public:
  using HashedBalancer::HashedBalancer;

 private:
  std::optional<std::uint32_t> key(PickContext& pick) override {
    if (!pick.exchange.is_http) return std::nullopt;
    const BackendSettings& settings = backend_.settings;
    const http::Target target = http::split_target(pick.exchange.request.target);
    std::string_view value;
    if (http::query_value(target.query, settings.balance_name, value)) return hash(value);
    if (!settings.balance_check_post || pick.exchange.request.method != http::Method::post ||
        pick.exchange.request_channel == nullptr)
      return std::nullopt;
    if (http::query_value(pick.exchange.request_channel->data(), settings.balance_name, value))
      return hash(value);
    return std::nullopt;
  }
};

}  // namespace

std::unique_ptr<Balancer> make_url_param(Backend& backend) {
  return std::make_unique<UrlParam>(backend);
}

}  // namespace upstream

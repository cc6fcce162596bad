// balance uri: the request target up to the question mark, or as "whole", "len", "depth" and
// "path-only" say.
#include "http/uri.h"

#include "upstream/balance/hashed.h"

namespace upstream {

namespace {

class Uri final : public HashedBalancer {
 public:
  using HashedBalancer::HashedBalancer;

 private:
  std::optional<std::uint32_t> key(PickContext& pick) override {
    if (!pick.exchange.is_http) return std::nullopt;
    const BackendSettings& settings = backend_.settings;
    std::string_view text = pick.exchange.request.target;
    if (settings.balance_path_only) {
      const http::Target target = http::split_target(text);
      if (target.form == http::Target::Form::absolute)
        text.remove_prefix(static_cast<std::size_t>(target.path.data() - text.data()));
    }
    if (settings.balance_length != 0) text = text.substr(0, settings.balance_length);
    std::uint32_t slashes = 0;
    std::size_t end = 0;
    for (; end < text.size(); ++end) {
      if (text[end] == '?' && !settings.balance_whole) break;
      if (text[end] == '/' && settings.balance_depth != 0 && ++slashes > settings.balance_depth)
        break;
    }
    return hash(text.substr(0, end));
  }
};

}  // namespace

std::unique_ptr<Balancer> make_uri(Backend& backend) { return std::make_unique<Uri>(backend); }

}  // namespace upstream

#include "admin/facts.h"

namespace admin {

ProxyFacts facts_of(const proxy::Config& config, const state::Proxy& proxy) {
  ProxyFacts facts;
  const proxy::Proxy* settings = config.of(&proxy);
  if (settings == nullptr) return facts;
  facts.socket_stats = settings->options.has(proxy::Option::socket_stats);
  facts.rate_limit = settings->rate_limit_sessions;
  if (settings->backend) facts.cookie_name = settings->backend->settings.cookie_name;
  return facts;
}

}  // namespace admin

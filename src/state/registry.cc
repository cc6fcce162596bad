#include "state/registry.h"

namespace state {

Proxy& Registry::add(std::unique_ptr<Proxy> proxy) {
  return *proxies_.emplace_back(std::move(proxy));
}

Proxy* Registry::find(std::string_view name, std::uint8_t capability) const {
  for (const auto& p : proxies_)
    if ((p->capabilities & capability) != 0 && p->name == name) return p.get();
  return nullptr;
}

Proxy* Registry::find(unsigned id) const {
  for (const auto& p : proxies_)
    if (p->id == id) return p.get();
  return nullptr;
}

Server* Registry::find_server(std::string_view name, const Proxy* near) const {
  std::size_t slash = name.find('/');
  if (slash == std::string_view::npos) return near == nullptr ? nullptr : near->find_server(name);
  const Proxy* proxy = find(name.substr(0, slash), kBackend);
  return proxy == nullptr ? nullptr : proxy->find_server(name.substr(slash + 1));
}

}  // namespace state

#include "proxy/config.h"

#include "proxy/serve.h"
#include "wire/buffer.h"

namespace proxy {

namespace {
const Config* running_config = nullptr;
}

void set_running(const Config& config) {
  running_config = &config;
  wire::set_buffer_size(config.buffer_size);
}
const Config& running() { return *running_config; }

Proxy* Config::of(const state::Proxy* st) const {
  return st == nullptr || st->index >= by_index.size() ? nullptr : by_index[st->index];
}

void Config::freeze() {
  by_index.assign(proxies.size(), nullptr);
  for (std::size_t i = 0; i < proxies.size(); ++i) {
    proxies[i]->state->index = static_cast<unsigned>(i);
    by_index[i] = proxies[i].get();
  }
}

}  // namespace proxy

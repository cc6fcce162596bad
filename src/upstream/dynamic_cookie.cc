#include "upstream/dynamic_cookie.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <xxhash.h>

namespace upstream {

void set_dynamic_cookie(Server& server) {
  const BackendSettings& backend = server.backend().settings;
  state::Server& st = server.state();
  if (!(backend.cookie_flags & kCookieDynamic) || !server.settings().cookie.empty()) return;
  const net::Address& address = server.address();
  const net::Ip ip = address.ip();
  std::string bytes = backend.dynamic_cookie_key;
  if (ip.family == AF_INET) bytes.append(reinterpret_cast<const char*>(&ip.v4), sizeof ip.v4);
  if (ip.family == AF_INET6) bytes.append(reinterpret_cast<const char*>(&ip.v6), sizeof ip.v6);
  const std::uint32_t port = htonl(address.port());
  bytes.append(reinterpret_cast<const char*>(&port), sizeof port);
  const std::lock_guard guard(st.mutex);
  st.cookie = fmt::format("{:016x}", XXH64(bytes.data(), bytes.size(), 0));
}

}  // namespace upstream

#include "state/proxy.h"

namespace state {

std::string_view name_of(Mode mode) {
  switch (mode) {
    case Mode::tcp:
      return "tcp";
    case Mode::http:
      return "http";
    case Mode::log:
      return "log";
    case Mode::spop:
      return "spop";
  }
  return "";
}

Server* Proxy::find_server(std::string_view server) const {
  for (const auto& s : servers)
    if (s->name == server) return s.get();
  return nullptr;
}

}  // namespace state

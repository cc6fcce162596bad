#include "net/resolver.h"

#include <fmt/format.h>
#include <netdb.h>

#include <memory>

#include "base/text.h"
#include "rt/fiber.h"
#include "rt/sync.h"
#include "rt/worker.h"

namespace net {

namespace {

using Answer = base::Result<std::vector<Ip>>;

bool wanted(const Ip& ip, int family) { return family == AF_UNSPEC || family == ip.family; }

void add_once(std::vector<Ip>& to, const Ip& ip) {
  for (const Ip& known : to)
    if (known == ip) return;
  to.push_back(ip);
}

Answer ask_system(const std::string& name, int family) {
  addrinfo hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (const int error = ::getaddrinfo(name.c_str(), nullptr, &hints, &list); error != 0)
    return base::fail(fmt::format("could not resolve '{}': {}", name, gai_strerror(error)));
  std::vector<Ip> found;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    const Ip ip = Address::of(entry->ai_addr, entry->ai_addrlen).ip();
    if (ip.family != 0) add_once(found, ip);
  }
  ::freeaddrinfo(list);
  return found;
}

// Outlives the fiber that asks, which may lose patience.
struct Question {
  rt::Fiber* waiting;  // touched by its worker alone
  Answer answer;
};

Answer ask_helper(const std::string& name, int family, rt::Instant deadline) {
  auto question = std::make_shared<Question>(Question{rt::current(), {}});
  rt::Worker& worker = *rt::this_worker();
  bool done = false;
  rt::run_on_helper([question, &worker, &done, name, family] {
    question->answer = ask_system(name, family);
    worker.post([question, &done] {
      if (question->waiting == nullptr) return;
      done = true;
      rt::wake(*question->waiting);
    });
  });
  while (!done) {
    const rt::Wait how = rt::suspend(deadline);
    if (done || how == rt::Wait::ready) continue;
    question->waiting = nullptr;
    return base::fail(fmt::format("could not resolve '{}': {}", name,
                                  how == rt::Wait::timed_out ? "timed out" : "cancelled"));
  }
  return std::move(question->answer);
}

}  // namespace

Answer resolve(const std::string& name, int family, rt::Instant deadline) {
  if (const Ip ip = Ip::parse(name); ip.family != 0) {
    if (wanted(ip, family)) return std::vector<Ip>{ip};
    return base::fail(fmt::format("'{}' is not an address of the wanted family", name));
  }
  if (base::iequals(name, "localhost")) {  // RFC 6761 section 6.3
    std::vector<Ip> own;
    for (const char* text : {"127.0.0.1", "::1"})
      if (const Ip ip = Ip::parse(text); wanted(ip, family)) own.push_back(ip);
    return own;
  }
  if (rt::current() == nullptr) return ask_system(name, family);
  return ask_helper(name, family, deadline);
}

}  // namespace net

// silent-drop: the client's connection disappears without a word to the client (manual
// section 4.4).
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "net/connection.h"
#include "rules/action/support.h"
#include "rules/action/tables.h"

namespace rules::action {
namespace {

class SilentDrop : public Action {
 public:
  explicit SilentDrop(int ttl) : ttl_(ttl) {}
  Verdict run(expr::Context& context) override {
    if (context.session != nullptr && context.session->connection != nullptr)
      vanish(*context.session->connection);
    finish(context, txn::Cause::proxy);
    return Verdict::close;
  }

 private:
  // TCP_REPAIR closes without a packet, where we may; else a RST that dies on the way.
  void vanish(net::Connection& connection) const {
    int fd = connection.io().fd(), on = 1;
    if (ttl_ == 0 && setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) == 0) return;
    int ttl = ttl_ == 0 ? 1 : ttl_;
    if (connection.peer().family() == AF_INET6)
      (void)setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &ttl, sizeof(ttl));
    else
      (void)setsockopt(fd, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
    connection.reset_on_close();
  }

  int ttl_;  // 0: none was asked for
};

Made parse(config::Arguments& args, ParseContext& context, std::string_view word,
           const ActionRow&) {
  Reader in(args, context, word);
  int ttl = 0;
  if (in.accept("rst-ttl")) {
    auto number = args.number("rst-ttl", 1, 255);
    if (!number) return nullptr;
    ttl = static_cast<int>(*number);
  }
  return std::make_unique<SilentDrop>(ttl);
}

// clang-format off
constexpr ActionRow kRows[] = {
    {{"silent-drop", "[ rst-ttl <ttl> ]", "Drops the connection without telling the client."},
     kTcpConnection | kTcpSession | kTcpRequestContent | kTcpResponseContent | kHttpRequest |
     kHttpResponse, parse, false, true},
};
// clang-format on

}  // namespace

std::span<const ActionRow> silent_drop_rows() { return kRows; }

}  // namespace rules::action

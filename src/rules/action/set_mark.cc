// set-fc-mark, set-fc-tos, set-bc-mark, set-bc-tos and the old names set-mark, set-tos: marks of
// packets (manual section 4.4).
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/socket.h>

#include "net/connection.h"
#include "rules/action/support.h"
#include "rules/action/tables.h"

namespace rules::action {
namespace {

class SetMark : public Action {
 public:
  SetMark(Number number, bool tos, bool server)
      : number_(std::move(number)), tos_(tos), server_(server) {}

  Verdict run(expr::Context& context) override {
    std::int64_t number = 0;
    if (!number_.get(context, number)) return Verdict::next;
    if (server_) {
      if (context.exchange != nullptr)
        (tos_ ? context.exchange->server_tos : context.exchange->server_mark) = number;
    } else if (context.session != nullptr && context.session->connection != nullptr) {
      mark(*context.session->connection, static_cast<int>(number));
    }
    return Verdict::next;
  }

 private:
  // Without the right privilege the kernel refuses: packets then go unmarked, as in the reference.
  void mark(net::Connection& connection, int number) const {
    int fd = connection.io().fd();
    if (!tos_) {
      (void)setsockopt(fd, SOL_SOCKET, SO_MARK, &number, sizeof(number));
    } else if (connection.peer().family() == AF_INET6) {
      (void)setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &number, sizeof(number));
    } else {
      (void)setsockopt(fd, IPPROTO_IP, IP_TOS, &number, sizeof(number));
    }
  }

  Number number_;
  bool tos_, server_;
};

Made parse(config::Arguments& args, ParseContext& context, std::string_view word,
           const ActionRow& row) {
  Reader in(args, context, word);
  bool tos = row.name.ends_with("tos");
  if (!in.more()) return in.fail("expects exactly 1 argument (integer/hex value or expression)");
  std::string_view text = in.peek();
  auto number = text.starts_with("0x") || text.starts_with("0X")
                    ? base::parse_int<std::uint32_t>(text.substr(2), 16)
                    : base::parse_int<std::uint32_t>(text);
  Number value;
  if (number) {
    in.next();
    if (tos && *number > 255) return in.fail_at_previous("invalid value, expected 0 to 255");
    value.fixed = *number;
  } else {
    value.expression = in.expression();
    if (value.expression == nullptr) return nullptr;
  }
  return std::make_unique<SetMark>(std::move(value), tos, row.name.starts_with("set-bc"));
}

constexpr std::uint16_t kClient = kTcpConnection | kTcpSession | kTcpRequestContent |
                                  kTcpResponseContent | kHttpRequest | kHttpResponse;
constexpr std::uint16_t kServer = kTcpRequestContent | kHttpRequest;
// clang-format off
constexpr ActionRow kRows[] = {
    {{"set-bc-mark", "{ <mark> | <expr> }", "Sets the mark of packets to the server."},
     kServer, parse},
    {{"set-bc-tos", "{ <tos> | <expr> }", "Sets the TOS of packets to the server."},
     kServer, parse},
    {{"set-fc-mark", "{ <mark> | <expr> }", "Sets the mark of packets to the client."},
     kClient, parse},
    {{"set-fc-tos", "{ <tos> | <expr> }", "Sets the TOS of packets to the client."},
     kClient, parse},
    {{"set-mark", "<mark>", "As set-fc-mark."}, kClient, parse},
    {{"set-tos", "<tos>", "As set-fc-tos."}, kClient, parse},
};
// clang-format on

}  // namespace

std::span<const ActionRow> set_mark_rows() { return kRows; }

}  // namespace rules::action

// set-src, set-src-port, set-dst, set-dst-port (manual section 4.4): what rules, logs and servers
// take for the addresses of the connection. Rules of an exchange change them for that exchange
// only.
#include "rules/action/support.h"
#include "rules/action/tables.h"

namespace rules::action {
namespace {

class SetAddress : public Action {
 public:
  SetAddress(std::unique_ptr<expr::Expression> value, bool destination, bool port, bool own)
      : value_(std::move(value)), destination_(destination), port_(port), own_(own) {}

  Verdict run(expr::Context& context) override {
    if (context.session == nullptr) return Verdict::next;
    txn::Session& session = *context.session;
    net::Address changed = destination_ ? session.destination : session.source;
    expr::Value value;
    if (!value_->evaluate(context, value)) return Verdict::next;
    if (!(port_ ? change_port(context, value, changed) : change_ip(context, value, changed)))
      return Verdict::next;
    if (!own_) remember(session);
    if (context.exchange != nullptr) restore_later(*context.exchange);
    (destination_ ? session.destination : session.source) = changed;
    if (destination_ && context.exchange != nullptr) context.exchange->destination = changed;
    return Verdict::next;
  }

 private:
  // The port stays where the address had one.
  static bool change_ip(expr::Context& context, expr::Value& value, net::Address& address) {
    if (!expr::cast(value, expr::Type::address, context.arena)) return false;
    net::Ip ip;
    if (value.type == expr::Type::ipv4)
      ip = net::Ip::from(value.v4);
    else if (value.type == expr::Type::ipv6)
      ip = net::Ip::from(value.v6);
    else
      return false;
    address = net::Address::of(ip, address.is_ip() ? address.port() : std::uint16_t{0});
    return true;
  }
  // Addresses without ports become 0.0.0.0.
  static bool change_port(expr::Context& context, expr::Value& value, net::Address& address) {
    if (!expr::cast(value, expr::Type::integer, context.arena)) return false;
    auto port = static_cast<std::uint16_t>(value.integer);
    if (address.is_ip())
      address.set_port(port);
    else
      address = net::Address::of(net::Ip::from(in_addr{0}), port);
    return true;
  }
  // fc_src and fc_dst go on telling the connection's own addresses.
  void remember(txn::Session& session) const {
    net::Address& original =
        destination_ ? session.more().original_destination : session.more().original_source;
    if (original.kind() == net::Address::Kind::none)
      original = destination_ ? session.destination : session.source;
  }
  void restore_later(txn::Exchange& exchange) const {
    txn::Session& session = exchange.session;
    if (destination_)
      exchange.on_end.push_back(
          [&session, old = session.destination] { session.destination = old; });
    else
      exchange.on_end.push_back([&session, old = session.source] { session.source = old; });
  }

  std::unique_ptr<expr::Expression> value_;
  bool destination_, port_;
  bool own_;  // rules of connections: fc_src and fc_dst tell the new address as well
};

Made parse(config::Arguments& args, ParseContext& context, std::string_view word,
           const ActionRow& row) {
  Reader in(args, context, word);
  auto value = in.expression();
  if (value == nullptr) return nullptr;
  return std::make_unique<SetAddress>(std::move(value), row.name.starts_with("set-dst"),
                                      row.name.ends_with("port"), context.place == kTcpConnection);
}

constexpr std::uint16_t kPlaces = kTcpConnection | kTcpSession | kTcpRequestContent | kHttpRequest;
// clang-format off
constexpr ActionRow kRows[] = {
    {{"set-src", "<expr>", "Sets the source address."}, kPlaces, parse},
    {{"set-src-port", "<expr>", "Sets the source port."}, kPlaces, parse},
    {{"set-dst", "<expr>", "Sets the destination address."}, kPlaces, parse},
    {{"set-dst-port", "<expr>", "Sets the destination port."}, kPlaces, parse},
};
// clang-format on

}  // namespace

std::span<const ActionRow> set_address_rows() { return kRows; }

}  // namespace rules::action

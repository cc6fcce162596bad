#include <xxhash.h>

#include "base/text.h"
#include "expr/expression.h"
#include "net/network_namespace.h"
#include "upstream/backend.h"
#include "upstream/checker.h"
#include "upstream/client_network.h"
#include "upstream/per_worker.h"
#include "upstream/proxy_header.h"

namespace upstream {

Server::Server(Backend& backend, state::Server& st, std::shared_ptr<const ServerSettings> settings,
               unsigned index)
    : backend_(backend),
      state_(st),
      settings_(std::move(settings)),
      index_(index),
      workers_(new PerWorker[rt::worker_count()]) {
  for (unsigned i = 0; i < rt::worker_count(); ++i) workers_[i].idle.attach(*this);
  publish_target(state_.address);
}

Server::~Server() = default;

void Server::change_address(const net::Address& address) {
  {
    const std::lock_guard guard(state_.mutex);
    if (state_.address == address) return;
    state_.address = address;
  }
  publish_target(address);
  drop_idle();
}

// In sixteenths, so that a server of weight 1 can start slowly as well.
void Server::update_weight(rt::Instant now) {
  using state::OperState;
  const OperState oper = state_.oper.load(std::memory_order_relaxed);
  std::uint32_t scaled = state_.user_weight.load(std::memory_order_relaxed) * 16;
  if (oper == OperState::starting && backend_.balancer().dynamic() &&
      settings_->slow_start_ms > 0) {
    const auto up = now - started_.load(std::memory_order_relaxed);
    const auto ms = std::chrono::duration_cast<rt::milliseconds>(up).count();
    const std::int64_t sixteenths =
        std::clamp<std::int64_t>(1 + 16 * ms / settings_->slow_start_ms, 1, 16);
    scaled = scaled / 16 * static_cast<std::uint32_t>(sixteenths);
  }
  state_.effective_weight.store(state_.draining() ? 0 : (scaled + 15) / 16,
                                std::memory_order_relaxed);
  const bool out = oper == OperState::stopped || oper == OperState::stopping ||
                   state_.in_maintenance() || state_.draining();
  scaled_weight_.store(out ? 0 : scaled, std::memory_order_relaxed);
}

namespace {

bool is_any(const net::Ip& ip) {
  if (ip.family == AF_INET) return ip.v4.s_addr == 0;
  if (ip.family != AF_INET6) return false;
  return IN6_IS_ADDR_UNSPECIFIED(&ip.v6);
}

std::uint64_t mix(std::uint64_t key, const net::Address& address) {
  sockaddr_storage raw{};
  const socklen_t size = address.to_sockaddr(raw);
  return XXH3_64bits_withSeed(&raw, size, key) | 1;
}

// The last occurrence, or the one asked for, of an address in a comma-separated header.
net::Ip address_from_header(const http::Headers& headers, const SourceSettings& source) {
  std::vector<std::string_view> found;
  for (const http::Field& field : headers) {
    if (field.name != source.header) continue;
    std::string_view rest = field.value;
    while (true) {
      const std::size_t comma = rest.find(',');
      found.push_back(base::trim(rest.substr(0, comma)));
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  const int count = static_cast<int>(found.size());
  const int at = source.occurrence > 0 ? source.occurrence - 1 : count + source.occurrence;
  if (source.occurrence == 0 || at < 0 || at >= count) return {};
  return net::Ip::parse(found[static_cast<std::size_t>(at)]);
}

// "usesrc": the foreign address to speak from; none when it cannot be known.
net::Address foreign_source(const SourceSettings& source, const txn::Exchange& exchange) {
  using From = SourceSettings::From;
  switch (source.use) {
    case From::address:
      return source.transparent;
    case From::client:
      return exchange.session.source;
    case From::client_ip: {
      net::Address client = exchange.session.source;
      client.set_port(0);
      return client;
    }
    case From::header: {
      const net::Ip ip = address_from_header(exchange.request.headers, source);
      return ip.family == 0 ? net::Address() : net::Address::of(ip, 0);
    }
    case From::unset:
      break;
  }
  return {};
}

// A server without a port is asked on the client's destination port, one at 0.0.0.0 at the client's
// destination address or what set-dst made of it (manual, "server").
bool complete(net::Address& to, const state::Server& server, const txn::Exchange& exchange) {
  const net::Address& client = exchange.destination.kind() != net::Address::Kind::none
                                   ? exchange.destination
                                   : exchange.session.destination;
  bool changed = false;
  if (is_any(to.ip()) && client.is_ip()) {
    const std::uint16_t port = to.port();
    to.set_ip(client.ip());
    to.set_port(port);
    changed = true;
  }
  if (to.port() == 0 || server.map_port) {
    const int port = client.port() + server.port_offset;
    to.set_port(static_cast<std::uint16_t>(port));
    changed = true;
  }
  return changed;
}

}  // namespace

// pool-conn-name: connections of other names are not for this request.
std::uint64_t Server::mix_name(std::uint64_t key, txn::Exchange& exchange) {
  expr::Context context{backend_.registry(), exchange.arena};
  context.session = &exchange.session;
  context.exchange = &exchange;
  context.proxy = &backend_.state();
  std::string_view name;
  if (!settings_->pool_name->evaluate_text(context, name)) return key;
  return XXH3_64bits_withSeed(name.data(), name.size(), key) | 1;
}

// Where to, from where and as whom, for connections that the server's line alone does not settle.
struct Server::Way {
  net::Address to;
  net::ConnectOptions options;
  std::string header;
  std::uint64_t key = 0;
};

bool Server::line_settles_way(const net::Address& to) const {
  return settings_->pool_name == nullptr && settings_->send_proxy == 0 &&
         settings_->source.use == SourceSettings::From::unset &&
         !(to.is_ip() && (to.port() == 0 || state_.map_port || is_any(to.ip()))) &&
         settings_->connect.network != net::kNamespaceOfClient;
}

void Server::publish_target(const net::Address& address) {
  target_.publish(std::make_unique<const Target>(Target{address, line_settles_way(address)}));
}

std::unique_ptr<Server::Way> Server::way_for(txn::Exchange& exchange) {
  auto way = std::make_unique<Way>();
  way->to = address();
  way->options = settings_->connect;
  std::uint64_t& key = way->key;
  if (way->to.is_ip() && complete(way->to, state_, exchange)) key = mix(key, way->to);
  if (settings_->pool_name != nullptr) key = mix_name(key, exchange);
  if (way->options.network == net::kNamespaceOfClient) {
    const std::string_view network = network_of_client(exchange.session);
    way->options.network = network;
    if (!network.empty()) key = XXH3_64bits_withSeed(network.data(), network.size(), key) | 1;
  }
  const net::Address foreign = foreign_source(settings_->source, exchange);
  if (foreign.kind() != net::Address::Kind::none) {
    way->options.source = foreign;
    way->options.transparent = true;
    key = mix(key, foreign);
  }
  if (settings_->send_proxy != 0) {
    way->header = proxy_header_for(*this, exchange);
    key = XXH3_64bits_withSeed(way->header.data(), way->header.size(), key) | 1;
  }
  return way;
}

inline void Server::count_reuse(ServerLink& link) {
  link.reused = true;
  ++link.uses;
  state_.counters.mine().reused.add();
  backend_.state().backend.mine().reused.add();
  link.owner_ = this;
  count_used();
}

base::Result<void, net::IoError> Server::connect(txn::Exchange& exchange, std::uint64_t session,
                                                 Reuse reuse, rt::Instant deadline,
                                                 ServerLink& link) {
  // The usual case by itself.
  if (target_.get()->settles_way && session == 0 && reuse == Reuse::any &&
      here().idle.take_usual(link)) [[likely]] {
    count_reuse(link);
    return {};
  }
  return connect_some_way(exchange, session, reuse, deadline, link);
}

base::Result<void, net::IoError> Server::connect_some_way(txn::Exchange& exchange,
                                                          std::uint64_t session, Reuse reuse,
                                                          rt::Instant deadline, ServerLink& out) {
  std::unique_ptr<Way> way;
  if (!target_.get()->settles_way) way = way_for(exchange);
  ServerLink link;
  link.key = way != nullptr ? way->key : 0;
  link.session = session;
  if (reuse != Reuse::none &&
      take_idle(link.pool_key(), reuse == Reuse::proven, session == 0, deadline, link)) {
    count_reuse(link);
  } else {
    state_.counters.mine().connects.add();
    backend_.state().backend.mine().connects.add();
    if (auto opened = open(link, way.get(), deadline); !opened) return opened;
  }
  out = std::move(link);
  return {};
}

base::Result<void, net::IoError> Server::open(ServerLink& link, const Way* way,
                                              rt::Instant deadline) {
  close_idle_for_new();
  // Counted before it is there, so that others making room meanwhile know of it.
  const bool strict = settings_->strict_maximum && settings_->maximum != 0;
  if (strict) {
    link.owner_ = this;
    count_used();
    if (!make_room(deadline)) return base::fail(net::IoError::no_resources);
  }
  const net::Address to = way != nullptr ? way->to : address();
  auto fresh = net::connect(to, way != nullptr ? way->options : settings_->connect, deadline);
  if (!fresh) return base::fail(fresh.error());
  link.connection = std::move(*fresh);
  if (way != nullptr && !way->header.empty()) {
    const auto sent = link.connection->write(way->header, deadline);
    if (!sent) return base::fail(sent.error());
  }
  link.uses = 1;
  if (strict) return {};
  link.owner_ = this;
  count_used();
  return {};
}

base::Result<ServerLink, net::IoError> Server::connect_for_check(const net::ConnectOptions& options,
                                                                 rt::Instant deadline) {
  const PoolPolicy policy = backend_.settings.reuse;
  const std::string& name = settings_->check_pool_name;
  ServerLink link;
  if (!name.empty()) link.key = XXH3_64bits_withSeed(name.data(), name.size(), 0) | 1;
  if (take_idle(link.pool_key(), policy == PoolPolicy::aggressive, true, deadline, link)) {
    link.reused = true;
    ++link.uses;
  } else {
    auto fresh = net::connect(address(), options, deadline);
    if (!fresh) return base::fail(fresh.error());
    link.connection = std::move(*fresh);
    link.uses = 1;
  }
  link.owner_ = this;
  count_used();
  return link;
}

}  // namespace upstream

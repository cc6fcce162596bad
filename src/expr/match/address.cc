#include <arpa/inet.h>
#include <fmt/format.h>

#include <cstring>
#include <map>

#include "expr/expression.h"
#include "expr/match/kinds.h"
#include "expr/match/table.h"
#include "net/resolver.h"
#include "rt/time.h"

namespace expr::match {
namespace {

// An address as 128 bits with its prefix length, for both families: IPv4 uses the last 32 bits and
// is kept apart by `family`.
struct Prefix {
  std::uint64_t high = 0, low = 0;
  std::uint8_t length = 0;
  std::uint8_t family = 0;
  bool operator==(const Prefix&) const = default;
};
struct PrefixHash {
  using is_avalanching = void;
  std::uint64_t operator()(const Prefix& p) const {
    std::uint64_t h = mix(p.high * 0x9e3779b97f4a7c15u + p.length);
    return mix((h ^ p.low) * 0xff51afd7ed558ccdu);
  }
};

std::uint64_t read_big(const unsigned char* bytes) {
  std::uint64_t n = 0;
  for (int i = 0; i < 8; ++i) n = n << 8 | bytes[i];
  return n;
}

Prefix whole(const net::Ip& ip) {
  if (ip.family == AF_INET) return {0, std::uint64_t{ntohl(ip.v4.s_addr)} << 32, 32, AF_INET};
  return {read_big(ip.v6.s6_addr), read_big(ip.v6.s6_addr + 8), 128, AF_INET6};
}

std::uint64_t mask64(int bits) {
  return bits <= 0 ? 0 : bits >= 64 ? ~std::uint64_t{0} : ~(~std::uint64_t{0} >> bits);
}

Prefix cut(Prefix p, std::uint8_t length) {
  if (p.family == AF_INET) {
    p.low &= mask64(length);
  } else {
    p.high &= mask64(length);
    p.low &= mask64(length - 64);
  }
  p.length = length;
  return p;
}

// The prefix length of a contiguous mask, or -1.
int length_of(const net::Ip& mask) {
  Prefix m = whole(mask);
  for (int length = 0; length <= m.length; ++length) {
    Prefix full{~std::uint64_t{0}, ~std::uint64_t{0}, m.length, m.family};
    if (m.family == AF_INET) full = {0, 0xffffffff00000000u, 32, AF_INET};
    Prefix c = cut(full, static_cast<std::uint8_t>(length));
    if (c.low == m.low && (m.family == AF_INET || c.high == m.high)) return length;
  }
  return -1;
}

// Longest prefix first: a hash of networks, asked once for each prefix length in use. Masks with
// holes are compared one by one.
class AddressIndex final : public PatternIndex {
 public:
  using PatternIndex::PatternIndex;
  void added(const PatternEntry& entry) override {
    Network network;
    if (!parse_network(entry.key, !options().no_dns && loading(), network)) return;
    int length = length_of(network.mask);
    if (length < 0) {
      holed_.push_back({network, &entry});
      return;
    }
    Prefix p = cut(whole(network.ip), static_cast<std::uint8_t>(length));
    table_.add(p, entry);
    ++lengths(p.family)[p.length];
    if (resolved(entry.key)) resolved_.push_back({p, &entry});
  }
  void removed(const PatternEntry& entry) override {
    std::erase_if(holed_, [&](const Holed& h) { return h.entry == &entry; });
    Network network;
    auto named = std::find_if(resolved_.begin(), resolved_.end(),
                              [&](const Resolved& r) { return r.entry == &entry; });
    Prefix p;
    if (named != resolved_.end()) {
      p = named->prefix;
      resolved_.erase(named);
    } else {
      if (!parse_network(entry.key, false, network)) return;
      int length = length_of(network.mask);
      if (length < 0) return;
      p = cut(whole(network.ip), static_cast<std::uint8_t>(length));
    }
    table_.remove(p, entry);
    Lengths& of = lengths(p.family);
    if (auto it = of.find(p.length); it != of.end() && --it->second == 0) of.erase(it);
  }
  void cleared() override {
    table_.clear();
    holed_.clear();
    resolved_.clear();
    v4_.clear();
    v6_.clear();
  }

 protected:
  bool accepts_key(std::string_view key, std::string& error) const override {
    Network network;
    // Entries added at run time are never resolved (manual section 7.1, "-n").
    if (parse_network(key, !options().no_dns && loading(), network)) return true;
    error = fmt::format("'{}' is not a valid IPv4 or IPv6 address", key);
    return false;
  }
  const PatternEntry* find(const Value& sample) override {
    net::Ip ip = sample.type == Type::ipv4 ? net::Ip::from(sample.v4) : net::Ip::from(sample.v6);
    if (const PatternEntry* found = look_up(ip)) return found;
    // The other family's patterns (manual section 7.1.6).
    Value other = sample;
    bool is_v4 = sample.type == Type::ipv4;
    if ((is_v4 ? v6_ : v4_).empty() && holed_.empty()) return nullptr;
    if (!to_family(other, is_v4 ? Type::ipv6 : Type::ipv4)) return nullptr;
    return look_up(is_v4 ? net::Ip::from(other.v6) : net::Ip::from(other.v4));
  }

 private:
  using Lengths = std::map<std::uint8_t, std::size_t, std::greater<>>;
  struct Holed {
    Network network;
    const PatternEntry* entry;
  };
  struct Resolved {
    Prefix prefix;
    const PatternEntry* entry;
  };
  Lengths& lengths(std::uint8_t family) { return family == AF_INET ? v4_ : v6_; }
  static bool to_family(Value& value, Type type) {
    base::Arena none;
    return cast(value, type, none);
  }
  static bool resolved(std::string_view key) {
    Network network;
    return !parse_network(key, false, network);
  }

  const PatternEntry* look_up(const net::Ip& ip) {
    Prefix p = whole(ip);
    for (const auto& [length, count] : lengths(p.family))
      if (const PatternEntry* found = table_.find(cut(p, length))) return found;
    for (const Holed& h : holed_) {
      if (h.network.ip.family != ip.family) continue;
      Prefix a = whole(h.network.ip);
      Prefix m = whole(h.network.mask);
      if (((a.high ^ p.high) & m.high) == 0 && ((a.low ^ p.low) & m.low) == 0) return h.entry;
    }
    return nullptr;
  }

  EntryTable<Prefix, PrefixHash> table_;
  Lengths v4_, v6_;
  std::vector<Holed> holed_;
  std::vector<Resolved> resolved_;  // given as names
};

// "10.1" is 10.0.0.1: what is left out stands before the last number (manual section 7.1.6).
bool parse_short_v4(std::string_view text, net::Ip& out) {
  std::string all(text);
  in_addr address{};
  if (all.empty() || !base::is_digit(all.front()) || inet_aton(all.c_str(), &address) == 0)
    return false;
  for (char c : all)
    if (!base::is_digit(c) && c != '.') return false;
  out = net::Ip::from(address);
  return true;
}

net::Ip mask_of(std::uint8_t family, unsigned bits) {
  if (family == AF_INET) {
    in_addr mask{htonl(bits == 0 ? 0 : ~std::uint32_t{0} << (32 - bits))};
    return net::Ip::from(mask);
  }
  in6_addr mask{};
  for (unsigned i = 0; i < bits; ++i)
    mask.s6_addr[i / 8] = static_cast<unsigned char>(mask.s6_addr[i / 8] | 0x80u >> i % 8);
  return net::Ip::from(mask);
}

}  // namespace

bool parse_network(std::string_view text, bool names, Network& out) {
  std::size_t slash = text.find('/');
  std::string_view host = text.substr(0, slash);
  if (!parse_short_v4(host, out.ip)) out.ip = net::Ip::parse(host);
  if (out.ip.family == 0 && names && !host.empty()) {
    auto found = net::resolve(std::string(host), AF_INET, rt::now() + std::chrono::seconds(5));
    if (!found || found->empty()) return false;
    out.ip = found->front();
  }
  if (out.ip.family == 0) return false;
  unsigned widest = out.ip.family == AF_INET ? 32 : 128;
  out.mask = mask_of(out.ip.family, widest);
  if (slash == std::string_view::npos) return true;
  std::string_view mask = text.substr(slash + 1);
  if (auto bits = base::parse_int<unsigned>(mask)) {
    out.mask = mask_of(out.ip.family, std::min(*bits, widest));
    return *bits <= widest;
  }
  if (out.ip.family != AF_INET) return false;
  out.mask = net::Ip::parse(mask);
  return out.mask.family == AF_INET;
}

IndexPointer make_address_index(state::PatternSet& set, const IndexOptions& options) {
  return std::make_shared<AddressIndex>(set, options);
}

}  // namespace expr::match

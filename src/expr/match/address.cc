#include <arpa/inet.h>
#include <fmt/format.h>

#include <cstring>

#include "expr/expression.h"
#include "expr/match/kinds.h"
#include "expr/match/table.h"
#include "net/resolver.h"
#include "rt/time.h"

namespace expr::match {
namespace {

std::uint64_t mask64(int bits) {
  return bits <= 0 ? 0 : bits >= 64 ? ~std::uint64_t{0} : ~(~std::uint64_t{0} >> bits);
}

struct Prefix4 {
  std::uint32_t bits = 0;
  std::uint8_t length = 32;
  bool operator==(const Prefix4&) const = default;
  Prefix4 cut(std::uint8_t to) const {
    return {bits & static_cast<std::uint32_t>(mask64(to) >> 32), to};
  }
};
struct Prefix6 {
  std::uint64_t high = 0, low = 0;
  std::uint8_t length = 128;
  bool operator==(const Prefix6&) const = default;
  Prefix6 cut(std::uint8_t to) const { return {high & mask64(to), low & mask64(to - 64), to}; }
};
struct PrefixHash {
  using is_avalanching = void;
  std::uint64_t operator()(const Prefix4& p) const {
    return mix((std::uint64_t{p.bits} << 8 | p.length) * 0x9e3779b97f4a7c15u);
  }
  std::uint64_t operator()(const Prefix6& p) const {
    std::uint64_t h = mix(p.high * 0x9e3779b97f4a7c15u + p.length);
    return mix((h ^ p.low) * 0xff51afd7ed558ccdu);
  }
};

std::uint64_t read_big(const unsigned char* bytes) {
  std::uint64_t n = 0;
  for (int i = 0; i < 8; ++i) n = n << 8 | bytes[i];
  return n;
}
Prefix4 whole(const in_addr& ip) { return {ntohl(ip.s_addr)}; }
Prefix6 whole(const in6_addr& ip) { return {read_big(ip.s6_addr), read_big(ip.s6_addr + 8)}; }

// The networks of one family. The longest prefix is found by asking a hash once for each length
// that some network has, the longest first.
template <class Prefix>
class Networks {
 public:
  void add(const Prefix& prefix, const PatternEntry& entry) {
    table_.add(prefix, entry);
    auto it = at(prefix.length);
    if (it == lengths_.end() || it->bits != prefix.length)
      it = lengths_.insert(it, {prefix.length, 0});
    ++it->networks;
  }
  void remove(const Prefix& prefix, const PatternEntry& entry) {
    table_.remove(prefix, entry);
    auto it = at(prefix.length);
    if (--it->networks == 0) lengths_.erase(it);
  }
  const PatternEntry* find(const Prefix& whole) const {
    for (const Length& length : lengths_)
      if (const PatternEntry* found = table_.find(whole.cut(length.bits))) return found;
    return nullptr;
  }
  void reserve(std::size_t entries) { table_.reserve(entries); }
  void clear() {
    table_.clear();
    lengths_.clear();
  }

 private:
  struct Length {
    std::uint8_t bits;
    std::size_t networks;  // with a prefix so long
  };
  typename std::vector<Length>::iterator at(std::uint8_t bits) {
    return std::find_if(lengths_.begin(), lengths_.end(),
                        [bits](const Length& l) { return l.bits <= bits; });
  }

  EntryTable<Prefix, PrefixHash> table_;
  std::vector<Length> lengths_;  // falling
};

// Longest prefix first. Masks with holes are compared one by one.
class AddressIndex final : public PatternIndex {
 public:
  using PatternIndex::PatternIndex;
  void removed(const PatternEntry& entry) override {
    Network network;
    auto named = std::find_if(resolved_.begin(), resolved_.end(),
                              [&](const Resolved& r) { return r.entry == &entry; });
    if (named != resolved_.end()) {
      network = named->network;
      resolved_.erase(named);
    } else if (!parse_network(entry.key, false, network)) {
      return;
    }
    auto length = static_cast<std::uint8_t>(network.length);
    if (network.length < 0)
      std::erase_if(holed_, [&](const Resolved& h) { return h.entry == &entry; });
    else if (network.ip.family == AF_INET)
      v4_.remove(whole(network.ip.v4).cut(length), entry);
    else
      v6_.remove(whole(network.ip.v6).cut(length), entry);
  }
  void cleared() override {
    holed_.clear();
    resolved_.clear();
    v4_.clear();
    v6_.clear();
  }
  // Most sets have one family; the other one grows as it must.
  void expect(std::size_t entries) override { v4_.reserve(entries); }

 protected:
  bool accepts_key(std::string_view key, std::string& error) const override {
    Network network;
    if (parse_network(key, resolves(), network)) return true;
    error = fmt::format("'{}' is not a valid IPv4 or IPv6 address", key);
    return false;
  }
  bool insert(const PatternEntry& entry, std::string& error) override {
    Network network;
    if (!parse_network(entry.key, false, network)) {
      if (!resolve(entry.key, network)) {
        error = fmt::format("'{}' is not a valid IPv4 or IPv6 address", entry.key);
        return false;
      }
      resolved_.push_back({network, &entry});
    }
    auto length = static_cast<std::uint8_t>(network.length);
    if (network.length < 0)
      holed_.push_back({network, &entry});
    else if (network.ip.family == AF_INET)
      v4_.add(whole(network.ip.v4).cut(length), entry);
    else
      v6_.add(whole(network.ip.v6).cut(length), entry);
    return true;
  }
  const PatternEntry* find(const Value& sample) override {
    if (const PatternEntry* found = look_up(sample)) return found;
    // The other family's patterns (manual section 7.1.6).
    Value other = sample;
    base::Arena none;
    if (!cast(other, sample.type == Type::ipv4 ? Type::ipv6 : Type::ipv4, none)) return nullptr;
    return look_up(other);
  }

 private:
  struct Resolved {
    Network network;
    const PatternEntry* entry;
  };

  // A file of something else would ask for each of its lines.
  bool resolve(std::string_view key, Network& network) {
    constexpr int kMostFailures = 10;
    if (!resolves() || failures_ >= kMostFailures) return false;
    if (parse_network(key, true, network)) return true;
    ++failures_;
    return false;
  }

  // Entries added at run time are never resolved (manual section 7.1, "-n").
  bool resolves() const { return !options().no_dns && loading(); }

  const PatternEntry* look_up(const Value& sample) {
    const bool is_v4 = sample.type == Type::ipv4;
    const PatternEntry* found = is_v4 ? v4_.find(whole(sample.v4)) : v6_.find(whole(sample.v6));
    if (found != nullptr || holed_.empty()) return found;
    for (const Resolved& h : holed_) {
      if ((h.network.ip.family == AF_INET) != is_v4) continue;
      const std::uint32_t difference = h.network.ip.v4.s_addr ^ sample.v4.s_addr;
      if (is_v4 && (difference & h.network.mask.v4.s_addr) == 0) return h.entry;
    }
    return nullptr;
  }

  Networks<Prefix4> v4_;
  Networks<Prefix6> v6_;
  std::vector<Resolved> holed_;     // IPv4 only: other masks are written as lengths
  std::vector<Resolved> resolved_;  // given as names
  int failures_ = 0;                // of names
};

// The common form, without the copy that the library's function needs.
bool parse_dotted(std::string_view text, net::Ip& out) {
  std::uint32_t address = 0, number = 0;
  std::size_t digits = 0, dots = 0;
  for (char c : text) {
    if (c == '.') {
      if (digits == 0 || ++dots > 3) return false;
      address = address << 8 | number;
      number = 0;
      digits = 0;
    } else if (!base::is_digit(c) || (digits != 0 && number == 0)) {
      return false;
    } else {
      number = number * 10 + static_cast<std::uint32_t>(c - '0');
      if (++digits > 3 || number > 255) return false;
    }
  }
  if (dots != 3 || digits == 0) return false;
  out = net::Ip::from(in_addr{htonl(address << 8 | number)});
  return true;
}

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

// "255.255.0.0" as bits, and their number when they are the first ones.
bool parse_mask(std::string_view text, Network& out) {
  out.mask = net::Ip::parse(text);
  if (out.ip.family != AF_INET || out.mask.family != AF_INET) return false;
  const std::uint32_t bits = ntohl(out.mask.v4.s_addr);
  out.length = -1;
  for (int length = 0; length <= 32; ++length)
    if (bits == static_cast<std::uint32_t>(mask64(length) >> 32)) out.length = length;
  return true;
}

}  // namespace

bool parse_network(std::string_view text, bool names, Network& out) {
  std::size_t slash = text.find('/');
  std::string_view host = text.substr(0, slash);
  if (!parse_dotted(host, out.ip) && !parse_short_v4(host, out.ip)) out.ip = net::Ip::parse(host);
  if (out.ip.family == 0 && names && !host.empty()) {
    auto found = net::resolve(std::string(host), AF_INET, rt::now() + std::chrono::seconds(5));
    if (!found || found->empty()) return false;
    out.ip = found->front();
  }
  if (out.ip.family == 0) return false;
  const int widest = out.ip.family == AF_INET ? 32 : 128;
  out.length = widest;
  if (slash == std::string_view::npos) return true;
  std::string_view mask = text.substr(slash + 1);
  auto bits = base::parse_int<unsigned>(mask);
  if (!bits) return parse_mask(mask, out);
  out.length = std::min(static_cast<int>(std::min(*bits, 128u)), widest);
  return *bits <= static_cast<unsigned>(widest);
}

IndexPointer make_address_index(state::PatternSet& set, const IndexOptions& options) {
  return std::make_shared<AddressIndex>(set, options);
}

}  // namespace expr::match

// core's functions on texts: dates, addresses, lists.
#include <arpa/inet.h>
#include <string.h>
#include <time.h>

#include "lua/class/all.h"
#include "lua/stack.h"
#include "net/address.h"

namespace lua {

namespace {

// RFC 9110 section 5.6.7. The whole text must fit.
bool parse_with(const char* format, std::string_view text, tm& out) {
  const std::string copy(text);
  out = {};
  const char* end = strptime(copy.c_str(), format, &out);
  return end != nullptr && *end == '\0';
}
bool parse_imf(std::string_view text, tm& out) {
  return parse_with("%a, %d %b %Y %H:%M:%S GMT", text, out);
}
bool parse_rfc850(std::string_view text, tm& out) {
  if (!parse_with("%A, %d-%b-%y %H:%M:%S GMT", text, out)) return false;
  // Two-digit years that seem to be more than 50 years ahead are in the past.
  const time_t now = time(nullptr);
  tm today{};
  gmtime_r(&now, &today);
  const int year = today.tm_year / 100 * 100 + out.tm_year % 100;
  out.tm_year = year > today.tm_year + 50 ? year - 100 : year;
  return true;
}
bool parse_asctime(std::string_view text, tm& out) {
  return parse_with("%a %b %e %H:%M:%S %Y", text, out);
}

template <bool (*... forms)(std::string_view, tm&)>
int date(lua_State* L) {
  const std::string_view text = check_text(L, 1);
  tm parsed{};
  if ((forms(text, parsed) || ...))
    lua_pushinteger(L, timegm(&parsed));
  else
    lua_pushnil(L);
  return 1;
}

// An address with the length of its network.
struct Network {
  net::Ip ip;
  unsigned bits;
};

const char kNetwork = 0;

const Network* to_network(lua_State* L, int index) {
  if (lua_type(L, index) != LUA_TUSERDATA || lua_rawlen(L, index) != sizeof(Network) ||
      lua_getmetatable(L, index) == 0)
    return nullptr;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &kNetwork);
  const bool same = lua_rawequal(L, -1, -2) != 0;
  lua_pop(L, 2);
  return same ? static_cast<const Network*>(lua_touserdata(L, index)) : nullptr;
}

// The mapped form lets addresses of both families meet.
struct Wide {
  unsigned char bytes[16];
  unsigned bits;
};
Wide widen(const Network& network) {
  Wide out{};
  if (network.ip.family == AF_INET) {
    out.bytes[10] = out.bytes[11] = 0xff;
    memcpy(out.bytes + 12, &network.ip.v4, 4);
    out.bits = network.bits + 96;
  } else {
    memcpy(out.bytes, &network.ip.v6, 16);
    out.bits = network.bits;
  }
  return out;
}

}  // namespace

int core_http_date(lua_State* L) { return date<parse_imf, parse_rfc850, parse_asctime>(L); }
int core_imf_date(lua_State* L) { return date<parse_imf>(L); }
int core_rfc850_date(lua_State* L) { return date<parse_rfc850>(L); }
int core_asctime_date(lua_State* L) { return date<parse_asctime>(L); }

int core_parse_addr(lua_State* L) {
  const std::string_view text = check_text(L, 1);
  const std::size_t slash = std::min(text.find('/'), text.size());
  Network network{net::Ip::parse(text.substr(0, slash)), 0};
  const unsigned most = network.ip.family == AF_INET ? 32 : 128;
  network.bits = most;
  bool good = network.ip.family != 0;
  if (good && slash != text.size()) {
    const auto bits = base::parse_int<unsigned>(text.substr(slash + 1));
    good = bits && *bits <= most;
    if (good) network.bits = *bits;
  }
  if (!good) {
    lua_pushnil(L);
    return 1;
  }
  *static_cast<Network*>(lua_newuserdatauv(L, sizeof(Network), 0)) = network;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &kNetwork) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &kNetwork);
  }
  lua_setmetatable(L, -2);
  return 1;
}

int core_match_addr(lua_State* L) {
  const Network* one = to_network(L, 1);
  const Network* other = to_network(L, 2);
  if (one == nullptr || other == nullptr) {
    lua_pushboolean(L, 0);
    return 1;
  }
  const Wide a = widen(*one), b = widen(*other);
  const unsigned bits = std::min(a.bits, b.bits);
  bool same = memcmp(a.bytes, b.bytes, bits / 8) == 0;
  if (same && bits % 8 != 0)
    same = ((a.bytes[bits / 8] ^ b.bytes[bits / 8]) >> (8 - bits % 8)) == 0;
  lua_pushboolean(L, same);
  return 1;
}

int core_tokenize(lua_State* L) {
  const std::string_view text = check_text(L, 1), separators = check_text(L, 2);
  const bool skip_blank = lua_toboolean(L, 3) != 0;
  lua_newtable(L);
  lua_Integer count = 0;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find_first_of(separators, at), text.size());
    if (end != at || !skip_blank) {
      push(L, text.substr(at, end - at));
      lua_rawseti(L, -2, ++count);
    }
    at = end + 1;
  }
  return 1;
}

}  // namespace lua

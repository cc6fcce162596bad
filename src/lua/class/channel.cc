// Channel: the bytes of one direction of a TCP stream that wait to be forwarded.
#include "lua/class/all.h"
#include "lua/stack.h"

namespace lua {

namespace {

struct Self {
  Call& call;
  txn::Exchange& exchange;
  txn::Channel* channel;  // null: nothing there and nothing to come
  bool response;
};

Self self(lua_State* L) {
  unsigned bit = 0;
  Call& call = check_call(L, 1, Class::channel, bit);
  if (call.exchange() == nullptr) raise(L, "no transaction");
  txn::Exchange& exchange = *call.exchange();
  return {call, exchange, bit != 0 ? exchange.response_channel : exchange.request_channel,
          bit != 0};
}

// For what may not be done to HTTP messages.
Self raw_self(lua_State* L) {
  const Self out = self(L);
  if (out.exchange.is_http) luaL_error(L, "Cannot manipulate HAProxy channels in HTTP mode.");
  return out;
}

std::string_view data_of(const Self& s) {
  return s.channel == nullptr ? std::string_view() : s.channel->data();
}
bool may_receive(const Self& s) { return s.channel != nullptr && !s.channel->complete(); }

// Waits for more bytes; false when none will come.
bool wait_more(lua_State* L, const Self& s) {
  if (!may_receive(s) || s.channel->full()) return false;
  const state::Proxy* frontend = s.exchange.frontend;
  const std::int64_t ms = frontend == nullptr ? 0 : frontend->settings.client_timeout_ms;
  rt::Wait how;
  {
    const Unlocked unlocked;
    how = s.channel->wait_more(rt::deadline(rt::milliseconds(ms)));
  }
  s.call.check_cancelled(L);
  return how == rt::Wait::ready;
}

struct Range {
  std::size_t offset = 0, length = 0;
};

// Optional arguments [offset [, length]] from `index` on; waits where the manual says so.
Range check_range(lua_State* L, const Self& s, int index, bool wait) {
  lua_Integer offset = luaL_optinteger(L, index, 0);
  const bool has_length = !lua_isnoneornil(L, index + 1);
  lua_Integer length = luaL_optinteger(L, index + 1, -1);
  if (has_length && length < -1) luaL_argerror(L, index + 1, "length out of range.");
  auto size = static_cast<lua_Integer>(data_of(s).size());
  if (offset < 0) offset = std::max<lua_Integer>(size + offset, 0);
  if (wait && has_length)
    while (length < 0 || offset + length > size) {
      if (!wait_more(L, s)) break;
      size = static_cast<lua_Integer>(data_of(s).size());
    }
  if (offset > size) luaL_argerror(L, index, "offset out of range.");
  if (!has_length || length < 0 || offset + length > size) length = size - offset;
  return {static_cast<std::size_t>(offset), static_cast<std::size_t>(length)};
}

bool nothing_left(const Self& s) { return data_of(s).empty() && !may_receive(s); }

int push_data(lua_State* L, const Self& s, std::string_view bytes) {
  if (nothing_left(s))
    lua_pushnil(L);
  else
    push(L, bytes);
  return 1;
}

std::string_view first_line(std::string_view bytes) {
  const std::size_t end = bytes.find('\n');
  return end == std::string_view::npos ? bytes : bytes.substr(0, end + 1);
}

int replace(lua_State* L, const Self& s, const Range& range, std::string_view with) {
  const bool done = s.channel != nullptr && s.channel->replace(range.offset, range.length, with);
  lua_pushinteger(L, done ? static_cast<lua_Integer>(with.size()) : -1);
  return 1;
}

int channel_data(lua_State* L) {
  const Self s = raw_self(L);
  const Range range = check_range(L, s, 2, true);
  return push_data(L, s, data_of(s).substr(range.offset, range.length));
}

int channel_line(lua_State* L) {
  const Self s = raw_self(L);
  const Range range = check_range(L, s, 2, true);
  return push_data(L, s, first_line(data_of(s).substr(range.offset, range.length)));
}

int channel_append(lua_State* L) {
  check_count(L, 2, "append");
  const Self s = raw_self(L);
  return replace(L, s, {data_of(s).size(), 0}, check_text(L, 2));
}

int channel_prepend(lua_State* L) {
  check_count(L, 2, "prepend");
  return replace(L, raw_self(L), {}, check_text(L, 2));
}

int channel_insert(lua_State* L) {
  const Self s = raw_self(L);
  const std::string_view bytes = check_text(L, 2);
  const Range range = check_range(L, s, 3, false);
  return replace(L, s, {range.offset, 0}, bytes);
}

int channel_set(lua_State* L) {
  const Self s = raw_self(L);
  const std::string_view bytes = check_text(L, 2);
  return replace(L, s, check_range(L, s, 3, false), bytes);
}

int channel_remove(lua_State* L) {
  const Self s = raw_self(L);
  const Range range = check_range(L, s, 2, false);
  if (range.length != 0 && !s.channel->replace(range.offset, range.length, {})) {
    lua_pushinteger(L, 0);
    return 1;
  }
  lua_pushinteger(L, static_cast<lua_Integer>(range.length));
  return 1;
}

int channel_send(lua_State* L) {
  check_count(L, 2, "send");
  const Self s = raw_self(L);
  const std::string_view bytes = check_text(L, 2);
  bool done = s.channel != nullptr && s.channel->replace(0, 0, bytes);
  if (done) {
    const Unlocked unlocked;
    done = s.channel->forward(bytes.size());
  }
  s.call.check_cancelled(L);
  lua_pushinteger(L, done ? static_cast<lua_Integer>(bytes.size()) : -1);
  return 1;
}

int channel_forward(lua_State* L) {
  check_count(L, 2, "forward");
  const Self s = raw_self(L);
  const lua_Integer wanted = luaL_checkinteger(L, 2);
  lua_Integer forwarded = 0;
  while (forwarded < wanted) {
    const std::size_t now =
        std::min(data_of(s).size(), static_cast<std::size_t>(wanted - forwarded));
    if (now != 0) {
      const Unlocked unlocked;
      if (!s.channel->forward(now)) break;
      forwarded += static_cast<lua_Integer>(now);
    } else if (!wait_more(L, s)) {
      break;
    }
  }
  s.call.check_cancelled(L);
  lua_pushinteger(L, forwarded);
  return 1;
}

int channel_input(lua_State* L) {
  lua_pushinteger(L, static_cast<lua_Integer>(data_of(self(L)).size()));
  return 1;
}

int channel_output(lua_State* L) {
  const Self s = self(L);
  lua_pushinteger(L, s.channel == nullptr ? 0 : static_cast<lua_Integer>(s.channel->output()));
  return 1;
}

int channel_is_full(lua_State* L) {
  const Self s = self(L);
  lua_pushboolean(L, s.channel != nullptr && s.channel->full());
  return 1;
}

int channel_is_resp(lua_State* L) {
  lua_pushboolean(L, self(L).response);
  return 1;
}

int channel_may_recv(lua_State* L) {
  lua_pushboolean(L, may_receive(self(L)));
  return 1;
}

// Deprecated: wait for the first bytes, and take what they return (manual).
int channel_dup(lua_State* L) {
  const Self s = raw_self(L);
  while (data_of(s).empty() && wait_more(L, s)) continue;
  return push_data(L, s, data_of(s));
}

int channel_get(lua_State* L) {
  channel_dup(L);
  const Self s = self(L);
  if (!lua_isnil(L, -1)) s.channel->replace(0, data_of(s).size(), {});
  return 1;
}

int channel_getline(lua_State* L) {
  const Self s = raw_self(L);
  while (data_of(s).find('\n') == std::string_view::npos && wait_more(L, s)) continue;
  const std::string_view line = first_line(data_of(s));
  push_data(L, s, line);
  if (!lua_isnil(L, -1)) s.channel->replace(0, line.size(), {});
  return 1;
}

constexpr luaL_Reg kMethods[] = {
    {"data", channel_data},         {"line", channel_line},         {"append", channel_append},
    {"prepend", channel_prepend},   {"insert", channel_insert},     {"set", channel_set},
    {"remove", channel_remove},     {"send", channel_send},         {"forward", channel_forward},
    {"input", channel_input},       {"output", channel_output},     {"is_full", channel_is_full},
    {"is_resp", channel_is_resp},   {"may_recv", channel_may_recv}, {"dup", channel_dup},
    {"get", channel_get},           {"getline", channel_getline},   {"get_in_len", channel_input},
    {"get_out_len", channel_output}};

}  // namespace

void define_channel(lua_State* L) {
  State::of(L).define(L, {.id = Class::channel, .name = "Channel", .methods = kMethods});
}

}  // namespace lua

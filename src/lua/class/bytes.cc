#include "lua/class/bytes.h"

namespace lua {

// As the reference: without a position.
void fail_plainly(lua_State* L, const char* text) {
  lua_pushstring(L, text);
  lua_error(L);
}

bool wait_for_bytes(lua_State* L, const Bytes& bytes) {
  if (!bytes.may_receive() || bytes.channel->full()) return false;
  const state::Proxy* frontend = bytes.exchange.frontend;
  const std::int64_t ms = frontend == nullptr ? 0 : frontend->settings.client_timeout_ms;
  rt::Wait how;
  {
    const Unlocked unlocked;
    how = bytes.channel->wait_more(rt::deadline(rt::milliseconds(ms)));
  }
  bytes.call.check_cancelled(L);
  return how == rt::Wait::ready;
}

ByteRange check_range(lua_State* L, const Bytes& bytes, int index, bool wait) {
  lua_Integer offset = luaL_optinteger(L, index, 0);
  const bool has_length = !lua_isnoneornil(L, index + 1);
  lua_Integer length = luaL_optinteger(L, index + 1, -1);
  if (has_length && length < -1) fail_plainly(L, "length out of range.");
  auto size = static_cast<lua_Integer>(bytes.data().size());
  if (offset < 0) offset = std::max<lua_Integer>(size + offset, 0);
  if (wait && has_length)
    while (length < 0 || length > size - offset) {
      if (!wait_for_bytes(L, bytes)) break;
      size = static_cast<lua_Integer>(bytes.data().size());
    }
  if (offset > size) fail_plainly(L, "offset out of range.");
  if (!has_length || length < 0 || length > size - offset) length = size - offset;
  return {static_cast<std::size_t>(offset), static_cast<std::size_t>(length)};
}

int push_bytes(lua_State* L, const Bytes& bytes, std::string_view what) {
  if (bytes.data().empty() && !bytes.may_receive())
    lua_pushnil(L);
  else
    push(L, what);
  return 1;
}

int replace_bytes(lua_State* L, const Bytes& bytes, const ByteRange& range, std::string_view with) {
  const bool done =
      bytes.channel != nullptr && bytes.channel->replace(range.offset, range.length, with);
  lua_pushinteger(L, done ? static_cast<lua_Integer>(with.size()) : -1);
  return 1;
}

int send_bytes(lua_State* L, const Bytes& bytes, std::string_view what) {
  bool done = bytes.channel != nullptr && bytes.channel->replace(0, 0, what);
  if (done) {
    const Unlocked unlocked;
    done = bytes.channel->forward(what.size());
  }
  bytes.call.check_cancelled(L);
  lua_pushinteger(L, done ? static_cast<lua_Integer>(what.size()) : -1);
  return 1;
}

int forward_bytes(lua_State* L, const Bytes& bytes, lua_Integer wanted) {
  lua_Integer forwarded = 0;
  while (forwarded < wanted) {
    const std::size_t now =
        std::min(bytes.data().size(), static_cast<std::size_t>(wanted - forwarded));
    if (now != 0) {
      const Unlocked unlocked;
      if (!bytes.channel->forward(now)) break;
      forwarded += static_cast<lua_Integer>(now);
    } else if (!wait_for_bytes(L, bytes)) {
      break;
    }
  }
  bytes.call.check_cancelled(L);
  lua_pushinteger(L, forwarded);
  return 1;
}

}  // namespace lua

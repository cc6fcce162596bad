// What Channel and HTTPMessage do to the bytes of one direction. `self` finds them behind the
// object at index 1 and raises where they may not be touched.
#pragma once

#include <algorithm>
#include <lua.hpp>
#include <string_view>

#include "lua/call.h"
#include "lua/stack.h"

namespace lua {

struct Bytes {
  Call& call;
  txn::Exchange& exchange;
  txn::Channel* channel;  // null: nothing there and nothing to come
  bool response;

  std::string_view data() const {
    return channel == nullptr ? std::string_view() : channel->data();
  }
  bool may_receive() const { return channel != nullptr && !channel->complete(); }
};

struct ByteRange {
  std::size_t offset = 0, length = 0;
};

void fail_plainly(lua_State* L, const char* text);
// Waits for more; false when none will come, and in filters, which are called when more has come.
bool wait_for_bytes(lua_State* L, const Bytes& bytes);
// Optional arguments [offset [, length]] from `index` on; waits where the manual says so.
ByteRange check_range(lua_State* L, const Bytes& bytes, int index, bool wait);
int push_bytes(lua_State* L, const Bytes& bytes, std::string_view what);
int replace_bytes(lua_State* L, const Bytes& bytes, const ByteRange& range, std::string_view with);
int send_bytes(lua_State* L, const Bytes& bytes, std::string_view what);
int forward_bytes(lua_State* L, const Bytes& bytes, lua_Integer wanted);

// The methods that both classes have.
template <Bytes (*self)(lua_State*), Bytes (*facts)(lua_State*)>
struct ByteMethods {
  static int data(lua_State* L) {
    const Bytes bytes = self(L);
    const ByteRange range = check_range(L, bytes, 2, true);
    return push_bytes(L, bytes, bytes.data().substr(range.offset, range.length));
  }
  static int append(lua_State* L) {
    check_count(L, 2, "append");
    const Bytes bytes = self(L);
    return replace_bytes(L, bytes, {bytes.data().size(), 0}, check_text(L, 2));
  }
  static int prepend(lua_State* L) {
    check_count(L, 2, "prepend");
    return replace_bytes(L, self(L), {}, check_text(L, 2));
  }
  static int insert(lua_State* L) {
    const Bytes bytes = self(L);
    const std::string_view text = check_text(L, 2);
    return replace_bytes(L, bytes, {check_range(L, bytes, 3, false).offset, 0}, text);
  }
  static int set(lua_State* L) {
    const Bytes bytes = self(L);
    const std::string_view text = check_text(L, 2);
    return replace_bytes(L, bytes, check_range(L, bytes, 3, false), text);
  }
  static int remove(lua_State* L) {
    const Bytes bytes = self(L);
    const ByteRange range = check_range(L, bytes, 2, false);
    const bool done = range.length == 0 || bytes.channel->replace(range.offset, range.length, {});
    lua_pushinteger(L, done ? static_cast<lua_Integer>(range.length) : 0);
    return 1;
  }
  static int send(lua_State* L) {
    check_count(L, 2, "send");
    const Bytes bytes = self(L);
    return send_bytes(L, bytes, check_text(L, 2));
  }
  static int forward(lua_State* L) {
    check_count(L, 2, "forward");
    const Bytes bytes = self(L);
    return forward_bytes(L, bytes, luaL_checkinteger(L, 2));
  }
  static int input(lua_State* L) {
    lua_pushinteger(L, static_cast<lua_Integer>(facts(L).data().size()));
    return 1;
  }
  static int output(lua_State* L) {
    const Bytes bytes = facts(L);
    lua_pushinteger(
        L, bytes.channel == nullptr ? 0 : static_cast<lua_Integer>(bytes.channel->output()));
    return 1;
  }
  static int is_full(lua_State* L) {
    const Bytes bytes = facts(L);
    lua_pushboolean(L, bytes.channel != nullptr && bytes.channel->full());
    return 1;
  }
  static int is_resp(lua_State* L) {
    lua_pushboolean(L, facts(L).response);
    return 1;
  }
  static int may_recv(lua_State* L) {
    lua_pushboolean(L, facts(L).may_receive());
    return 1;
  }
};

}  // namespace lua

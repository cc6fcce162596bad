// Channel: the bytes of one direction that wait to be forwarded.
#include "lua/class/all.h"
#include "lua/class/bytes.h"
#include "rules/filter.h"

namespace lua {

namespace {

Bytes facts(lua_State* L) {
  unsigned bit = 0;
  Call& call = check_call(L, 1, Class::channel, bit);
  if (call.exchange() == nullptr) raise(L, "no transaction");
  return bytes_of(call, bit != 0);
}

// For what may not be done to HTTP messages.
Bytes self(lua_State* L) {
  const Bytes bytes = facts(L);
  if (bytes.exchange.is_http) fail_plainly(L, "Cannot manipulate HAProxy channels in HTTP mode.");
  return bytes;
}

std::string_view first_line(std::string_view bytes) {
  const std::size_t end = bytes.find('\n');
  return end == std::string_view::npos ? bytes : bytes.substr(0, end + 1);
}

int channel_line(lua_State* L) {
  const Bytes bytes = self(L);
  const ByteRange range = check_range(L, bytes, 2, true);
  return push_bytes(L, bytes, first_line(bytes.data().substr(range.offset, range.length)));
}

// Deprecated: wait for the first bytes, and take what they return (manual).
int channel_dup(lua_State* L) {
  const Bytes bytes = self(L);
  while (bytes.data().empty() && wait_for_bytes(L, bytes)) continue;
  return push_bytes(L, bytes, bytes.data());
}

int channel_get(lua_State* L) {
  channel_dup(L);
  const Bytes bytes = self(L);
  if (!lua_isnil(L, -1)) bytes.channel->replace(0, bytes.data().size(), {});
  return 1;
}

int channel_getline(lua_State* L) {
  const Bytes bytes = self(L);
  while (bytes.data().find('\n') == std::string_view::npos && wait_for_bytes(L, bytes)) continue;
  const std::string_view line = first_line(bytes.data());
  push_bytes(L, bytes, line);
  if (!lua_isnil(L, -1)) bytes.channel->replace(0, line.size(), {});
  return 1;
}

using Methods = ByteMethods<self, facts>;

constexpr luaL_Reg kMethods[] = {{"data", Methods::data},
                                 {"line", channel_line},
                                 {"append", Methods::append},
                                 {"prepend", Methods::prepend},
                                 {"insert", Methods::insert},
                                 {"set", Methods::set},
                                 {"remove", Methods::remove},
                                 {"send", Methods::send},
                                 {"forward", Methods::forward},
                                 {"input", Methods::input},
                                 {"output", Methods::output},
                                 {"is_full", Methods::is_full},
                                 {"is_resp", Methods::is_resp},
                                 {"may_recv", Methods::may_recv},
                                 {"dup", channel_dup},
                                 {"get", channel_get},
                                 {"getline", channel_getline},
                                 {"get_in_len", Methods::input},
                                 {"get_out_len", Methods::output}};

}  // namespace

Bytes bytes_of(Call& call, bool response) {
  txn::Exchange& exchange = *call.exchange();
  if (call.filter != nullptr)
    return {call, exchange, response ? &call.filter->response : &call.filter->request, response};
  return {call, exchange, response ? exchange.response_channel : exchange.request_channel,
          response};
}

void define_channel(lua_State* L) {
  State::of(L).define(L, {.id = Class::channel, .name = "Channel", .methods = kMethods});
}

}  // namespace lua

#include "lua/value.h"

#include <charconv>

#include "lua/engine.h"
#include "lua/stack.h"
#include "lua/state.h"

namespace lua {

namespace {

void push_address(lua_State* L, const net::Ip& ip) {
  char text[INET6_ADDRSTRLEN];
  lua_pushlstring(L, text, ip.write(text));
}

}  // namespace

void push_value(lua_State* L, const state::Value& value) {
  switch (value.type) {
    case state::Type::any:
    case state::Type::address:
      return lua_pushnil(L);
    case state::Type::boolean:
      if (State::of(L).engine().settings().booleans_as_integers)
        return lua_pushinteger(L, value.boolean ? 1 : 0);
      return lua_pushboolean(L, value.boolean);
    case state::Type::integer:
      return lua_pushinteger(L, value.integer);
    case state::Type::ipv4:
      return push_address(L, net::Ip::from(value.v4));
    case state::Type::ipv6:
      return push_address(L, net::Ip::from(value.v6));
    case state::Type::string:
    case state::Type::binary:
      return push(L, value.text);
    case state::Type::method:
      return push(L, value.method == http::Method::other ? value.text : name_of(value.method));
  }
}

void push_value_text(lua_State* L, const state::Value& value) {
  switch (value.type) {
    case state::Type::any:
    case state::Type::address:
      return lua_pushliteral(L, ""), void();
    case state::Type::boolean:
      return lua_pushstring(L, value.boolean ? "1" : "0"), void();
    case state::Type::integer: {
      char digits[24];
      const auto end = std::to_chars(digits, digits + sizeof digits, value.integer).ptr;
      lua_pushlstring(L, digits, static_cast<std::size_t>(end - digits));
      return;
    }
    case state::Type::ipv4:
    case state::Type::ipv6:
    case state::Type::string:
    case state::Type::binary:
    case state::Type::method:
      return push_value(L, value);
  }
}

state::Value to_value(lua_State* L, int index) {
  switch (lua_type(L, index)) {
    case LUA_TBOOLEAN:
      return state::Value::of(lua_toboolean(L, index) != 0);
    case LUA_TNUMBER:
      return state::Value::of(std::int64_t{lua_tointeger(L, index)});
    case LUA_TSTRING:
      return state::Value::str(to_text(L, index));
    default:
      return state::Value::of(false);
  }
}

state::Value to_value(lua_State* L, int index, base::Arena& arena) {
  state::Value value = to_value(L, index);
  if (value.type == state::Type::string) value.text = arena.copy(value.text);
  return value;
}

}  // namespace lua

// Reply: an answer that a script puts together, a plain table with four methods (manual, class
// Reply), and what txn:done() makes of one.
#include "http/h1.h"
#include "lua/class/all.h"
#include "lua/object.h"
#include "lua/stack.h"

namespace lua {

namespace {

constexpr lua_Integer kDefaultStatus = 200;

bool is_final(lua_Integer status) { return status >= 200 && status <= 599; }

int succeeded(lua_State* L, bool how) {
  lua_pushboolean(L, how);
  return 1;
}

void set_standard_reason(lua_State* L, lua_Integer status) {
  set_field(L, "reason", http::reason_phrase(static_cast<unsigned>(status)));
}

int reply_set_status(lua_State* L) {
  lua_settop(L, 3);
  luaL_checktype(L, 1, LUA_TTABLE);
  const lua_Integer status = luaL_checkinteger(L, 2);
  if (!is_final(status)) return succeeded(L, false);  // and the reply stays as it was
  if (lua_isnil(L, 3)) {
    lua_pushvalue(L, 1);
    set_standard_reason(L, status);
  } else {
    check_text(L, 3);
    lua_setfield(L, 1, "reason");
  }
  lua_settop(L, 1);
  set_field(L, "status", status);
  return succeeded(L, true);
}

int reply_add_header(lua_State* L) {
  lua_settop(L, 3);
  luaL_checktype(L, 1, LUA_TTABLE);
  check_text(L, 2);
  check_text(L, 3);
  if (lua_getfield(L, 1, "headers") != LUA_TTABLE) raise(L, "Reply 'headers' must be a table");
  lua_pushvalue(L, 2);
  if (lua_gettable(L, 4) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, -2);
    lua_settable(L, 4);
  }
  lua_pushvalue(L, 3);
  lua_rawseti(L, 5, static_cast<lua_Integer>(lua_rawlen(L, 5)) + 1);
  return succeeded(L, true);
}

int reply_del_header(lua_State* L) {
  lua_settop(L, 2);
  luaL_checktype(L, 1, LUA_TTABLE);
  check_text(L, 2);
  if (lua_getfield(L, 1, "headers") != LUA_TTABLE) raise(L, "Reply 'headers' must be a table");
  lua_pushvalue(L, 2);
  lua_pushnil(L);
  lua_settable(L, 3);
  return succeeded(L, true);
}

int reply_set_body(lua_State* L) {
  lua_settop(L, 2);
  luaL_checktype(L, 1, LUA_TTABLE);
  check_text(L, 2);
  lua_setfield(L, 1, "body");
  return succeeded(L, true);
}

constexpr luaL_Reg kMethods[] = {{"set_status", reply_set_status},
                                 {"add_header", reply_add_header},
                                 {"del_header", reply_del_header},
                                 {"set_body", reply_set_body}};

// The headers of the table on top of the stack: by name a list, or one value.
void take_headers(lua_State* L, txn::Reply& reply) {
  lua_pushnil(L);
  while (lua_next(L, -2) != 0) {
    if (lua_type(L, -2) != LUA_TSTRING) raise(L, "Reply 'headers' must be indexed by name");
    const std::string name(to_text(L, -2));
    if (lua_istable(L, -1)) {
      const int values = lua_gettop(L);
      // Tables of applets and requests count from zero.
      for (lua_Integer i = lua_rawgeti(L, values, 0) == LUA_TNIL ? 1 : 0;; ++i) {
        lua_settop(L, values);
        if (lua_rawgeti(L, values, i) == LUA_TNIL) break;
        reply.headers.emplace_back(name, std::string(check_text(L, -1)));
      }
      lua_settop(L, values);
    } else {
      reply.headers.emplace_back(name, std::string(check_text(L, -1)));
    }
    lua_pop(L, 1);
  }
}

}  // namespace

int txn_reply(lua_State* L) {
  check_call(L, 1, Class::txn);
  lua_settop(L, 2);
  if (!lua_isnil(L, 2)) luaL_checktype(L, 2, LUA_TTABLE);
  lua_createtable(L, 0, 4);
  lua_Integer status = kDefaultStatus;
  if (lua_istable(L, 2) && lua_getfield(L, 2, "status") != LUA_TNIL)
    status = luaL_checkinteger(L, -1);
  lua_settop(L, 3);
  set_field(L, "status", status);
  if (lua_istable(L, 2) && lua_getfield(L, 2, "reason") != LUA_TNIL) {
    check_text(L, -1);
    lua_setfield(L, 3, "reason");
  } else {
    lua_settop(L, 3);
    set_standard_reason(L, status);
  }
  lua_settop(L, 3);
  if (!lua_istable(L, 2) || lua_getfield(L, 2, "headers") != LUA_TTABLE) {
    lua_settop(L, 3);
    lua_newtable(L);
  }
  lua_setfield(L, 3, "headers");
  lua_settop(L, 3);
  if (lua_istable(L, 2) && lua_getfield(L, 2, "body") != LUA_TNIL) {
    check_text(L, -1);
    lua_setfield(L, 3, "body");
  } else {
    lua_settop(L, 3);
    set_field(L, "body", "");
  }
  lua_settop(L, 3);
  State::of(L).set_class(L, Class::reply);
  return 1;
}

void take_reply(lua_State* L, int index, txn::Exchange& exchange) {
  auto reply = std::make_shared<txn::Reply>();
  lua_Integer status = kDefaultStatus;
  if (lua_getfield(L, index, "status") != LUA_TNIL) status = luaL_checkinteger(L, -1);
  // The exchange ends whatever the number: an error would let the request through to a server.
  if (!is_final(status)) status = 500;
  reply->status = static_cast<std::uint16_t>(status);
  if (lua_getfield(L, index, "reason") != LUA_TNIL) reply->reason = check_text(L, -1);
  if (lua_getfield(L, index, "headers") == LUA_TTABLE) take_headers(L, *reply);
  if (lua_getfield(L, index, "body") != LUA_TNIL) reply->body = check_text(L, -1);
  lua_pop(L, 4);
  std::erase_if(reply->headers, [](const auto& header) {
    return base::iequals(header.first, "content-length") ||
           base::iequals(header.first, "transfer-encoding");
  });
  exchange.reply = std::move(reply);
}

void define_reply(lua_State* L) {
  State::of(L).define(
      L, {.id = Class::reply, .name = "Reply", .methods = kMethods, .printable = false});
}

}  // namespace lua

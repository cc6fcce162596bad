// AppletHTTP's "response": the headers that the answer will have, which scripts may edit. Few do,
// so add_header() keeps headers apart until a script asks for that table.
#include "lua/class/applet_response.h"

#include "lua/stack.h"

namespace lua {

namespace {

// Appends a value to the headers in the table on top of the stack.
void append(lua_State* L, std::string_view name, std::string_view value) {
  push(L, name);
  lua_pushvalue(L, -1);
  if (lua_rawget(L, -3) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    lua_rawset(L, -5);
  } else if (!lua_istable(L, -1)) {
    luaL_error(
        L,
        "Lua: 'add_header' internal error: AppletHTTP['response']['%s'] is expected as an array. "
        "%s found",
        lua_tostring(L, -2), luaL_typename(L, -1));
  }
  push(L, value);
  lua_rawseti(L, -2, static_cast<lua_Integer>(lua_rawlen(L, -2)) + 1);
  lua_pop(L, 2);
}

[[noreturn]] void refuse(lua_State* L, Call& call, std::string_view what) {
  const std::string text = std::string(call.label()) + ": AppletHTTP['response']";
  raise(L, text + std::string(what));
}

// Adds the values of one header, in the table on top of the stack.
void read_values(lua_State* L, Call& call, HttpApplet& applet, std::string_view name) {
  const std::string where = "['" + std::string(name) + "']";
  if (!lua_istable(L, -1))
    refuse(L, call, where + " element must be an table. got " + luaL_typename(L, -1) + ".");
  for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TNUMBER)
      refuse(L, call, where + "[] element must be a number. got " + luaL_typename(L, -2) + ".");
    if (lua_type(L, -1) != LUA_TSTRING) {
      const std::string index = std::to_string(lua_tointeger(L, -2));
      refuse(L, call,
             where + "[" + index + "] element must be a string. got " + luaL_typename(L, -1) + ".");
    }
    base::Arena& arena = call.arena();
    applet.head.headers.add(arena.copy(name), arena.copy(to_text(L, -1)), arena);
  }
}

}  // namespace

void push_response(lua_State* L, HttpApplet& applet) {
  lua_newtable(L);
  for (const http::Field& field : applet.head.headers) append(L, field.name, field.value);
  applet.own_response = true;
}

void add_to_response(lua_State* L, Call& call, HttpApplet& applet, std::string_view name,
                     std::string_view value) {
  if (!applet.own_response) {
    if (applet.started()) return;  // as the reference: too late and ignored
    applet.head.headers.add(call.arena().copy(name), call.arena().copy(value), call.arena());
    return;
  }
  lua_pushliteral(L, "response");
  if (lua_rawget(L, 1) != LUA_TTABLE)
    luaL_error(L,
               "Lua: 'add_header' internal error: AppletHTTP['response'] is expected as an array. "
               "%s found",
               luaL_typename(L, -1));
  append(L, name, value);
}

void take_response(lua_State* L, Call& call, HttpApplet& applet) {
  lua_pushliteral(L, "response");
  const int type = lua_rawget(L, 1);
  if (type == LUA_TNIL && !applet.own_response) return;
  if (type != LUA_TTABLE) refuse(L, call, " missing.");
  if (applet.own_response) applet.head.headers.clear();
  for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING)
      refuse(L, call,
             "[] element must be a string. got " + std::string(luaL_typename(L, -2)) + ".");
    read_values(L, call, applet, to_text(L, -2));
  }
}

}  // namespace lua

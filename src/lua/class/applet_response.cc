// AppletHTTP's "response": the headers that the answer will have, which scripts may edit. Few do,
// so an applet starts with one empty table that all have in common, and add_header() keeps headers
// apart; whoever touches that table gets one of the applet's own with what was added until then.
#include "lua/class/applet_response.h"

#include "lua/class/all.h"
#include "lua/class/server.h"
#include "lua/stack.h"

namespace lua {

namespace {

HttpApplet* running_applet(lua_State* L) {
  Call* call = State::of(L).current;
  if (call == nullptr || call->kind() != Kind::service || call->exchange() == nullptr ||
      !call->exchange()->is_http)
    return nullptr;
  return static_cast<HttpApplet*>(call->output);
}

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

// The running applet's own table, made now where it has none; nil outside of an applet.
void push_own(lua_State* L) {
  State& state = State::of(L);
  HttpApplet* applet = running_applet(L);
  if (applet == nullptr) {
    lua_pushnil(L);
    return;
  }
  state.push_subject(L, state.current->slot());
  lua_getfield(L, -1, "response");
  if (lua_topointer(L, -1) == state.untouched_response) {
    lua_pop(L, 1);
    lua_newtable(L);
    for (const http::Field& field : applet->head.headers) append(L, field.name, field.value);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "response");
    applet->own_response = true;
  }
  lua_remove(L, -2);
}

int own_index(lua_State* L) {
  push_own(L);
  if (!lua_istable(L, -1)) return 0;
  lua_pushvalue(L, 2);
  lua_gettable(L, -2);
  return 1;
}

int own_new_index(lua_State* L) {
  push_own(L);
  if (!lua_istable(L, -1)) return 0;
  lua_pushvalue(L, 2);
  lua_pushvalue(L, 3);
  lua_settable(L, -3);
  return 0;
}

int own_pairs(lua_State* L) {
  push_next(L);
  push_own(L);
  if (!lua_istable(L, -1)) {
    lua_pop(L, 1);
    lua_pushvalue(L, 1);
  }
  lua_pushnil(L);
  return 3;
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

void push_response(lua_State* L) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, State::of(L).response_reference);
}

void add_to_response(lua_State* L, Call& call, HttpApplet& applet, std::string_view name,
                     std::string_view value) {
  if (!applet.own_response) {
    if (applet.started()) return;  // as the reference: too late and ignored
    applet.head.headers.add(call.arena().copy(name), call.arena().copy(value), call.arena());
    return;
  }
  if (lua_getfield(L, 1, "response") != LUA_TTABLE)
    luaL_error(L,
               "Lua: 'add_header' internal error: AppletHTTP['response'] is expected as an array. "
               "%s found",
               luaL_typename(L, -1));
  append(L, name, value);
}

void take_response(lua_State* L, Call& call, HttpApplet& applet) {
  const int type = lua_getfield(L, 1, "response");
  if (lua_topointer(L, -1) == call.state().untouched_response) return;
  if (type != LUA_TTABLE) refuse(L, call, " missing.");
  if (applet.own_response) applet.head.headers.clear();
  for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING)
      refuse(L, call,
             "[] element must be a string. got " + std::string(luaL_typename(L, -2)) + ".");
    read_values(L, call, applet, to_text(L, -2));
  }
}

void define_applet_response(lua_State* L) {
  State& state = State::of(L);
  state.define(L, {.id = Class::applet_response,
                   .name = "AppletHTTP.response",
                   .methods = {},
                   .index = &own_index,
                   .new_index = &own_new_index,
                   .pairs = &own_pairs,
                   .printable = false});
  lua_newtable(L);
  state.set_class(L, Class::applet_response);
  state.untouched_response = lua_topointer(L, -1);
  state.response_reference = luaL_ref(L, LUA_REGISTRYINDEX);
}

}  // namespace lua

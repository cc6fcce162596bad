// AppletHTTP: an HTTP request that a script answers.
#include <array>

#include "http/uri.h"
#include "lua/class/all.h"
#include "lua/class/applet_methods.h"
#include "lua/class/applet_response.h"
#include "lua/message.h"
#include "lua/object.h"

namespace lua {

namespace {

// What is known of the body: announced, or in chunks that are all here.
lua_Integer body_length(const txn::Exchange& exchange) {
  const http::RequestHead& head = exchange.request;
  if (head.framing == http::Framing::length) return static_cast<lua_Integer>(head.content_length);
  txn::Channel* body = exchange.request_channel;
  if (head.framing != http::Framing::chunked || body == nullptr || !body->complete()) return 0;
  return static_cast<lua_Integer>(body->data().size());
}

using Methods = AppletMethods<Class::applet_http>;

Call& self(lua_State* L) { return Methods::self(L); }
HttpApplet& applet_of(Call& call) { return *static_cast<HttpApplet*>(call.output); }

int applet_set_status(lua_State* L) {
  check_count(L, 2, 3, "set_status");
  Call& call = self(L);
  HttpApplet& applet = applet_of(call);
  const lua_Integer status = luaL_checkinteger(L, 2);
  const std::string_view reason = lua_isnoneornil(L, 3) ? std::string_view() : check_text(L, 3);
  if (status < 100 || status > 599) {  // and what was set before stays
    lua_pushboolean(L, 0);
    return 1;
  }
  if (!applet.started()) {
    applet.head.status = static_cast<std::uint16_t>(status);
    applet.head.reason = call.arena().copy(reason);
  }
  lua_pushboolean(L, 1);
  return 1;
}

int applet_add_header(lua_State* L) {
  lua_settop(L, 3);
  Call& call = self(L);
  const std::string_view name = check_text(L, 2);
  std::array<char, 24> digits;
  add_to_response(L, call, applet_of(call), name, check_text(L, 3, digits));
  lua_pushboolean(L, 1);
  return 1;
}

int applet_start_response(lua_State* L) {
  Call& call = self(L);
  HttpApplet& applet = applet_of(call);
  if (applet.started()) return 0;
  take_response(L, call, applet);
  applet.start();
  return 0;
}

int applet_send(lua_State* L) {
  lua_settop(L, 2);
  Call& call = self(L);
  HttpApplet& applet = applet_of(call);
  if (!applet.started())
    raise(L, "Lua: 'send' you must call start_response() before sending data.");
  return Methods::send(L);
}

int applet_receive(lua_State* L) {
  check_count(L, 1, 2, "receive");
  return Methods::receive(L, luaL_optinteger(L, 2, -1));
}

constexpr luaL_Reg kMethods[] = {{"get_priv", Methods::get_priv},
                                 {"set_priv", Methods::set_priv},
                                 {"get_var", Methods::get_var},
                                 {"set_var", Methods::set_var},
                                 {"unset_var", Methods::unset_var},
                                 {"getline", Methods::getline},
                                 {"receive", applet_receive},
                                 {"send", applet_send},
                                 {"add_header", applet_add_header},
                                 {"set_status", applet_set_status},
                                 {"start_response", applet_start_response}};

int applet_member(lua_State* L) {
  Call* call = call_of_member(L, Class::applet_http);
  if (call == nullptr) return 0;
  const std::string_view key = to_text(L, 2);
  if (key == "headers")
    push_headers(L, call->exchange()->request.headers);
  else if (key == "response")
    push_response(L, applet_of(*call));
  else if (!push_common_member(L, *call, key))
    return 0;
  keep_member(L, *call);
  return 1;
}

// Whoever looks at all members finds those too that are made when first asked for.
void make_members(lua_State* L) {
  for (const char* key : {"f", "sf", "c", "sc", "headers", "response"}) {
    lua_getfield(L, 1, key);
    lua_pop(L, 1);
  }
}

// In place of Lua's own, which knows nothing of them.
int next_member(lua_State* L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 2);
  Call* call = State::of(L).current;
  if (lua_isnil(L, 2) && call != nullptr && call->slot().subject_class == Class::applet_http &&
      call->slot().subject == lua_topointer(L, 1))
    make_members(L);
  if (lua_next(L, 1) != 0) return 2;
  lua_pushnil(L);
  return 1;
}

int applet_pairs(lua_State* L) {
  lua_settop(L, 1);
  make_members(L);
  lua_pushcfunction(L, [](lua_State* inner) {
    lua_settop(inner, 2);
    return lua_next(inner, 1) != 0 ? 2 : 0;
  });
  lua_insert(L, 1);
  lua_pushnil(L);
  return 3;
}

}  // namespace

void push_http_applet(lua_State* L, Call& call) {
  const http::RequestHead& head = call.exchange()->request;
  const http::Target target = http::split_target(head.target);
  // With the ticket what is set here, in one block of memory. Other members are made when asked
  // for.
  lua_createtable(L, 0, 8);
  lua_pushlightuserdata(L, call.ticket());
  lua_rawseti(L, -2, 1);
  set_field(L, "method", head.method_text);
  set_field(L, "version", head.version == http::Version{1, 0} ? "HTTP/1.0" : "HTTP/1.1");
  set_field(L, "path", target.path);
  set_field(L, "qs", target.query);
  set_field(L, "length", body_length(*call.exchange()));
  call.state().set_class(L, Class::applet_http);
  lua_pushvalue(L, -1);
  State::set_subject(L, call.slot(), Class::applet_http);
}

void define_applet_http(lua_State* L) {
  State::of(L).define(L, {.id = Class::applet_http,
                          .name = "AppletHTTP",
                          .methods = kMethods,
                          .pairs = &applet_pairs});
  add_member_function(L, Class::applet_http, &applet_member);
  if (lua_getglobal(L, "next") == LUA_TFUNCTION) {
    lua_pushcfunction(L, next_member);
    lua_setglobal(L, "next");
  }
  lua_pop(L, 1);
}

}  // namespace lua

// AppletTCP: a stream that a script answers, also behind commands of the runtime socket.
#include "lua/class/all.h"
#include "lua/class/applet_methods.h"
#include "lua/object.h"

namespace lua {

namespace {

using Methods = AppletMethods<Class::applet_tcp>;

Call& self(lua_State* L) { return Methods::self(L); }
Applet& applet_of(Call& call) { return Methods::applet_of(call); }

int applet_send(lua_State* L) {
  check_count(L, 2, "send");
  return Methods::send(L);
}

int push_received(lua_State* L, Applet& applet, const std::string& bytes) {
  if (bytes.empty() && !applet.over())
    lua_pushnil(L);
  else
    push(L, bytes);
  return 1;
}

int applet_receive(lua_State* L) {
  check_count(L, 1, 3, "receive");
  const lua_Integer size = luaL_optinteger(L, 2, -1);
  if (lua_isnoneornil(L, 3)) return Methods::receive(L, size);
  Call& call = self(L);
  Applet& applet = applet_of(call);
  const rt::Instant until = rt::now() + rt::milliseconds(check_milliseconds(L, 3));
  const std::string bytes =
      applet.receive(size < 0 ? std::string::npos : static_cast<std::size_t>(size), until);
  call.check_cancelled(L);
  return push_received(L, applet, bytes);
}

int applet_try_receive(lua_State* L) {
  check_count(L, 1, "try_receive");
  Call& call = self(L);
  Applet& applet = applet_of(call);
  if (applet.buffered() == 0 && !applet.over()) applet.fill(rt::now());
  call.check_cancelled(L);
  return push_received(L, applet, applet.take(applet.buffered()));
}

constexpr luaL_Reg kMethods[] = {
    {"getline", Methods::getline},       {"receive", applet_receive},
    {"try_receive", applet_try_receive}, {"send", applet_send},
    {"set_priv", Methods::set_priv},     {"get_priv", Methods::get_priv},
    {"set_var", Methods::set_var},       {"unset_var", Methods::unset_var},
    {"get_var", Methods::get_var}};

}  // namespace

void push_tcp_applet(lua_State* L, Call& call) {
  lua_createtable(L, 1, 4);
  lua_pushlightuserdata(L, call.ticket());
  lua_rawseti(L, -2, 1);
  set_common_members(L, call);
  call.state().set_class(L, Class::applet_tcp);
  lua_pushvalue(L, -1);
  State::set_subject(L, call.slot(), Class::applet_tcp);
}

void define_applet_tcp(lua_State* L) {
  State::of(L).define(L, {.id = Class::applet_tcp, .name = "AppletTCP", .methods = kMethods});
}

}  // namespace lua

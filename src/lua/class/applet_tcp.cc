// AppletTCP: a stream that a script answers, also behind commands of the runtime socket.
#include "lua/applet.h"
#include "lua/class/all.h"
#include "lua/object.h"
#include "lua/private_data.h"
#include "lua/stack.h"
#include "lua/variables.h"

namespace lua {

namespace {

Call& self(lua_State* L) { return check_call(L, 1, Class::applet_tcp); }
Applet& applet_of(Call& call) { return *static_cast<TcpApplet*>(call.output); }

int applet_send(lua_State* L) {
  check_count(L, 2, "send");
  Call& call = self(L);
  const std::string_view bytes = check_text(L, 2);
  if (!applet_of(call).send(bytes)) call.end(L, Ending::cancelled);
  lua_pushinteger(L, static_cast<lua_Integer>(bytes.size()));
  return 1;
}

int applet_getline(lua_State* L) {
  check_count(L, 1, "getline");
  Call& call = self(L);
  const std::string line = applet_of(call).receive_line();
  call.check_cancelled(L);
  push(L, line);
  return 1;
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
  Call& call = self(L);
  Applet& applet = applet_of(call);
  const lua_Integer size = luaL_optinteger(L, 2, -1);
  if (lua_isnoneornil(L, 3)) {
    const std::string bytes =
        size < 0 ? applet.receive_all()
                 : applet.receive(static_cast<std::size_t>(size), applet.patience());
    call.check_cancelled(L);
    push(L, bytes);
    return 1;
  }
  const rt::Instant until = rt::now() + rt::milliseconds(luaL_checkinteger(L, 3));
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

int applet_get_priv(lua_State* L) { return get_priv(L, self(L)); }
int applet_set_priv(lua_State* L) { return set_priv(L, self(L)); }
int applet_get_var(lua_State* L) { return get_var(L, self(L)); }
int applet_set_var(lua_State* L) { return set_var(L, self(L)); }
int applet_unset_var(lua_State* L) { return unset_var(L, self(L)); }

constexpr luaL_Reg kMethods[] = {
    {"getline", applet_getline},         {"receive", applet_receive},
    {"try_receive", applet_try_receive}, {"send", applet_send},
    {"set_priv", applet_set_priv},       {"get_priv", applet_get_priv},
    {"set_var", applet_set_var},         {"unset_var", applet_unset_var},
    {"get_var", applet_get_var}};

int applet_member(lua_State* L) {
  Call* call = State::of(L).current;
  if (call == nullptr || call->output == nullptr) return 0;
  if (!push_common_member(L, *call, to_text(L, 2))) return 0;
  keep_member(L, *call);
  return 1;
}

}  // namespace

void push_tcp_applet(lua_State* L, Call& call) {
  lua_createtable(L, 1, 2);
  lua_pushlightuserdata(L, call.ticket());
  lua_rawseti(L, -2, 1);
  call.state().set_class(L, Class::applet_tcp);
  lua_pushvalue(L, -1);
  call.state().set_subject(L, call.slot());
}

void define_applet_tcp(lua_State* L) {
  State::of(L).define(L, {.id = Class::applet_tcp, .name = "AppletTCP", .methods = kMethods});
  add_member_function(L, Class::applet_tcp, &applet_member);
}

}  // namespace lua

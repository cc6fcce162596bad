// What AppletHTTP and AppletTCP have alike.
#pragma once

#include <lua.hpp>

#include "lua/applet.h"
#include "lua/private_data.h"
#include "lua/stack.h"
#include "lua/variables.h"

namespace lua {

template <Class id>
struct AppletMethods {
  static Call& self(lua_State* L) { return check_call(L, 1, id); }

  static int getline(lua_State* L) {
    check_count(L, 1, "getline");
    Call& call = self(L);
    const std::string line = applet_of(call).receive_line();
    call.check_cancelled(L);
    push(L, line);
    return 1;
  }
  // `size` bytes, or all there are until the end.
  static int receive(lua_State* L, lua_Integer size) {
    Call& call = self(L);
    Applet& applet = applet_of(call);
    const std::string bytes =
        size < 0 ? applet.receive_all()
                 : applet.receive(static_cast<std::size_t>(size), applet.patience());
    call.check_cancelled(L);
    push(L, bytes);
    return 1;
  }
  static int send(lua_State* L) {
    Call& call = self(L);
    const std::string_view bytes = check_text(L, 2);
    if (!applet_of(call).send(bytes)) call.end(L, Ending::cancelled);
    lua_pushinteger(L, static_cast<lua_Integer>(bytes.size()));
    return 1;
  }
  static int get_priv(lua_State* L) { return lua::get_priv(L, self(L)); }
  static int set_priv(lua_State* L) { return lua::set_priv(L, self(L)); }
  static int get_var(lua_State* L) { return lua::get_var(L, self(L)); }
  static int set_var(lua_State* L) { return lua::set_var(L, self(L)); }
  static int unset_var(lua_State* L) { return lua::unset_var(L, self(L)); }

  static Applet& applet_of(Call& call) {
    if constexpr (id == Class::applet_http)
      return *static_cast<HttpApplet*>(call.output);
    else
      return *static_cast<TcpApplet*>(call.output);
  }
};

}  // namespace lua

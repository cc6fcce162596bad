// act: what actions return.
#include "lua/class/all.h"
#include "lua/stack.h"

namespace lua {

namespace {

int act_wake_time(lua_State* L) {
  Call& call = current_call(L, "wake_time");
  // Called as act:wake_time(ms) or act.wake_time(ms).
  call.wake_time_ms = check_milliseconds(L, lua_istable(L, 1) ? 2 : 1);
  return 0;
}

}  // namespace

void define_act(lua_State* L) {
  lua_newtable(L);
  set_field(L, "CONTINUE", 0);
  set_field(L, "STOP", 1);
  set_field(L, "YIELD", 2);
  set_field(L, "ERROR", 3);
  set_field(L, "DONE", 4);
  set_field(L, "DENY", 5);
  set_field(L, "ABORT", 6);
  set_field(L, "INVALID", 7);
  lua_pushcfunction(L, &act_wake_time);
  lua_setfield(L, -2, "wake_time");
  lua_setglobal(L, "act");
}

}  // namespace lua

// filter: what filter callbacks return. Filters themselves are not supported yet and refused.
#include "lua/class/all.h"
#include "lua/stack.h"

namespace lua {

namespace {

int outside_of_filter(lua_State* L) { raise(L, "this function may only be called from a filter"); }

}  // namespace

int core_register_filter(lua_State* L) {
  check_count(L, 3, "register_filter");
  raise(L, "register_filter: filters of scripts are not supported yet");
}

void define_filter(lua_State* L) {
  lua_newtable(L);
  set_field(L, "CONTINUE", 1);
  set_field(L, "WAIT", 0);
  set_field(L, "ERROR", -1);
  set_field(L, "FLT_CFG_FL_HTX", 1);
  for (const char* name : {"register_data_filter", "unregister_data_filter", "wake_time"}) {
    lua_pushcfunction(L, &outside_of_filter);
    lua_setfield(L, -2, name);
  }
  lua_setglobal(L, "filter");
}

}  // namespace lua

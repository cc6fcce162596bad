// filter: what callbacks of filters return, and what they ask of the filter that runs.
#include "rules/filter.h"

#include "lua/class/all.h"
#include "lua/stack.h"

namespace lua {

namespace {

Call& filter_call(lua_State* L, const char* what) {
  Call& call = current_call(L, what);
  if (call.filter_run == nullptr) luaL_error(L, "%s: only available within a filter", what);
  return call;
}

// Scripts write register_data_filter(chn) as well as register_data_filter(self, chn).
template <bool on>
int take_payload(lua_State* L) {
  const char* name = on ? "register_data_filter" : "unregister_data_filter";
  check_count(L, 1, 2, name);
  Call& call = filter_call(L, name);
  unsigned response = 0;
  check_call(L, lua_gettop(L), Class::channel, response);
  call.filter_run->take_payload(response != 0 ? txn::Direction::response : txn::Direction::request,
                                on);
  return 0;
}

int wake_time(lua_State* L) {
  check_count(L, 1, "wake_time");
  filter_call(L, "wake_time").wake_time_ms = std::max<lua_Integer>(check_milliseconds(L, 1), 0);
  return 0;
}

constexpr luaL_Reg kFunctions[] = {{"register_data_filter", take_payload<true>},
                                   {"unregister_data_filter", take_payload<false>},
                                   {"wake_time", wake_time},
                                   {nullptr, nullptr}};

}  // namespace

void define_filter(lua_State* L) {
  luaL_newlib(L, kFunctions);
  set_field(L, "CONTINUE", 1);
  set_field(L, "WAIT", 0);
  set_field(L, "ERROR", -1);
  set_field(L, "FLT_CFG_FL_HTX", 1);
  lua_setglobal(L, "filter");
}

}  // namespace lua

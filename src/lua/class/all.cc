#include "lua/class/all.h"

#include "lua/state.h"

namespace lua {

void define_classes(lua_State* L) {
  for (auto define :
       {&define_act,      &define_applet_http, &define_applet_tcp,   &define_channel,
        &define_concat,   &define_converters,  &define_event_sub,    &define_fetches,
        &define_filter,   &define_http,        &define_http_message, &define_http_client,
        &define_listener, &define_map,         &define_patref,       &define_proxy,
        &define_queue,    &define_regex,       &define_reply,        &define_server,
        &define_socket,   &define_stick_table, &define_txn,          &define_core})
    define(L);
}

}  // namespace lua

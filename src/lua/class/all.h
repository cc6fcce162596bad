// What the files of this folder offer each other and the room.
#pragma once

#include <lua.hpp>
#include <string_view>

#include "lua/call.h"

namespace lua {

// One for each file; listed in all.cc.
void define_act(lua_State* L);
void define_applet_http(lua_State* L);
void define_applet_tcp(lua_State* L);
void define_channel(lua_State* L);
void define_concat(lua_State* L);
void define_converters(lua_State* L);
void define_core(lua_State* L);
void define_event_sub(lua_State* L);
void define_fetches(lua_State* L);
void define_filter(lua_State* L);
void define_http(lua_State* L);
void define_http_message(lua_State* L);
void define_http_client(lua_State* L);
void define_listener(lua_State* L);
void define_map(lua_State* L);
void define_patref(lua_State* L);
void define_proxy(lua_State* L);
void define_queue(lua_State* L);
void define_regex(lua_State* L);
void define_reply(lua_State* L);
void define_server(lua_State* L);
void define_socket(lua_State* L);
void define_stick_table(lua_State* L);
void define_txn(lua_State* L);

struct Bytes;
// The bytes of one direction, as the call sees them: a filter has its own view.
Bytes bytes_of(Call& call, bool response);
// The HTTPMessage of a filter's call.
void push_http_message(lua_State* L, Call& call, bool response);

// "f", "sf", "c", "sc": pushes the member; false when the key is none of these.
bool push_common_member(lua_State* L, Call& call, std::string_view key);
// The running call, whose object has members that are made when first asked for. Null while a
// script loads; raises when the object is another call's, for this one was given none of `id`.
Call* call_of_member(lua_State* L, Class id);
// Keeps the member on top of the stack under the key at index 2 in the call's object.
void keep_member(lua_State* L, Call& call);
// Makes all of these in the object on top of the stack.
void set_common_members(lua_State* L, Call& call);
// Lets `function` make members of a class that are asked for and not there.
void add_member_function(lua_State* L, Class id, lua_CFunction function);

int txn_reply(lua_State* L);

// Functions of core that live beside their class.
int core_tcp(lua_State* L);
int core_httpclient(lua_State* L);
int core_concat(lua_State* L);
int core_queue(lua_State* L);
int core_event_sub(lua_State* L);
int core_get_patref(lua_State* L);
int core_add_acl(lua_State* L);
int core_del_acl(lua_State* L);
int core_set_map(lua_State* L);
int core_del_map(lua_State* L);
int core_http_date(lua_State* L);
int core_imf_date(lua_State* L);
int core_rfc850_date(lua_State* L);
int core_asctime_date(lua_State* L);
int core_get_info(lua_State* L);
int core_register_filter(lua_State* L);
int core_parse_addr(lua_State* L);
int core_match_addr(lua_State* L);
int core_tokenize(lua_State* L);
int subscribe_to_server(lua_State* L, const state::Server& server);
int subscribe_to_patterns(lua_State* L, state::PatternSet& set);
// Pushes core.proxies, core.frontends, core.backends.
void push_proxy_list(lua_State* L, std::uint8_t capabilities);

}  // namespace lua

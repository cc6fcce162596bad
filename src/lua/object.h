// The objects that a call hands to its script: the transaction or the applet, whose members are
// made when the script first asks for them. They belong to the call and die with it.
#pragma once

#include <lua.hpp>

#include "lua/call.h"

namespace lua {

// The TXN of this call, on top of the stack.
void push_txn(lua_State* L, Call& call);
// Makes a TXN or an applet that the script may have kept useless. Not protected: it allocates
// nothing.
void finish_subject(Call& call);

// AppletHTTP and AppletTCP.
void push_http_applet(lua_State* L, Call& call);
void push_tcp_applet(lua_State* L, Call& call);

// txn:done() and friends leave it in the exchange.
void take_reply(lua_State* L, int index, txn::Exchange& exchange);

}  // namespace lua

#include "lua/private_data.h"

#include "lua/stack.h"

namespace lua {

namespace {

struct PrivateData {
  struct Entry {
    State* state;
    int reference;
  };
  std::vector<Entry> entries;

  PrivateData() = default;
  PrivateData(const PrivateData&) = delete;
  PrivateData& operator=(const PrivateData&) = delete;
  ~PrivateData() {
    for (const Entry& entry : entries) entry.state->drop_later(entry.reference);
  }
  Entry* of(const State& state) {
    for (Entry& entry : entries)
      if (entry.state == &state) return &entry;
    return nullptr;
  }
};

}  // namespace

int get_priv(lua_State* L, Call& call) {
  txn::Exchange* exchange = call.exchange();
  auto* data =
      exchange == nullptr ? nullptr : static_cast<PrivateData*>(exchange->script_data.get());
  const PrivateData::Entry* entry = data == nullptr ? nullptr : data->of(call.state());
  if (entry == nullptr)
    lua_pushnil(L);
  else
    lua_rawgeti(L, LUA_REGISTRYINDEX, entry->reference);
  return 1;
}

int set_priv(lua_State* L, Call& call) {
  check_count(L, 2, "set_priv");
  txn::Exchange* exchange = call.exchange();
  if (exchange == nullptr) raise(L, "'set_priv' needs a transaction");
  if (!exchange->script_data) exchange->script_data = std::make_shared<PrivateData>();
  auto& data = *static_cast<PrivateData*>(exchange->script_data.get());
  lua_settop(L, 2);
  PrivateData::Entry* entry = data.of(call.state());
  if (lua_isnil(L, 2)) {
    // A hole in the registry would be taken for the end of its references, and given away again.
    if (entry != nullptr) {
      luaL_unref(L, LUA_REGISTRYINDEX, entry->reference);
      data.entries.erase(data.entries.begin() + (entry - data.entries.data()));
    }
  } else if (entry != nullptr) {
    lua_rawseti(L, LUA_REGISTRYINDEX, entry->reference);
  } else {
    data.entries.push_back({&call.state(), luaL_ref(L, LUA_REGISTRYINDEX)});
  }
  return 0;
}

}  // namespace lua

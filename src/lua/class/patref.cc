// Patref: the entries behind maps and pattern files, edited at once or as one transaction; and the
// older functions of core for the same.
#include "lua/box.h"
#include "lua/class/all.h"
#include "lua/class/server.h"
#include "lua/engine.h"

namespace lua {

namespace {

struct Patref {
  state::PatternSet* set;
  bool prepared = false;
  std::uint32_t version = 0;  // the invisible one, while prepared

  explicit Patref(state::PatternSet& s) : set(&s) {}
  Patref(const Patref&) = delete;
  Patref& operator=(const Patref&) = delete;
  ~Patref() { give_up(); }
  void give_up() {
    if (prepared) set->clear_version(version);
    prepared = false;
  }
  bool add(std::string_view key, std::string_view value, std::string& error) {
    return prepared ? set->add_to(version, key, value, &error) : set->add(key, value, 0, &error);
  }
  std::uint32_t shown() const { return prepared ? version : set->current_version(); }
};

Patref& self(lua_State* L) { return check_boxed<Patref>(L, 1, Class::patref); }

int outcome(lua_State* L, bool good, const std::string& error) {
  if (good) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushnil(L);
  push(L, error.empty() ? "unable to change the pattern reference" : error);
  return 2;
}

int patref_get_name(lua_State* L) {
  push(L, self(L).set->name());
  return 1;
}

int patref_is_map(lua_State* L) {
  lua_pushboolean(L, self(L).set->is_map());
  return 1;
}

int patref_purge(lua_State* L) {
  Patref& patref = self(L);
  patref.give_up();
  patref.set->clear();
  return 0;
}

int patref_prepare(lua_State* L) {
  Patref& patref = self(L);
  patref.give_up();
  patref.version = patref.set->prepare();
  patref.prepared = true;
  return 0;
}

int patref_commit(lua_State* L) {
  Patref& patref = self(L);
  if (!patref.prepared) return outcome(L, false, "nothing was prepared");
  patref.prepared = false;
  return outcome(L, patref.set->commit(patref.version), "the version is no longer there");
}

int patref_giveup(lua_State* L) {
  self(L).give_up();
  return 0;
}

int patref_add(lua_State* L) {
  Patref& patref = self(L);
  const std::string_view key = check_text(L, 2);
  const std::string_view value =
      patref.set->is_map() && !lua_isnoneornil(L, 3) ? check_text(L, 3) : std::string_view();
  std::string error;
  const bool good = patref.add(key, value, error);
  return outcome(L, good, error);
}

int patref_add_bulk(lua_State* L) {
  Patref& patref = self(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  lua_pushnil(L);
  while (lua_next(L, 2) != 0) {
    std::string error;
    lua_pushvalue(L, -2);  // lua_tolstring would change the key under lua_next
    const bool good = patref.set->is_map() ? patref.add(check_text(L, -1), check_text(L, -2), error)
                                           : patref.add(check_text(L, -2), {}, error);
    if (!good) return outcome(L, false, error);
    lua_pop(L, 2);
  }
  return outcome(L, true, {});
}

// Ids of the entries of `key` in an invisible version.
std::vector<std::uint64_t> find(const Patref& patref, std::string_view key) {
  std::vector<std::uint64_t> ids;
  patref.set->each(patref.version, [&](const state::PatternEntry& entry) {
    if (entry.key == key) ids.push_back(entry.id);
    return true;
  });
  return ids;
}

int patref_del(lua_State* L) {
  Patref& patref = self(L);
  const std::string_view key = check_text(L, 2);
  bool found = false;
  if (patref.prepared)
    for (const std::uint64_t id : find(patref, key)) found |= patref.set->remove_by_id(id);
  else
    found = patref.set->remove(key);
  lua_pushboolean(L, found);
  return 1;
}

int patref_set(lua_State* L) {
  Patref& patref = self(L);
  const std::string_view key = check_text(L, 2), value = check_text(L, 3);
  std::string error;
  bool found = false;
  if (patref.prepared)
    for (const std::uint64_t id : find(patref, key))
      found |= patref.set->set_by_id(id, value, &error);
  else
    found = patref.set->set(key, value, &error);
  if (!found && lua_toboolean(L, 4) != 0) found = patref.add(key, value, error);
  return outcome(L, found, error.empty() ? "key not found" : error);
}

int patref_event_sub(lua_State* L) { return subscribe_to_patterns(L, *self(L).set); }

constexpr luaL_Reg kMethods[] = {
    {"get_name", patref_get_name}, {"is_map", patref_is_map},       {"purge", patref_purge},
    {"prepare", patref_prepare},   {"commit", patref_commit},       {"giveup", patref_giveup},
    {"add", patref_add},           {"add_bulk", patref_add_bulk},   {"del", patref_del},
    {"set", patref_set},           {"event_sub", patref_event_sub}, {nullptr, nullptr}};

// patref["key"]: the value of the first entry, or true for lists of patterns.
int patref_index(lua_State* L) {
  const Patref& patref = self(L);
  const std::string_view key = to_text(L, 2);
  bool found = false;
  std::string value;
  patref.set->each(patref.shown(), [&](const state::PatternEntry& entry) {
    if (entry.key != key) return true;
    found = true;
    value = entry.value;
    return false;
  });
  if (!found)
    lua_pushnil(L);
  else if (patref.set->is_map())
    push(L, value);
  else
    lua_pushboolean(L, 1);
  return 1;
}

int ignore_assignment(lua_State*) { return 0; }

// A snapshot, so that edits on the way do no harm.
int patref_pairs(lua_State* L) {
  const Patref& patref = self(L);
  push_next(L);
  std::vector<std::pair<std::string, std::string>> entries;
  patref.set->each(patref.shown(), [&](const state::PatternEntry& entry) {
    entries.emplace_back(entry.key, entry.value);
    return true;
  });
  lua_createtable(L, 0, static_cast<int>(entries.size()));
  for (const auto& [key, value] : entries) {
    push(L, key);
    if (patref.set->is_map())
      push(L, value);
    else
      lua_pushboolean(L, 1);
    lua_rawset(L, -3);
  }
  lua_pushnil(L);
  return 3;
}

state::PatternSet& check_set(lua_State* L, const char* function, const char* what) {
  const std::string_view name = check_text(L, 1);
  state::PatternSet* set = State::of(L).engine().environment().patterns.find(name);
  if (set == nullptr)
    luaL_error(L, "'%s': unknown %s '%s'", function, what, std::string(name).c_str());
  return *set;
}

}  // namespace

int core_get_patref(lua_State* L) {
  check_count(L, 1, "get_patref");
  push_boxed<Patref>(L, Class::patref, check_set(L, "get_patref", "pattern reference"));
  for (const luaL_Reg* method = kMethods; method->name != nullptr; ++method) {
    lua_pushstring(L, method->name);
    lua_pushcfunction(L, method->func);
    lua_rawset(L, -3);  // the class forbids assignments
  }
  return 1;
}

int core_add_acl(lua_State* L) {
  check_count(L, 2, "add_acl");
  state::PatternSet& set = check_set(L, "add_acl", "acl file");
  std::string error;
  if (!set.add(check_text(L, 2), {}, 0, &error)) luaL_error(L, "'add_acl': %s", error.c_str());
  return 0;
}

int core_del_acl(lua_State* L) {
  check_count(L, 2, "del_acl");
  check_set(L, "del_acl", "acl file").remove(check_text(L, 2));
  return 0;
}

int core_set_map(lua_State* L) {
  check_count(L, 3, "set_map");
  state::PatternSet& set = check_set(L, "set_map", "map file");
  const std::string_view key = check_text(L, 2), value = check_text(L, 3);
  std::string error;
  if (!set.set(key, value, &error) && !set.add(key, value, 0, &error))
    luaL_error(L, "'set_map': %s", error.c_str());
  return 0;
}

int core_del_map(lua_State* L) {
  check_count(L, 2, "del_map");
  check_set(L, "del_map", "map file").remove(check_text(L, 2));
  return 0;
}

void define_patref(lua_State* L) {
  State::of(L).define(L, {.id = Class::patref,
                          .name = "Patref",
                          .methods = {},
                          .index = &patref_index,
                          .new_index = &ignore_assignment,
                          .pairs = &patref_pairs,
                          .collect = &Box<Patref>::collect_object});
}

}  // namespace lua

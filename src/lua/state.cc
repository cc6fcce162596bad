#include "lua/state.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <string_view>

#include "lua/call.h"
#include "lua/engine.h"
#include "lua/library.h"
#include "lua/stack.h"

namespace lua {

namespace {

constexpr std::size_t index_of(Class id) { return static_cast<std::size_t>(id); }

int print_class(lua_State* L) {
  lua_pushvalue(L, lua_upvalueindex(1));
  return 1;
}

int on_panic(lua_State* L) {
  obs::report(obs::Level::emerg,
              std::string("Lua: error outside of protected code: ") + std::string(to_text(L, -1)));
  return 0;
}

// The message handler of every call: remembers where it happened.
int on_error(lua_State* L) {
  Call* call = State::of(L).current;
  if (call == nullptr || call->ending() != Ending::none) return 1;
  std::string text;
  if (lua_type(L, 1) == LUA_TSTRING || luaL_getmetafield(L, 1, "__tostring") != LUA_TNIL) {
    luaL_tolstring(L, 1, nullptr);
    text = to_text(L, -1);
  } else {
    text = std::string("(error object is a ") + luaL_typename(L, 1) + " value)";
  }
  const std::string where = trace(L, 1);
  if (!where.empty()) text += " from " + where;
  call->set_failure(std::move(text));
  lua_settop(L, 1);
  return 1;
}

}  // namespace

void raise(lua_State* L, std::string_view message) {
  luaL_where(L, 1);
  push(L, message);
  lua_concat(L, 2);
  lua_error(L);
  std::abort();  // lua_error does not return
}

State::State(Engine& engine, unsigned index)
    : engine_(engine), index_(index), memory_(engine.settings().maximum_memory) {
  class_refs_.fill(LUA_NOREF);
  main_ = lua_newstate(&State::allocate, this);
  if (main_ == nullptr) throw std::bad_alloc();
  *static_cast<State**>(lua_getextraspace(main_)) = this;
  lua_atpanic(main_, &on_panic);
  lua_pushcfunction(main_, [](lua_State* L) {
    State& state = State::of(L);
    state.open_libraries();
    define_classes(L);
    return 0;
  });
  if (lua_pcall(main_, 0, 0, 0) != LUA_OK)
    throw std::runtime_error("Lua: " + std::string(to_text(main_, -1)));
  pace_collector();
}

State::~State() { lua_close(main_); }

void* State::allocate(void* state, void* block, std::size_t old_size, std::size_t size) {
  return static_cast<State*>(state)->memory_.change(block, old_size, size);
}

// A collection looks at everything alive, and the API alone is thousands of objects: with Lua's
// usual pause a small state would be walked every few calls. So small ones wait for more garbage.
void State::pace_collector() {
  constexpr std::size_t kGarbage = 8 << 20;
  constexpr std::size_t kLeast = 200, kMost = 1000;  // per cent of what is alive
  const std::size_t pause = 100 + 100 * (kGarbage / (memory_.used() + 1));
  lua_gc(main_, LUA_GCINC, static_cast<int>(std::clamp(pause, kLeast, kMost)), 0, 0);
}

void State::open_libraries() {
  struct Library {
    const char* name;
    lua_CFunction open;
  };
  static constexpr Library kOptional[] = {
      {LUA_TABLIBNAME, luaopen_table},    {LUA_IOLIBNAME, luaopen_io},
      {LUA_OSLIBNAME, luaopen_os},        {LUA_STRLIBNAME, luaopen_string},
      {LUA_MATHLIBNAME, luaopen_math},    {LUA_UTF8LIBNAME, luaopen_utf8},
      {LUA_LOADLIBNAME, luaopen_package}, {LUA_DBLIBNAME, luaopen_debug}};
  const std::string list = "," + engine_.settings().libraries + ",";
  const bool all = list == ",all,";
  luaL_requiref(main_, LUA_GNAME, luaopen_base, 1);
  luaL_requiref(main_, LUA_COLIBNAME, luaopen_coroutine, 1);
  lua_pop(main_, 2);
  for (const Library& library : kOptional) {
    if (!all && list.find("," + std::string(library.name) + ",") == std::string::npos) continue;
    luaL_requiref(main_, library.name, library.open, 1);
    lua_pop(main_, 1);
  }
  replace_library_functions(main_);
}

// Said before the lock is there: who had waited for it looks again.
void State::lend() {
  if (shared()) return;
  lent_ = true;
  mutex_.lock_uninterruptibly();
}

void State::take_back() {
  if (shared()) return;
  lent_ = false;
  mutex_.unlock();
}

void State::wait_for_return() {
  while (lent_) {
    mutex_.lock_uninterruptibly();
    mutex_.unlock();
  }
}

Slot* State::take_slot() {
  if (!free_slots_.empty()) {
    Slot& slot = *free_slots_.back();
    free_slots_.pop_back();
    ++slot.generation;
    return &slot;
  }
  slots_.emplace_back();
  Slot& slot = slots_.back();
  slot.index = static_cast<std::uint32_t>(slots_.size());
  slot.generation = 1;
  lua_pushcfunction(main_, [](lua_State* L) {
    auto& made = *static_cast<Slot*>(lua_touserdata(L, 1));
    made.thread = lua_newthread(L);
    lua_pushcfunction(made.thread, &on_error);
    luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushboolean(L, 0);
    made.subject_reference = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
  });
  lua_pushlightuserdata(main_, &slot);
  if (lua_pcall(main_, 1, 0, 0) != LUA_OK) {
    lua_pop(main_, 1);
    slots_.pop_back();
    return nullptr;
  }
  return &slot;
}

void State::give_slot(Slot& slot) {
  constexpr std::uint32_t kCallsBetweenLooks = 256;
  if (++calls_ % kCallsBetweenLooks == 0) pace_collector();
  slot.call = nullptr;
  slot.subject = nullptr;
  free_slots_.push_back(&slot);
}

bool State::is_slot_at_rest(lua_State* thread) {
  return lua_status(thread) == LUA_OK && lua_tocfunction(thread, 1) == &on_error;
}

Call* State::find(const void* ticket) const {
  const auto bits = reinterpret_cast<std::uintptr_t>(ticket);
  const std::size_t index = (bits >> 1) & 0xfffff;
  if (index == 0 || index > slots_.size()) return nullptr;
  const Slot& slot = slots_[index - 1];
  return slot.generation == bits >> 21 ? slot.call : nullptr;
}

void State::set_subject(lua_State* L, Slot& slot, Class id) {
  slot.subject = lua_topointer(L, -1);
  slot.subject_class = id;
  lua_rawseti(L, LUA_REGISTRYINDEX, slot.subject_reference);
}

void State::set_busy(const Slot& slot, bool busy) {
  if (slot.subject == nullptr) return;
  push_subject(main_, slot);
  set_class(main_, busy ? Class::busy_subject : slot.subject_class);
  lua_pop(main_, 1);
}

void State::define(lua_State* L, const ClassSpec& spec) {
  lua_newtable(L);
  lua_createtable(L, 0, static_cast<int>(spec.methods.size()));
  for (const luaL_Reg& method : spec.methods) {
    lua_pushcfunction(L, method.func);
    lua_setfield(L, -2, method.name);
  }
  // A function behind __index finds the methods in its first upvalue.
  if (spec.index != nullptr) lua_pushcclosure(L, spec.index, 1);
  if (spec.indexed)
    lua_setfield(L, -2, "__index");
  else
    lua_pop(L, 1);
  if (spec.new_index != nullptr) {
    lua_pushcfunction(L, spec.new_index);
    lua_setfield(L, -2, "__newindex");
  }
  if (spec.pairs != nullptr) {
    lua_pushcfunction(L, spec.pairs);
    lua_setfield(L, -2, "__pairs");
  }
  if (spec.collect != nullptr) {
    lua_pushcfunction(L, spec.collect);
    lua_setfield(L, -2, "__gc");
  }
  if (spec.printable) {
    lua_pushfstring(L, "HAProxy class %s", spec.name);
    lua_pushcclosure(L, &print_class, 1);
    lua_setfield(L, -2, "__tostring");
  }
  class_pointers_[index_of(spec.id)] = lua_topointer(L, -1);
  class_refs_[index_of(spec.id)] = luaL_ref(L, LUA_REGISTRYINDEX);
}

bool State::is(lua_State* L, int index, Class id) const {
  if (lua_getmetatable(L, index) == 0) return false;
  const bool same = lua_topointer(L, -1) == class_pointers_[index_of(id)];
  lua_pop(L, 1);
  return same;
}

void State::drop_later(int reference) {
  const std::lock_guard lock(dropped_mutex_);
  dropped_.push_back(reference);
  has_dropped_.store(true, std::memory_order_relaxed);
}

void State::drop_now() {
  const std::lock_guard lock(dropped_mutex_);
  for (int reference : dropped_) luaL_unref(main_, LUA_REGISTRYINDEX, reference);
  dropped_.clear();
  has_dropped_.store(false, std::memory_order_relaxed);
}

}  // namespace lua

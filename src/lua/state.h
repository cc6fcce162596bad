// One Lua state: shared by all workers under a lock that every wait gives up, or owned by one
// worker. Calls run in slots: pooled Lua threads whose number and generation are the ticket that
// the script's objects hold, so that an object whose call is over is recognised. Everything here is
// touched by the holder of the lock only, except drop_later().
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <lua.hpp>
#include <mutex>
#include <span>
#include <vector>

#include "lua/arguments.h"
#include "lua/memory.h"
#include "rt/sync.h"

namespace lua {

class Call;
class Engine;

enum class Class : std::uint8_t {
  txn,
  dead_subject,
  busy_subject,
  reply,
  fetches,
  string_fetches,
  converters,
  string_converters,
  channel,
  http,
  http_message,
  applet_http,
  applet_tcp,
  socket,
  http_client,
  proxy_list,
  proxy,
  server_list,
  server,
  listener,
  map,
  patref,
  concat,
  regex,
  queue,
  event_sub,
  stick_table,
  count_
};

// What a class consists of. `methods` become the table behind __index unless `index` is given.
struct ClassSpec {
  Class id;
  const char* name;  // "TXN": printed as "HAProxy class TXN"
  std::span<const luaL_Reg> methods;
  lua_CFunction index = nullptr;
  lua_CFunction new_index = nullptr;
  lua_CFunction pairs = nullptr;
  lua_CFunction collect = nullptr;
  bool printable = true;  // has __tostring
  bool indexed = true;    // has __index
};

// A Lua thread that calls reuse, and the ticket of the call that has it now.
struct Slot {
  lua_State* thread = nullptr;
  Call* call = nullptr;
  std::uint32_t index = 0;
  std::uint64_t generation = 0;
  const void* subject = nullptr;  // the transaction or applet of `call`, as lua_topointer()
  Class subject_class = Class::count_;
  int subject_reference = LUA_NOREF;  // the table that stands for it, or for the last one
};

class State {
 public:
  State(Engine& engine, unsigned index);  // index 0: shared; n: worker n - 1
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  static State& of(lua_State* L) { return **static_cast<State**>(lua_getextraspace(L)); }
  Engine& engine() { return engine_; }
  lua_State* main() { return main_; }
  unsigned index() const { return index_; }
  bool shared() const { return index_ == 0; }

  void lock() {
    if (shared())
      mutex_.lock_uninterruptibly();
    else if (lent_)
      wait_for_return();
    if (has_dropped_.load(std::memory_order_relaxed)) drop_now();
  }
  bool try_lock() {
    if (shared() ? !mutex_.try_lock() : lent_) return false;
    if (has_dropped_.load(std::memory_order_relaxed)) drop_now();
    return true;
  }
  void unlock() {
    if (shared()) mutex_.unlock();
  }
  bool contended() const { return shared() && mutex_.contended(); }
  // While another thread works for the running call, which keeps the state: the worker's other
  // calls wait as for a shared one.
  void lend();
  void take_back();

  Call* current = nullptr;  // the innermost call of the fiber that holds the lock

  Slot* take_slot();  // null: out of memory
  void give_slot(Slot& slot);
  // Whether it is a slot's that no call has: scripts that kept it must leave it alone.
  static bool is_slot_at_rest(lua_State* thread);
  // The call that `ticket` belongs to, null when it is over.
  Call* find(const void* ticket) const;
  // The table that stands for a slot's transaction or applet.
  static void push_subject(lua_State* L, const Slot& slot) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, slot.subject_reference);
  }
  static void set_subject(lua_State* L, Slot& slot, Class id);  // pops it
  // While the slot's call waits, others get no members of its transaction or applet.
  void set_busy(const Slot& slot, bool busy);

  void define(lua_State* L, const ClassSpec& spec);
  // Gives the table on top of the stack its class.
  void set_class(lua_State* L, Class id) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, class_refs_[static_cast<std::size_t>(id)]);
    lua_setmetatable(L, -2);
  }
  void push_class(lua_State* L, Class id) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, class_refs_[static_cast<std::size_t>(id)]);
  }
  // Whether the value at `index` is an object of the class.
  bool is(lua_State* L, int index, Class id) const;

  // Frees a registry reference at the next opportunity. Any thread.
  void drop_later(int reference);

  std::size_t memory() const { return memory_.used(); }  // any thread
  std::uint64_t allocated() const { return memory_.allocated(); }
  ArgumentCache arguments;

 private:
  static void* allocate(void* state, void* block, std::size_t old_size, std::size_t size);
  void open_libraries();
  void drop_now();
  void wait_for_return();
  void pace_collector();

  Engine& engine_;
  unsigned index_;
  rt::FiberMutex mutex_;  // the shared state's, or of one that is lent
  bool lent_ = false;     // its worker's
  lua_State* main_ = nullptr;
  Memory memory_;
  std::uint32_t calls_ = 0;
  std::deque<Slot> slots_;
  std::vector<Slot*> free_slots_;
  std::array<int, static_cast<std::size_t>(Class::count_)> class_refs_;
  std::array<const void*, static_cast<std::size_t>(Class::count_)> class_pointers_{};

  std::mutex dropped_mutex_;
  std::vector<int> dropped_;
  std::atomic<bool> has_dropped_{false};
};

// Every class, in class/*.cc; listed in class/all.cc.
void define_classes(lua_State* L);

}  // namespace lua

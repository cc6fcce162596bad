// Time slices without a cost for each instruction: a timer of each worker's CPU time sends that
// thread a signal every few milliseconds; where it finds a script running, it asks Lua to call the
// slice hook at the next instruction, which gives the state up or ends the call. Thread-local.
#pragma once

#include <cstdint>
#include <lua.hpp>

namespace lua::slice {

inline constexpr std::uint32_t kTickMs = 4;

// What the signal handler looks at.
struct Present {
  lua_State* volatile thread = nullptr;  // the Lua thread that runs on this thread right now
  volatile std::uint32_t ticks = 0;      // since it was last asked
  lua_State* volatile asked = nullptr;   // the one whose hook is set and has not run yet
  bool armed = false;
  lua_State* volatile resting = nullptr;  // the one that is left alone for `rest` ticks
  volatile std::uint32_t rest = 0;
};
extern constinit thread_local Present present;

// Gives this thread its timer. Workers only.
void arm_slow();
inline void arm() {
  if (!present.armed) arm_slow();
}

// Asks for the slice hook at the very next instruction of L.
void interrupt(lua_State* L);
// What is set on a Lua thread when nothing is urgent: nothing, or a count (tune.lua.forced-yield).
void set_usual_hook(lua_State* L, std::uint32_t forced_yield);

}  // namespace lua::slice

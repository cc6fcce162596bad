#include "lua/slice.h"

#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "lua/call.h"
#include "lua/engine.h"
#include "rt/watchdog.h"

#if defined(__SANITIZE_THREAD__)
#define MOONGATE_COUNTED_SLICES 1
#endif

namespace lua::slice {

constinit thread_local Present present;

namespace {

void hook(lua_State* L, lua_Debug*) {
  State& state = State::of(L);
  present.asked = nullptr;
  set_usual_hook(L, state.engine().settings().forced_yield);
  if (state.current != nullptr) state.current->slice(L);
}

#if defined(MOONGATE_COUNTED_SLICES)
// ThreadSanitizer holds signals back until the next intercepted call, which a loop may never make:
// the clock is looked at every so many instructions, of which each may be one that raises.
constexpr int kInstructionsPerLook = 500;
thread_local std::int64_t last_tick_ns = 0;

void counted_hook(lua_State* L, lua_Debug* debug) {
  constexpr std::int64_t kTickNs = kTickMs * 1'000'000;
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  const std::int64_t now = used.tv_sec * 1'000'000'000 + used.tv_nsec;
  if (now - last_tick_ns < kTickNs) return;
  last_tick_ns = now;
  present.ticks = present.ticks + 1;  // no more: what else the thread did since is not the script's
  hook(L, debug);
}
#else
// For the watchdog, in a signal handler: what is asked of Lua here neither allocates nor raises. A
// function that is being carried out may be anywhere in an instruction, and its line is not known;
// those that have called another are at rest.
void tell_what_runs(lua_State* L) {
  char text[200];
  const Call* call = State::of(L).current;
  const std::string_view label = call != nullptr ? call->label() : "Lua";
  const auto label_size = static_cast<int>(label.size());
  lua_Debug at;
  for (int level = 0; lua_getstack(L, level, &at) != 0; ++level) {
    if (lua_getinfo(L, level == 0 ? "S" : "Sl", &at) == 0 || *at.what == 'C') continue;
    const int size =
        level == 0
            ? std::snprintf(text, sizeof text, "%.*s, in the function at %s:%d", label_size,
                            label.data(), at.short_src, at.linedefined)
            : std::snprintf(text, sizeof text, "%.*s, at %s:%d (in the function at line %d)",
                            label_size, label.data(), at.short_src, at.currentline, at.linedefined);
    return rt::describe({text, std::min(static_cast<std::size_t>(size), sizeof text - 1)});
  }
  rt::describe(label);
}

std::uint32_t microseconds_run() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<std::uint32_t>(now.tv_sec * 1'000'000 + now.tv_nsec / 1000);
}

void on_tick(int) {
  if (present.thread == nullptr) return;
  if (rt::asked_what()) tell_what_runs(present.thread);
  // Setting a hook walks the whole call stack: never again while a deep one has not come to it, and
  // not more than a fifth of the time.
  constexpr std::uint32_t kAskAgain = 16, kRestForEach = 4;
  present.ticks = present.ticks + 1;
  if (present.asked == present.thread && present.ticks % kAskAgain != 0) return;
  if (present.resting == present.thread && present.rest != 0) {
    present.rest = present.rest - 1;
    return;
  }
  present.asked = present.thread;
  const std::uint32_t before = microseconds_run();
  interrupt(present.thread);
  present.rest = (microseconds_run() - before) * kRestForEach / (kTickMs * 1000);
  present.resting = present.thread;
}

struct Timer {
  timer_t id{};
  bool made = false;
  ~Timer() {
    if (made) timer_delete(id);
  }
};
thread_local Timer timer;
#endif

}  // namespace

void interrupt(lua_State* L) { lua_sethook(L, &hook, LUA_MASKCOUNT, 1); }

#if defined(MOONGATE_COUNTED_SLICES)
void set_usual_hook(lua_State* L, std::uint32_t forced_yield) {
  if (forced_yield != 0)
    lua_sethook(L, &hook, LUA_MASKCOUNT, static_cast<int>(forced_yield));
  else if (lua_gethook(L) != &counted_hook)  // for setting one walks the whole call stack
    lua_sethook(L, &counted_hook, LUA_MASKCOUNT, kInstructionsPerLook);
}

void arm_slow() { present.armed = true; }
#else
void set_usual_hook(lua_State* L, std::uint32_t forced_yield) {
  if (forced_yield != 0)
    lua_sethook(L, &hook, LUA_MASKCOUNT, static_cast<int>(forced_yield));
  else
    lua_sethook(L, nullptr, 0, 0);
}

void arm_slow() {
  present.armed = true;
  static const bool handled = [] {
    struct sigaction action {};
    action.sa_handler = &on_tick;
    action.sa_flags = SA_RESTART;
    return sigaction(SIGVTALRM, &action, nullptr) == 0;
  }();
  if (!handled) return;
  sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = SIGVTALRM;
  event._sigev_un._tid = static_cast<pid_t>(syscall(SYS_gettid));
  if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer.id) != 0) return;
  timer.made = true;
  itimerspec every{};
  every.it_interval.tv_nsec = every.it_value.tv_nsec = kTickMs * 1'000'000L;
  timer_settime(timer.id, 0, &every, nullptr);
}
#endif

}  // namespace lua::slice

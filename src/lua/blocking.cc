// Functions of io and os that would stop a worker: once the proxy runs they are done on a helper
// thread while the call waits (tune.lua.blocking-io).
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>

#include "lua/call.h"
#include "lua/engine.h"
#include "lua/library.h"
#include "lua/stack.h"
#include "rt/io.h"
#include "rt/worker.h"

namespace lua {

namespace {

// Whether the original may be called right here.
bool run_here(lua_State* L, const char* name) {
  if (rt::current() == nullptr) return true;
  switch (State::of(L).engine().settings().blocking) {
    case BlockingCalls::allow:
      return true;
    case BlockingCalls::deny:
      luaL_error(L, "'%s' is denied while the proxy runs", name);
      break;
    case BlockingCalls::offload:
      break;
  }
  return false;
}

// As luaL_fileresult(), with an errno from another thread.
int push_outcome(lua_State* L, bool good, int error, const std::string& name) {
  errno = error;
  return luaL_fileresult(L, good, name.empty() ? nullptr : name.c_str());
}

// In the frame of the caller, so that errors name what the script called.
int call_original(lua_State* L) { return lua_tocfunction(L, lua_upvalueindex(1))(L); }

// Does `work`, which sets errno, elsewhere.
template <class Work>
int elsewhere(lua_State* L, const char* name, Work work, int& error) {
  Call& call = current_call(L, name);
  int result = 0;
  {
    const Unlocked unlocked;
    rt::offload([&] {
      errno = 0;
      result = work();
      error = errno;
    });
  }
  call.check_cancelled(L);
  return result;
}

int os_execute(lua_State* L) {
  if (lua_isnoneornil(L, 1) || run_here(L, "os.execute")) return call_original(L);
  const std::string command(check_text(L, 1));
  int error = 0;
  const int status = elsewhere(
      L, "os.execute", [&] { return system(command.c_str()); }, error);
  errno = error;
  return luaL_execresult(L, status);
}

int os_remove(lua_State* L) {
  if (run_here(L, "os.remove")) return call_original(L);
  const std::string name(check_text(L, 1));
  int error = 0;
  const int status = elsewhere(
      L, "os.remove", [&] { return std::remove(name.c_str()); }, error);
  return push_outcome(L, status == 0, error, name);
}

int os_rename(lua_State* L) {
  if (run_here(L, "os.rename")) return call_original(L);
  const std::string from(check_text(L, 1)), to(check_text(L, 2));
  int error = 0;
  const int status = elsewhere(
      L, "os.rename", [&] { return std::rename(from.c_str(), to.c_str()); }, error);
  return push_outcome(L, status == 0, error, {});
}

// While one exists the state is a helper thread's. The collector rests: what it frees belongs to
// workers, and so do finalizers.
class Lending {
 public:
  explicit Lending(lua_State* L)
      : L_(L),
        state_(State::of(L)),
        running_(slice::present.thread),
        was_collecting_(lua_gc(L, LUA_GCISRUNNING) == 1) {
    if (was_collecting_) lua_gc(L, LUA_GCSTOP);
    slice::present.thread = nullptr;
    state_.lend();
  }
  ~Lending() {
    state_.take_back();
    slice::present.thread = running_;
    if (was_collecting_) lua_gc(L_, LUA_GCRESTART);
  }
  Lending(const Lending&) = delete;
  Lending& operator=(const Lending&) = delete;

 private:
  lua_State* L_;
  State& state_;
  lua_State* running_;
  bool was_collecting_;
};

// Files: Lua's own function runs on the helper thread. It works on the state, which the call
// therefore keeps; the worker goes on with what needs no script.
int run_file_function(lua_State* L, lua_CFunction function) {
  if (run_here(L, "io")) return function(L);
  const Lending lending(L);
  int count = 0;
  rt::offload([&] { count = function(L); });
  return count;
}

int file_function(lua_State* L) { return run_file_function(L, &call_original); }

// A pipe or a terminal may have nothing for long: until it has, others get the state. Pops the
// file from the stack.
void wait_for_input(lua_State* L) {
  const auto* file = static_cast<luaL_Stream*>(luaL_testudata(L, -1, LUA_FILEHANDLE));
  lua_pop(L, 1);
  if (file == nullptr || file->closef == nullptr || run_here(L, "io")) return;
  if (file->f->_IO_read_ptr < file->f->_IO_read_end) return;
  const int fd = fileno(file->f);
  struct stat status {};
  if (fstat(fd, &status) != 0 || S_ISREG(status.st_mode)) return;
  const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return;
  Call& call = current_call(L, "read");
  try {
    const Unlocked unlocked;
    rt::Descriptor input(copy);
    (void)input.wait_readable(rt::kNever);
  } catch (const std::system_error&) {  // none that can be waited for
  }
  call.check_cancelled(L);
}

int file_read(lua_State* L) {
  lua_pushvalue(L, 1);
  wait_for_input(L);
  return file_function(L);
}

int io_read(lua_State* L) {
  lua_getfield(L, LUA_REGISTRYINDEX, "_IO_input");
  wait_for_input(L);
  return file_function(L);
}

int next_line(lua_State* L) {
  if (lua_getupvalue(L, lua_upvalueindex(1), 1) != nullptr) wait_for_input(L);
  return run_file_function(L, [](lua_State* inner) {
    lua_settop(inner, 0);
    lua_pushvalue(inner, lua_upvalueindex(1));
    lua_call(inner, 0, LUA_MULTRET);
    return lua_gettop(inner);
  });
}

// io.lines() and file:lines(): what they give reads as well.
int lines_function(lua_State* L) {
  const int count = file_function(L);
  const int first = lua_gettop(L) - count + 1;
  lua_pushvalue(L, first);
  lua_pushcclosure(L, &next_line, 1);
  lua_replace(L, first);
  return count;
}

// What closes a file that is a command: it waits for the end of the command.
std::atomic<lua_CFunction> close_command{nullptr};

int io_popen(lua_State* L) {
  const int count = file_function(L);
  const auto* file = static_cast<luaL_Stream*>(luaL_testudata(L, -count, LUA_FILEHANDLE));
  if (file != nullptr) close_command = file->closef;
  return count;
}

// The collector waits for no command, wherever it runs.
int collect_file(lua_State* L) {
  auto* file = static_cast<luaL_Stream*>(luaL_testudata(L, 1, LUA_FILEHANDLE));
  if (file == nullptr || file->closef == nullptr || file->closef != close_command.load() ||
      rt::this_worker() == nullptr)
    return call_original(L);
  file->closef = nullptr;
  rt::run_on_helper([command = file->f] { pclose(command); });
  return 0;
}

void wrap(lua_State* L, const char* name, lua_CFunction function) {
  if (lua_getfield(L, -1, name) != LUA_TFUNCTION) {
    lua_pop(L, 1);
    return;
  }
  lua_pushcclosure(L, function, 1);
  lua_setfield(L, -2, name);
}

}  // namespace

void replace_blocking_functions(lua_State* L) {
  if (lua_getglobal(L, LUA_OSLIBNAME) == LUA_TTABLE) {
    wrap(L, "execute", &os_execute);
    wrap(L, "remove", &os_remove);
    wrap(L, "rename", &os_rename);
  }
  lua_pop(L, 1);
  if (lua_getglobal(L, LUA_IOLIBNAME) == LUA_TTABLE) {
    for (const char* name : {"close", "flush", "input", "open", "output", "tmpfile", "write"})
      wrap(L, name, &file_function);
    wrap(L, "lines", &lines_function);
    wrap(L, "popen", &io_popen);
    wrap(L, "read", &io_read);
  }
  lua_pop(L, 1);
  if (luaL_getmetatable(L, LUA_FILEHANDLE) == LUA_TTABLE) {
    if (lua_getfield(L, -1, "__index") == LUA_TTABLE) {
      for (const char* name : {"write", "close", "flush", "seek"}) wrap(L, name, &file_function);
      wrap(L, "lines", &lines_function);
      wrap(L, "read", &file_read);
    }
    lua_pop(L, 1);
    wrap(L, "__gc", &collect_file);
    wrap(L, "__close", &file_function);
  }
  lua_pop(L, 1);
}

}  // namespace lua

#include "lua/log.h"

#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include "lua/stack.h"

namespace lua {

void log_line(Engine& engine, const state::Proxy* proxy, obs::Level level, std::string_view text) {
  std::string line(text);
  for (char& c : line)
    if (c < 0x20 || c == 0x7f) c = '.';  // bytes above ASCII too, as the reference
  const Settings& settings = engine.settings();
  const bool logged = settings.log_to_loggers && engine.environment().log &&
                      engine.environment().log(proxy, level, line);
  if (settings.log_to_stderr == LogToStderr::off ||
      (settings.log_to_stderr == LogToStderr::automatic && logged) || level == obs::Level::debug)
    return;
  const time_t now = time(nullptr);
  tm local{};
  localtime_r(&now, &local);
  const std::string out =
      fmt::format("[{}] {:03}/{:02}{:02}{:02} ({}) : {}\n", obs::name_of(level), local.tm_yday,
                  local.tm_hour, local.tm_min, local.tm_sec, getpid(), line);
  if (write(STDERR_FILENO, out.data(), out.size()) < 0) return;  // nowhere left to say so
}

obs::Level check_level(lua_State* L, int index) {
  const lua_Integer level = luaL_checkinteger(L, index);
  if (level < 0 || level > 7) luaL_argerror(L, index, "Invalid loglevel.");
  return static_cast<obs::Level>(level);
}

}  // namespace lua

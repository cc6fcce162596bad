// What the configuration says about scripts (tune.lua.*). Filled by app/ before the first script is
// loaded, constant then.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace lua {

enum class LogToStderr : std::uint8_t { off, automatic, on };
enum class BlockingCalls : std::uint8_t { offload, allow, deny };

struct Settings {
  std::size_t maximum_memory = 0;  // bytes for each state, 0 unlimited
  std::chrono::milliseconds burst_timeout{1000};
  std::chrono::milliseconds session_timeout{4000};
  std::chrono::milliseconds service_timeout{4000};
  std::chrono::milliseconds task_timeout{0};
  std::uint32_t forced_yield = 0;    // instructions; 0: by time alone
  bool booleans_as_integers = true;  // tune.lua.bool-sample-conversion pre-3.1-bug
  std::string libraries = "all";     // tune.lua.openlibs, checked by the parser
  bool log_to_loggers = true;
  LogToStderr log_to_stderr = LogToStderr::automatic;
  BlockingCalls blocking = BlockingCalls::offload;
};

}  // namespace lua

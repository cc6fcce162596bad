#include <fmt/format.h>
#include <unistd.h>

#include <mutex>
#include <string>

#include "obs/log.h"

namespace obs {
namespace {

struct Startup {
  std::mutex mutex;
  std::string text;
  bool over = false;
};
Startup& startup() {
  static Startup s;
  return s;
}

std::string_view title(Level level) {
  if (level <= Level::err) return "[ALERT]   ";
  if (level == Level::warning) return "[WARNING] ";
  return level == Level::debug ? "[DEBUG]   " : "[NOTICE]  ";
}

void print(std::string_view text) {
  while (!text.empty()) {
    ssize_t done = ::write(STDERR_FILENO, text.data(), text.size());
    if (done <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(done));
  }
}

}  // namespace

void report_rendered(std::string_view text) {
  {
    std::lock_guard lock(startup().mutex);
    if (!startup().over) startup().text.append(text);
  }
  print(text);
}

void report(Level level, std::string_view text) {
  report_rendered(fmt::format("{} ({}) : {}\n", title(level), ::getpid(), text));
}

void end_of_startup() {
  std::lock_guard lock(startup().mutex);
  startup().over = true;
}

std::string startup_messages() {
  std::lock_guard lock(startup().mutex);
  return startup().text;
}

}  // namespace obs

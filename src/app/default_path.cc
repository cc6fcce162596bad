#include "app/default_path.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace app {

DefaultPath::DefaultPath(const GlobalSettings& settings, config::Diagnostics& diagnostics)
    : settings_(settings), diagnostics_(diagnostics) {
  if (settings.default_path_mode != "current")
    home_ = ::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

DefaultPath::~DefaultPath() {
  if (home_ < 0) return;
  if (::fchdir(home_) != 0) diagnostics_.alert({}, "cannot return to the folder of the start.");
  ::close(home_);
}

void DefaultPath::enter(const config::SourceFile* file) {
  if (home_ < 0 || file == file_ || file == nullptr) return;
  file_ = file;
  std::string folder = settings_.default_path_origin;
  if (settings_.default_path_mode != "origin") {
    const std::size_t slash = file->name.rfind('/');
    folder = slash == std::string::npos ? "." : file->name.substr(0, slash + 1);
    if (settings_.default_path_mode == "parent") folder += folder == "." ? "/.." : "..";
  }
  if (::fchdir(home_) != 0 || ::chdir(folder.c_str()) != 0)
    diagnostics_.alert({file, 1, 0}, fmt::format("'default-path' : cannot change to '{}' : {}.",
                                                 folder, std::strerror(errno)));
}

}  // namespace app

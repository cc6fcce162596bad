// "default-path" (the manual's section 3.1): while a file's sections are read, relative paths begin
// elsewhere. Changes the working folder of the process and gives it back at the end of its scope.
#pragma once

#include <string>

#include "app/global/settings.h"
#include "config/diagnostics.h"
#include "config/source.h"

namespace app {

class DefaultPath {
 public:
  DefaultPath(const GlobalSettings& settings, config::Diagnostics& diagnostics);
  ~DefaultPath();
  DefaultPath(const DefaultPath&) = delete;
  DefaultPath& operator=(const DefaultPath&) = delete;

  // What follows was written in `file`.
  void enter(const config::SourceFile* file);

 private:
  const GlobalSettings& settings_;
  config::Diagnostics& diagnostics_;
  int home_ = -1;  // descriptor of the folder the process was in
  const config::SourceFile* file_ = nullptr;
};

}  // namespace app

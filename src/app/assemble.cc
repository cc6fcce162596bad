#include "app/assemble.h"

#include <fmt/format.h>

#include "app/sections/section.h"

namespace app {

GlobalSettings read_settings(const config::Tree& tree, const CommandLine& line,
                             config::Diagnostics& diagnostics) {
  GlobalSettings settings;
  settings.local_peer = line.peer;
  for (const config::Section& section : tree.sections)
    if (section.head[0] == "global") read_global(section, settings, diagnostics);
  if (!line.peer.empty()) settings.local_peer = line.peer;
  if (!line.pidfile.empty()) settings.pidfile = line.pidfile;
  if (line.maximum > 0) settings.maximum = line.maximum;
  settings.daemon = (settings.daemon || line.daemon) && !line.foreground;
  settings.quiet = (settings.quiet || line.quiet) && !line.verbose;
  settings.zero_warning = settings.zero_warning || line.zero_warning;
  settings.insecure_fork = settings.insecure_fork || line.insecure_fork;
  return settings;
}

void assemble(const config::Tree& tree, const GlobalSettings&, config::Diagnostics& diagnostics) {
  for (const config::Section& section : tree.sections)
    if (section.head[0] != "global")
      diagnostics.alert(section.head.at(),
                        fmt::format("section '{}' is not supported yet.", section.head[0]));
}

}  // namespace app

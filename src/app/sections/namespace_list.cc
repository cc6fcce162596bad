// "namespace_list" sections: the network namespaces that PROXY headers may name beside those of
// "bind" and "server" lines.
#include <fmt/format.h>

#include "app/sections/other.h"
#include "config/arguments.h"
#include "net/network_namespace.h"

namespace app {

void read_namespaces(const config::Section& section, Assembly& assembly) {
  for (const config::Line& line : section.lines) {
    config::Arguments args(line, assembly.diagnostics);
    if (line[0] != "namespace") {
      assembly.diagnostics.alert(
          line.at(), fmt::format("unknown keyword '{}' in 'namespace_list' section", line[0]));
      continue;
    }
    const auto name = args.text("namespace");
    if (!name) continue;
    if (!net::open_namespace(*name))
      args.error_at_previous(fmt::format("Cannot open namespace '{}'.", *name));
    else
      args.expect_end();
  }
}

}  // namespace app

// The file that "show servers state" of an earlier process was written to (manual,
// "load-server-state-from-file"): addresses, weights and states that servers take over.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "upstream/backend.h"

namespace upstream {

class StateFile {
 public:
  // An empty path: nothing is known. What cannot be read is warned about.
  StateFile(const std::string& path, config::Diagnostics& diagnostics);

  // The last address of a server, as text; empty when unknown.
  std::string address_of(const Server& server) const;
  // Administrative state, weight, health. After checks and balancer exist.
  void apply(Server& server) const;

 private:
  using Row = std::vector<std::string>;
  const Row* row_of(const Server& server) const;

  std::map<std::string, Row> rows_;  // by "backend/server"
};

}  // namespace upstream

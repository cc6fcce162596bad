// What "log backend@name" writes to: each line goes to the server that the backend's algorithm
// chooses, as a datagram or, where the server is a stream, through a ring of its own. Made by
// Backend::prepare(); lives as long as the backend.
#pragma once

#include <memory>
#include <vector>

#include "obs/ring.h"
#include "upstream/backend.h"
#include "upstream/balance/log.h"

namespace upstream {

class LogOutlet final : public obs::LogOutlet {
 public:
  LogOutlet(Backend& backend, LogBalancer& balancer);
  bool write(std::string_view line) override;

 private:
  LogBalancer& balancer_;
  std::vector<std::shared_ptr<obs::Ring>> rings_;  // by server index; null for datagrams
};

}  // namespace upstream

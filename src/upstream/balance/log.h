// The algorithms of log backends ("mode log"): they choose a server for a line instead of for a
// request, take no slots and never wait. All workers at once.
#pragma once

#include <string_view>

#include "upstream/balance/balance.h"

namespace upstream {

class LogBalancer : public Balancer {
 public:
  Server* pick(PickContext&) final { return nullptr; }  // no request comes here
  // Null: nobody takes lines now.
  virtual Server* pick_for(std::string_view line) = 0;
};

// One constructor for each, in the file of its name; round robin and random are in log.cc.
std::unique_ptr<LogBalancer> make_log_sticky(Backend& backend);
std::unique_ptr<LogBalancer> make_log_hash(Backend& backend);

// From settings.balance. Null with a report when it is not one for lines.
std::unique_ptr<LogBalancer> make_log_balancer(Backend& backend, config::Diagnostics& diagnostics);

}  // namespace upstream

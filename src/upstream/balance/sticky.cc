// balance sticky: all lines to one server for as long as it is there. Who comes back goes to the
// end of the list.
#include <algorithm>

#include "upstream/balance/log.h"

namespace upstream {

namespace {

class Sticky final : public LogBalancer {
 public:
  explicit Sticky(Backend& backend) : backend_(backend) {}

  Server* pick_for(std::string_view) override { return first_.load(std::memory_order_acquire); }

  void update() override {
    const std::vector<Server*> usable = usable_servers(backend_);
    const auto contains = [](const std::vector<Server*>& list, Server* server) {
      return std::find(list.begin(), list.end(), server) != list.end();
    };
    std::erase_if(order_, [&](Server* server) { return !contains(usable, server); });
    for (Server* server : usable)
      if (!contains(order_, server)) order_.push_back(server);
    first_.store(order_.empty() ? nullptr : order_.front(), std::memory_order_release);
  }

 private:
  Backend& backend_;
  std::vector<Server*> order_;  // one update at a time
  std::atomic<Server*> first_{nullptr};
};

}  // namespace

std::unique_ptr<LogBalancer> make_log_sticky(Backend& backend) {
  return std::make_unique<Sticky>(backend);
}

}  // namespace upstream

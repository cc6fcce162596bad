// balance static-rr: as roundrobin, with weights that only the configuration sets.
#include "upstream/balance/balance.h"

namespace upstream {

namespace {

class StaticRoundRobin final : public Balancer {
 public:
  explicit StaticRoundRobin(Backend& backend) : turns_(make_roundrobin(backend)) {}
  Server* pick(PickContext& pick) override { return turns_->pick(pick); }
  void update() override { turns_->update(); }
  bool dynamic() const override { return false; }

 private:
  std::unique_ptr<Balancer> turns_;
};

}  // namespace

std::unique_ptr<Balancer> make_static_rr(Backend& backend) {
  return std::make_unique<StaticRoundRobin>(backend);
}

}  // namespace upstream

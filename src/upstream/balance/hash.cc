// balance hash <expression>: whatever a sample expression gives.
#include "expr/expression.h"
#include "upstream/balance/hashed.h"

namespace upstream {

namespace {

class Hash final : public HashedBalancer {
 public:
  using HashedBalancer::HashedBalancer;

 private:
  std::optional<std::uint32_t> key(PickContext& pick) override {
    state::Value value;
    const BackendSettings& settings = backend_.settings;
    expr::Context context{backend_.registry(), pick.exchange.arena};
    context.session = &pick.exchange.session;
    context.exchange = &pick.exchange;
    context.proxy = &backend_.state();
    if (!settings.hash_expression->evaluate(context, value)) return std::nullopt;
    const state::Type wanted =
        settings.hash_function == HashFunction::none || value.type == state::Type::string
            ? state::Type::string
            : state::Type::binary;
    if (!expr::cast(value, wanted, pick.exchange.arena) || value.text.empty()) return std::nullopt;
    return hash(value.text);
  }
};

}  // namespace

std::unique_ptr<Balancer> make_hash(Backend& backend) { return std::make_unique<Hash>(backend); }

}  // namespace upstream

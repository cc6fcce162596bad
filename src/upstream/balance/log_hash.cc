// balance log-hash: converters make a key of the line, its hash designates the server.
#include "base/hash.h"
#include "expr/expression.h"
#include "upstream/balance/hashed.h"
#include "upstream/balance/log.h"
#include "upstream/hash.h"

namespace upstream {

namespace {

class LogHash final : public LogBalancer {
 public:
  explicit LogHash(Backend& backend) : backend_(backend) {}

  Server* pick_for(std::string_view line) override {
    const std::vector<Server*>* map = map_.get();
    if (map == nullptr || map->empty()) return nullptr;
    base::Arena arena;
    expr::Context context{.registry = backend_.registry(), .arena = arena};
    const BackendSettings& settings = backend_.settings;
    expr::Value key = expr::Value::str(line);
    if (!settings.hash_expression->convert(context, key) ||
        !expr::cast(key, expr::Type::string, arena))
      key = expr::Value::str({});
    const std::uint32_t hash = hash_of(settings.hash_function, key.text);
    return (*map)[(settings.hash_avalanche ? base::avalanche(hash) : hash) % map->size()];
  }

  void update() override {
    const std::vector<Server*> servers = usable_servers(backend_);
    map_.publish(std::make_unique<const std::vector<Server*>>(
        hash_layout(servers, reduced_weights(servers, 0))));
  }

 private:
  Backend& backend_;
  Published<std::vector<Server*>> map_;
};

}  // namespace

std::unique_ptr<LogBalancer> make_log_hash(Backend& backend) {
  return std::make_unique<LogHash>(backend);
}

}  // namespace upstream

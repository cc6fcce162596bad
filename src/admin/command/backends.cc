// Which backends the rules of other proxies see: publish, unpublish.
#include "admin/command/families.h"
#include "state/registry.h"

namespace admin {
namespace {

// True when the command applies; else the refusal is printed.
bool set_published(Call& call, bool published) {
  state::Proxy* backend = call.env.registry.find(call.arg(0), state::kBackend);
  if (backend == nullptr) {
    call.error("No such backend.");
    return false;
  }
  if (backend->disabled.load()) {
    call.error("No effect on a disabled backend.");
    return false;
  }
  backend->unpublished = !published;
  return true;
}

void publish(Call& call) {
  if (set_published(call, true)) call.notice("Backend published.");
}
void unpublish(Call& call) {
  if (set_published(call, false)) call.notice("Backend unpublished.");
}

constexpr Command kCommands[] = {
    {{"publish backend", "<backend>", "let rules switch to a backend"}, Access::admin, publish},
    {{"unpublish backend", "<backend>", "have rules pass over a backend"},
     Access::admin,
     unpublish},
};

}  // namespace

std::span<const Command> backend_commands() { return kCommands; }

}  // namespace admin

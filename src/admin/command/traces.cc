// trace, show trace.
#include "admin/command/families.h"
#include "obs/trace_command.h"

namespace admin {
namespace {

void tell(Call& call, const obs::trace::Answer& answer) {
  if (answer.kind == obs::trace::Answer::Kind::mistake) return call.error(answer.text);
  if (answer.kind == obs::trace::Answer::Kind::listing) call.print(answer.text);
}

void trace(Call& call) { tell(call, obs::trace::command(call.args)); }
void show_trace(Call& call) { tell(call, obs::trace::show(call.arg(0))); }

constexpr Command kCommands[] = {
    {{"show trace", "[<module>]", "show live tracing state"}, Access::user, show_trace},
    {{"trace", "[<module>|0] [cmd [args...]]",
      "manage live tracing (empty to list, 0 to stop all)"},
     Access::operator_,
     trace},
};

}  // namespace

std::span<const Command> trace_commands() { return kCommands; }

}  // namespace admin

// What it costs to serve an exchange, and how busy the workers are (manual section 7.3.2). The
// names of costs, where they are written, have them measured.
#include "rt/cost.h"

#include "expr/fetch/support.h"
#include "expr/fetch/tables.h"
#include "rt/watchdog.h"

namespace expr::fetch {
namespace {

bool ask(std::vector<Argument>&, std::string&) {
  rt::need_costs();
  return true;
}

bool cost_of(Context& context, rt::Cost& out) {
  const txn::Exchange* exchange = stream_of(context);
  if (exchange == nullptr || exchange->engine == nullptr) return false;
  out = exchange->engine->cost();
  return true;
}

bool calls(Args, Context& context, Value& out, const FetchRow&) {
  rt::Cost cost;
  return cost_of(context, cost) && give(out, static_cast<std::int64_t>(cost.runs));
}
template <rt::Duration rt::Cost::*Part, bool average>
bool time(Args, Context& context, Value& out, const FetchRow&) {
  rt::Cost cost;
  if (!cost_of(context, cost)) return false;
  if (rt::profiling() == rt::Profiling::off || cost.runs == 0) return give(out, 0);
  const std::int64_t sum = (cost.*Part).count();
  return give(out, average ? sum / static_cast<std::int64_t>(cost.runs) : sum);
}

bool worker_usage(Args, Context&, Value& out, const FetchRow&) {
  return give(out, rt::worker_load());
}
bool all_usage(Args, Context&, Value& out, const FetchRow&) { return give(out, rt::load_of_all()); }

using rt::Cost;
// clang-format off
constexpr FetchRow kRows[] = {
    {{"cpu_calls", "", "How often the fiber of this exchange was given the processor."},
     Type::integer, kInternal, calls, ask},
    {{"cpu_ns_avg", "", "Nanoseconds that it computed, on average of these times."},
     Type::integer, kInternal, time<&Cost::computing, true>, ask},
    {{"cpu_ns_tot", "", "Nanoseconds that it computed in all; 0 with profiling.tasks off."},
     Type::integer, kInternal, time<&Cost::computing, false>, ask},
    {{"cpu_usage_grp", "", "As cpu_usage_proc: there is one group of threads."},
     Type::integer, kInternal, all_usage},
    {{"cpu_usage_proc", "", "Percent of the last moments that threads were busy, on average."},
     Type::integer, kInternal, all_usage},
    {{"cpu_usage_thr", "", "Percent of the last moments that this thread was busy."},
     Type::integer, kInternal, worker_usage},
    {{"lat_ns_avg", "", "Nanoseconds from a wake-up until the fiber ran, on average."},
     Type::integer, kInternal, time<&Cost::waiting, true>, ask},
    {{"lat_ns_tot", "", "Nanoseconds from its wake-ups until it ran; 0 with profiling.tasks off."},
     Type::integer, kInternal, time<&Cost::waiting, false>, ask},
};
// clang-format on

}  // namespace

std::span<const FetchRow> cost_fetches() { return kRows; }

}  // namespace expr::fetch

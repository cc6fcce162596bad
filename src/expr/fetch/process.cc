// Samples about the process and its threads (manual section 7.3.2).
#include <unistd.h>

#include "expr/fetch/support.h"
#include "expr/fetch/tables.h"
#include "rt/worker.h"

namespace expr::fetch {
namespace {

bool act_conn(Args, Context& context, Value& out, const FetchRow&) {
  return give(out, context.registry.process().connections.load(std::memory_order_relaxed));
}
bool hostname(Args, Context& context, Value& out, const FetchRow&) {
  return give_text(out, host_name(context.arena));
}
bool one(Args, Context&, Value& out, const FetchRow&) { return give(out, 1); }
bool zero(Args, Context&, Value& out, const FetchRow&) { return give(out, 0); }
bool no(Args, Context&, Value& out, const FetchRow&) { return give_bool(out, false); }
bool pid(Args, Context&, Value& out, const FetchRow&) { return give(out, getpid()); }
bool thread(Args, Context&, Value& out, const FetchRow&) { return give(out, rt::worker_index()); }
bool stopping(Args, Context& context, Value& out, const FetchRow&) {
  return give_bool(out, context.registry.process().stopping.load(std::memory_order_relaxed));
}
bool uptime(Args, Context& context, Value& out, const FetchRow&) {
  std::int64_t start = context.registry.process().start_wall_ms;
  return give(out, start == 0 ? 0 : (wall_us() / 1000 - start) / 1000);
}

// clang-format off
constexpr FetchRow kRows[] = {
    {{"act_conn", "", "Connections of the whole process."}, Type::integer, kAnywhere, act_conn},
    {{"hostname", "", "The name of this host."}, Type::string, kAnywhere, hostname},
    {{"nbproc", "", "The number of processes, always 1."}, Type::integer, kAnywhere, one},
    {{"pid", "", "The process's number."}, Type::integer, kAnywhere, pid},
    {{"proc", "", "The number of this process among its like, always 1."},
     Type::integer, kAnywhere, one},
    {{"quic_enabled", "", "Whether QUIC can be used."}, Type::boolean, kAnywhere, no},
    {{"stopping", "", "Whether the process is on its way out."},
     Type::boolean, kInternal, stopping},
    {{"tgroup", "", "The number of the thread's group, always 0."}, Type::integer, kAnywhere, zero},
    {{"thread", "", "The number of the thread that asks."}, Type::integer, kAnywhere, thread},
    {{"uptime", "", "Seconds since the process started."}, Type::integer, kAnywhere, uptime},
};
// clang-format on

}  // namespace

std::string_view host_name(base::Arena& arena) {
  char name[256];
  if (gethostname(name, sizeof(name)) != 0) return "localhost";
  name[sizeof(name) - 1] = '\0';
  return arena.copy(name);
}

std::span<const FetchRow> process_fetches() { return kRows; }

}  // namespace expr::fetch

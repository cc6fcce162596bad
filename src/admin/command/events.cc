// show events, show startup-logs.
#include <fmt/format.h>

#include "admin/command/families.h"
#include "obs/ring.h"

namespace admin {
namespace {

constexpr std::int64_t kLookEveryMs = 50;

void list_sinks(Call& call) {
  std::string out =
      "Supported events sinks are listed below. Add -0(zero), -w(wait), -n(new). Any key to "
      "stop.\n";
  for (const auto& ring : obs::all_rings()) {
    const obs::RingSettings& s = ring->settings();
    out += fmt::format("    {:<10} : type=buffer, {} dropped, {}\n", s.name, ring->dropped(),
                       s.description.empty() ? s.name : s.description);
  }
  call.print(out);
}

struct Options {
  bool wait = false, only_new = false;
  char end = '\n';
};

bool parse_options(Call& call, Options& out) {
  for (std::size_t i = 1; i < call.args.size(); ++i) {
    std::string_view word = call.args[i];
    if (word.size() < 2 || word[0] != '-') {
      call.error("Unknown option. Expecting -w, -n, -0 or a combination of them.");
      return false;
    }
    for (char c : word.substr(1)) {
      if (c == 'w') out.wait = true;
      if (c == 'n') out.only_new = true;
      if (c == '0') out.end = '\0';
    }
  }
  return true;
}

void show_events(Call& call) {
  if (call.args.empty()) return list_sinks(call);
  auto ring = call.arg(0) == obs::kBufferRing ? obs::buffer_ring() : obs::find_ring(call.arg(0));
  if (!ring) return call.error("No such event sink");
  Options options;
  if (!parse_options(call, options)) return;
  std::uint64_t next = options.only_new ? ring->next_sequence() : 0;
  do {
    next = ring->read(
        next, [&](std::string_view line) { call.print(fmt::format("{}{}", line, options.end)); });
  } while (options.wait && call.wait(kLookEveryMs));
}

void show_startup_logs(Call& call) { call.print(obs::startup_messages()); }

constexpr Command kCommands[] = {
    {{"show events", "[<sink>] [-w] [-n] [-0]", "list event sinks or print one's events"},
     Access::operator_,
     show_events},
    {{"show startup-logs", "", "print the messages of the start"}, Access::user, show_startup_logs},
};

}  // namespace

std::span<const Command> event_commands() { return kCommands; }

}  // namespace admin

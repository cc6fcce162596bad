// show errors: the last invalid messages, byte by byte.
#include <fmt/format.h>
#include <time.h>

#include <iterator>

#include "admin/clock.h"
#include "admin/command/families.h"
#include "base/text.h"
#include "state/registry.h"

namespace admin {
namespace {

constexpr std::size_t kBytesInALine = 75;

// "20/Nov/2026:07:41:12.601"
std::string date(std::int64_t us) {
  time_t seconds = us / 1000000;
  tm t{};
  ::localtime_r(&seconds, &t);
  char text[32];
  std::size_t size = ::strftime(text, sizeof text, "%d/%b/%Y:%H:%M:%S", &t);
  return fmt::format("{}.{:03}", std::string_view(text, size), us / 1000 % 1000);
}

void append_byte(std::string& out, char c) {
  switch (c) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\\':
      out += "\\\\";
      return;
    default:
      break;
  }
  if (c >= ' ' && c < 0x7f)
    out.push_back(c);
  else
    fmt::format_to(std::back_inserter(out), "\\x{:02X}", static_cast<unsigned char>(c));
}

// Lines end behind a line feed; longer ones go on with '+' behind their offset.
std::string dump(std::string_view bytes) {
  std::string out;
  bool continued = false;
  for (std::size_t at = 0; at < bytes.size();) {
    std::string line;
    std::size_t start = at;
    while (at < bytes.size() && line.size() < kBytesInALine) {
      append_byte(line, bytes[at]);
      if (bytes[at++] == '\n') break;
    }
    fmt::format_to(std::back_inserter(out), "  {:05}{} {}\n", start, continued ? '+' : ' ', line);
    continued = bytes[at - 1] != '\n';
  }
  return out;
}

std::string render(const state::Proxy& proxy, bool request, const state::CapturedMessage& m) {
  return fmt::format(
      " \n[{}] {} {} (#{}): invalid {}\n  {}, event #{}, src {}\n"
      "  buffer holds {} bytes, error at position {}: {}\n  \n{}",
      date(m.when_us), request ? "frontend" : "backend", proxy.name, proxy.id,
      request ? "request" : "response", m.other, m.event,
      m.source.is_unix() ? "unix:1" : m.source.text(), m.bytes.size(), m.position, m.why,
      dump(m.bytes));
}

// [<proxy>|<id>] [request|response]
void show_errors(Call& call) {
  const state::Registry& registry = call.env.registry;
  const state::Proxy* only = nullptr;
  std::string_view name = call.arg(0), side = call.arg(1);
  if (name == "request" || name == "response") {
    side = name;
    name = {};
  }
  if (!name.empty() && name != "-1") {
    only = registry.find(name);
    if (auto id = base::parse_int<unsigned>(name); only == nullptr && id) only = registry.find(*id);
    if (only == nullptr) return call.error("No such proxy.");
  }
  call.print(fmt::format("Total events captured on [{}] : {}\n", date(wall_us()),
                         state::captured_events()));
  for (const auto& proxy : registry.proxies()) {
    if (only != nullptr && proxy.get() != only) continue;
    std::string out;
    {
      std::lock_guard lock(proxy->captured.mutex);
      if (proxy->captured.request.when_us != 0 && side != "response")
        out += render(*proxy, true, proxy->captured.request);
      if (proxy->captured.response.when_us != 0 && side != "request")
        out += render(*proxy, false, proxy->captured.response);
    }
    if (!call.print(out)) return;
  }
}

constexpr Command kCommands[] = {
    {{"show errors", "[<px>] [request|response]", "print the last invalid messages of each proxy"},
     Access::operator_,
     show_errors},
};

}  // namespace

std::span<const Command> error_commands() { return kCommands; }

}  // namespace admin

// log-forward sections (manual section 12.6), and the log backends that targets of any section
// name.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "app/proxy_keywords/keyword.h"
#include "app/sections/other.h"
#include "obs/log_config.h"

namespace app {

namespace {

using proxy::LogForward;

struct Reader {
  config::Arguments& args;
  LogForwardDraft& draft;
  Assembly& assembly;

  bool datagram_bind() {
    if (args.done()) return args.error("'dgram-bind' expects [addr1]:port1[-end1]{,[addr]:port}.");
    auto bind = parse_datagram_bind(args, assembly.settings());
    if (bind == nullptr) return false;
    draft.made->datagram_binds.push_back(std::move(bind));
    return true;
  }

  bool option(bool on) {
    const std::string_view name = args.next();
    LogForward& made = *draft.made;
    if (name == "dont-parse-log" || name == "assume-rfc6587-ntf") {
      if (name == "dont-parse-log")
        made.parse = !on;
      else
        made.lines_only = on;
      return true;
    }
    if (name != "host")
      return args.error_at_previous(
          fmt::format("unknown option '{}' in log-forward section.", name));
    static constexpr std::array<std::string_view, 4> kWays = {"replace", "fill", "keep", "append"};
    const auto* way = std::find(kWays.begin(), kWays.end(), args.peek());
    if (way == kWays.end()) return args.error("option 'host' expects {replace|fill|keep|append}.");
    args.next();
    made.host = static_cast<LogForward::Host>(way - kWays.begin());
    return true;
  }

  // False: no such keyword.
  bool shared_line(const config::Line& line) {
    static constexpr std::string_view kShared[] = {"bind", "log", "backlog", "maxconn"};
    const std::string_view word = line[0] == "no" ? line[1] : line[0];
    const bool timeout = word == "timeout" && line[1] == "client";
    if (!timeout && std::find(std::begin(kShared), std::end(kShared), word) == std::end(kShared))
      return false;
    read_proxy_line(line, draft.lines, assembly);
    return true;
  }

  void line(const config::Line& line) {
    if (shared_line(line)) return;
    const bool negated = line[0] == "no";
    const std::string_view word = line[negated ? 1 : 0];
    args.seek(negated ? 2 : 1);
    if (word == "dgram-bind" && !negated) {
      if (datagram_bind()) args.expect_end();
    } else if (word == "option") {
      if (option(!negated)) args.expect_end();
    } else {
      const std::string name =
          word == "timeout" ? fmt::format("timeout {}", line[1]) : std::string(line[0]);
      assembly.diagnostics.alert(line.at(),
                                 fmt::format("unknown keyword '{}' in log-forward section.", name));
    }
  }
};

bool good_name(const config::Section& section, Assembly& assembly) {
  const config::Line& head = section.head;
  auto& diagnostics = assembly.diagnostics;
  if (head[1].empty()) {
    diagnostics.alert(head.at(1), "missing name for log-forward section.");
    return false;
  }
  if (head.size() > 2)
    diagnostics.alert(
        head.at(2), fmt::format("'log-forward' cannot handle unexpected argument '{}'.", head[2]));
  const auto taken_by = [&](std::string_view kind, const config::Section& other) {
    diagnostics.alert(
        head.at(1), fmt::format("log forward section '{}' has the same name as {} '{}' declared "
                                "at {}:{}.",
                                head[1], kind, head[1], other.head.file->name, other.head.number));
  };
  for (const auto& other : assembly.proxies)
    if (other->name == head[1]) taken_by(other->kind(), *other->section);
  for (const auto& other : assembly.log_forwards)
    if (other->lines.name == head[1]) taken_by("log forward section", *other->lines.section);
  return true;
}

}  // namespace

void read_log_forward(const config::Section& section, Assembly& assembly) {
  if (!good_name(section, assembly)) return;
  auto draft = std::make_unique<LogForwardDraft>();
  draft->state = std::make_unique<state::Proxy>();
  draft->made = std::make_unique<LogForward>();
  draft->made->name = draft->state->name = draft->lines.name = section.head[1];
  draft->lines.section = &section;
  draft->lines.side = kInFrontend;
  draft->lines.proxy = std::make_unique<proxy::Proxy>();
  draft->lines.proxy->state = draft->state.get();
  draft->lines.proxy->maximum = draft->made->maximum;
  for (const config::Line& line : section.lines) {
    config::Arguments args(line, assembly.diagnostics);
    Reader{args, *draft, assembly}.line(line);
  }
  assembly.log_forwards.push_back(std::move(draft));
}

void complete_log_forwards(Assembly& assembly) {
  for (const auto& draft : assembly.log_forwards) {
    LogForward& made = *draft->made;
    proxy::Proxy& lines = *draft->lines.proxy;
    made.binds = std::move(lines.binds);
    const auto size = [&](std::string_view keyword) {
      return static_cast<int>(assembly.settings().number(keyword, 0));
    };
    for (const auto& bind : made.binds) {
      bind->listen.tuning.send_buffer = size("tune.sndbuf.client");
      bind->listen.tuning.receive_buffer = size("tune.rcvbuf.client");
    }
    for (const auto& bind : made.datagram_binds) {
      bind->listen.tuning.send_buffer = size("tune.sndbuf.frontend");
      bind->listen.tuning.receive_buffer = size("tune.rcvbuf.frontend");
    }
    made.maximum = lines.maximum;
    made.backlog = lines.backlog;
    made.client_timeout = lines.timeouts.client;
    obs::link_targets(draft->lines.log, assembly.diagnostics);
    made.log_targets = draft->lines.log.targets;
    if (draft->lines.log.global)
      for (const auto& target : assembly.settings().log.targets) made.log_targets.push_back(target);
    assembly.generation.config.log_forwards.push_back(std::move(draft->made));
  }
}

void link_log_backends(Assembly& assembly) {
  const auto link = [&](const std::vector<std::shared_ptr<obs::LogTarget>>& targets) {
    for (const auto& target : targets) {
      if (target->kind != obs::LogTarget::Kind::backend || target->outlet != nullptr) continue;
      const auto found =
          std::find_if(assembly.proxies.begin(), assembly.proxies.end(), [&](const auto& draft) {
            return draft->name == target->name && draft->proxy->mode == state::Mode::log &&
                   draft->proxy->backend != nullptr;
          });
      if (found != assembly.proxies.end())
        target->outlet = (*found)->proxy->backend->log_outlet();
      else
        assembly.diagnostics.alert(
            {}, fmt::format("log : no backend '{}' with 'mode log' is known.", target->name));
    }
  };
  link(assembly.settings().log.targets);
  for (const auto& draft : assembly.proxies) link(draft->proxy->log_targets);
  for (const auto& forward : assembly.generation.config.log_forwards) link(forward->log_targets);
}

}  // namespace app

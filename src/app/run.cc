#include "app/run.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <utility>

#include "admin/cli.h"
#include "admin/stats_file.h"
#include "admin/stats_page.h"
#include "app/scripts.h"
#include "app/version.h"
#include "obs/log.h"
#include "obs/ring_forward.h"
#include "proxy/log_forward.h"
#include "proxy/serve.h"
#include "rt/fiber.h"
#include "rt/watchdog.h"
#include "upstream/backend.h"
#include "wire/pipe.h"

namespace app {

namespace {

// Descriptors the process needs beside those of connections.
constexpr std::int64_t kOtherDescriptors = 64;
constexpr std::int64_t kPipeSize = 262144;  // of pipes to splice, unless configured

std::int64_t now_ms(auto clock) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             decltype(clock)::now().time_since_epoch())
      .count();
}

class Server {
 public:
  Server(rt::Runtime& runtime, Generation& generation, const CommandLine& line)
      : runtime_(runtime),
        generation_(generation),
        settings_(generation.settings),
        line_(line),
        listening_(generation.config),
        forwarding_(generation.config) {}

  bool open(unsigned warnings) {
    describe_process();
    preload_counters();
    proxy::set_running(generation_.config);
    proxy::set_stats_factory(admin::make_stats_service);
    admin::set_page_product({std::string(kName), std::string(kVersion)});
    if (!raise()) return false;
    config::Diagnostics diagnostics;
    bool bound = listening_.open(diagnostics);
    bound = forwarding_.open(diagnostics) && bound;
    for (const config::Message& message : diagnostics.messages())
      std::fputs(config::Diagnostics::render(message).c_str(), stderr);
    if (!bound) return false;
    return open_commands(warnings) && drop();
  }

  bool start() {
    if (generation_.scripts) {
      auto done = generation_.scripts->run_init();
      if (!done) return fail(done.error());
    }
    generation_.patterns.seal();
    for (const auto& proxy : generation_.config.proxies)
      if (proxy->backend != nullptr && !proxy->disabled) proxy->backend->start();
    listening_.start();
    forwarding_.start();
    obs::start_forwarding();
    sweep_tables();
    if (cli_) cli_->start();
    if (generation_.scripts) generation_.scripts->start_tasks();
    return true;
  }

  int run(Daemon& daemon) {
    watch_signals([this](int signal) { on_signal(signal); });
    signal_processes(line_.finish, SIGUSR1);
    signal_processes(line_.terminate, SIGTERM);
    daemon.started();
    obs::end_of_startup();
    watch();
    runtime_.run();
    stop_watching_signals();
    if (ended_by_ != 0) die_by(ended_by_);
    return 0;
  }

 private:
  bool fail(const std::string& text) {
    std::fputs(fmt::format("[ALERT]    ({}) : {}\n", ::getpid(), text).c_str(), stderr);
    return false;
  }

  void watch() {
    const std::int64_t limit = settings_.number("warn-blocked-traffic-after", 100);
    rt::watch_workers(rt::milliseconds(limit), [](const rt::Overdue& busy) {
      const auto ms = [](rt::Duration d) {
        return std::chrono::duration_cast<rt::milliseconds>(d).count();
      };
      obs::report(obs::Level::warning,
                  fmt::format("thread {} has stopped processing traffic for {} milliseconds ({} of "
                              "them on a processor): {}.",
                              busy.worker + 1, ms(busy.busy), ms(busy.on_cpu),
                              busy.what.empty() ? "no Lua function runs there" : busy.what));
    });
  }

  // "stats-file": what an earlier process counted.
  void preload_counters() {
    if (settings_.stats_file.empty()) return;
    std::ifstream file(settings_.stats_file);
    if (!file) {
      obs::report(obs::Level::warning,
                  fmt::format("cannot read the stats-file '{}'", settings_.stats_file));
      return;
    }
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    admin::load_stats_file(text, generation_.registry);
  }

  void describe_process() {
    state::Process& process = generation_.registry.process();
    process.start_wall_ms = now_ms(std::chrono::system_clock());
    process.start_mono_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(
                                std::chrono::steady_clock::now().time_since_epoch())
                                .count();
    process.node = settings_.node.empty() ? host_name() : settings_.node;
    process.description = settings_.description;
  }

  bool raise() {
    std::int64_t others = kOtherDescriptors + 4 * runtime_.size();
    for (const auto& proxy : generation_.config.proxies) {
      for (const auto& bind : proxy->binds)
        others += static_cast<std::int64_t>(bind->addresses.size());
      others += static_cast<std::int64_t>(proxy->state->servers.size());
    }
    others += settings_.stats.maximum;
    std::vector<std::string> warnings;
    auto maximum = raise_limits(settings_, settings_.maximum, others, warnings);
    warn(warnings);
    if (!maximum) return fail(maximum.error());
    generation_.config.maximum_connections = static_cast<std::uint32_t>(*maximum);
    state::Process& process = generation_.registry.process();
    process.maximum_connections = process.hard_maximum_connections =
        static_cast<std::uint32_t>(*maximum);
    rlimit descriptors{};
    ::getrlimit(RLIMIT_NOFILE, &descriptors);
    const auto share = [&](std::string_view name, std::int64_t percent) {
      return static_cast<std::uint32_t>(std::min<std::uint64_t>(
          descriptors.rlim_cur * static_cast<std::uint64_t>(settings_.number(name, percent)) / 100,
          UINT32_MAX));
    };
    process.idle_keep_below = share("tune.pool-low-fd-ratio", 20);
    process.idle_close_above = share("tune.pool-high-fd-ratio", 25);
    const auto shared = settings_.texts.find("tune.idle-pool.shared");
    process.share_idle = shared == settings_.texts.end() || shared->second != "off";
    const bool splices = line_.switches.splice && settings_.number("nosplice", 0) == 0;
    const std::int64_t pipes =
        splices ? settings_.number("maxpipes", std::max<std::int64_t>(*maximum / 4, 1)) : 0;
    wire::set_pipes(static_cast<std::uint32_t>(pipes),
                    static_cast<std::size_t>(settings_.number("tune.pipesize", kPipeSize)));
    process.connection_rate_limit = static_cast<std::uint32_t>(settings_.connection_rate);
    process.session_rate_limit = static_cast<std::uint32_t>(settings_.session_rate);
    return true;
  }

  void warn(const std::vector<std::string>& warnings) {
    if (settings_.quiet) return;
    for (const std::string& text : warnings)
      std::fputs(fmt::format("[WARNING]  ({}) : {}\n", ::getpid(), text).c_str(), stderr);
  }

  bool open_commands(unsigned warnings) {
    cli_settings_.sockets = settings_.stats.sockets;
    cli_settings_.timeout_ms = settings_.stats.timeout_ms;
    cli_settings_.maximum = static_cast<unsigned>(settings_.stats.maximum);
    cli_settings_.line_limit = static_cast<std::size_t>(settings_.buffer_size);
    cli_settings_.payload_limit =
        static_cast<std::size_t>(settings_.number("tune.cli.max-payload-size", 131072));
    cli_settings_.product = {"HAProxy", std::string(kCompatibleVersion),
                             std::string(kCompatibleDate), fmt::format("{} {}", kName, kVersion)};
    cli_settings_.warnings = warnings;
    admin::add_builtin(commands_);
    if (generation_.scripts) generation_.scripts->add_commands(commands_);
    cli_.emplace(admin::Environment{generation_.registry, generation_.patterns, generation_.config,
                                    generation_.expressions, commands_, cli_settings_});
    auto opened = cli_->open();
    return opened ? true : fail(opened.error());
  }

  // Tables that nobody asks give up what has expired all the same.
  void sweep_tables() {
    if (generation_.registry.tables().all().empty()) return;
    rt::spawn([this] {
      while (rt::sleep_for(std::chrono::milliseconds(100)) == rt::Wait::timed_out)
        generation_.registry.tables().sweep(state::stick_clock_ms());
    });
  }

  // Listeners do as well, but before the user changes.
  bool enters_namespaces() const {
    for (const auto& proxy : generation_.config.proxies) {
      if (proxy->backend == nullptr) continue;
      for (const auto& server : proxy->backend->servers())
        if (!server->settings().connect.network.empty()) return true;
    }
    return false;
  }

  bool drop() {
    if (settings_.daemon && !settings_.pidfile.empty()) {
      auto written = write_pidfile(settings_.pidfile);
      if (!written) return fail(written.error());
    }
    if (settings_.uid != 0 && enters_namespaces() &&
        std::find(settings_.capabilities.begin(), settings_.capabilities.end(), "cap_sys_admin") ==
            settings_.capabilities.end())
      return fail(
          "Some configuration options require full privileges, so global.uid cannot be changed: "
          "connections to servers with 'namespace' need 'setcap cap_sys_admin'.");
    std::vector<std::string> warnings;
    auto dropped = drop_privileges(settings_, warnings);
    if (settings_.uid == 0 && settings_.chroot.empty()) warnings.clear();
    warn(warnings);
    return dropped ? true : fail(dropped.error());
  }

  // In a fiber of worker 0, where servers come and go as well.
  void on_signal(int signal) {
    switch (signal) {
      case SIGUSR1:
        return soft_stop();
      case SIGINT:
      case SIGTERM:
        ended_by_ = signal;
        return runtime_.stop();
      case SIGHUP:
        return report_servers();
      case SIGTTOU:
      case SIGTTIN:
        // Not in this fiber, which would wait for all workers before it hears of the next signal.
        return runtime_.worker(0).post([this, on = signal == SIGTTOU] { pause(on); });
      default:
        return;
    }
  }

  void soft_stop() {
    if (std::exchange(stopping_, true)) return;
    generation_.registry.process().stopping = true;
    rt::spawn([this] { stop_softly(); });
  }

  void stop_softly() {
    using std::chrono::milliseconds;
    if (settings_.grace_ms > 0 &&
        rt::sleep_for(milliseconds(settings_.grace_ms)) != rt::Wait::timed_out)
      return;
    listening_.stop();
    forwarding_.stop();
    const rt::Instant begin = rt::now();
    const milliseconds longest(settings_.hard_stop_after_ms);
    while (proxy::Listening::sessions() != 0) {
      if (longest.count() > 0 && rt::now() - begin > longest) break;
      if (rt::sleep_for(milliseconds(20)) != rt::Wait::timed_out) return;
    }
    runtime_.stop();
  }

  void pause(bool on) {
    for (const auto& proxy : generation_.config.proxies) {
      if (!proxy->is_frontend() || proxy->disabled) continue;
      if (on)
        proxy::Listening::pause(*proxy->state);
      else
        proxy::Listening::resume(*proxy->state);
    }
  }

  // SIGHUP: the state of every server, to the logs and to stderr (management guide, section 4).
  void report_servers() {
    for (const auto& proxy : generation_.config.proxies)
      for (const auto& server : proxy->state->servers) {
        const std::string text = fmt::format(
            "SIGHUP: Server {}/{} is {}. Conn: {} act, {} pend.", proxy->name, server->name,
            server->usable() ? "UP" : "DOWN", server->sessions.load(), server->queued.load());
        obs::report(obs::Level::notice, text);
        obs::LogLine log;
        log.level = obs::Level::notice;
        log.tag = generation_.config.log_tag;
        log.text = text;
        obs::send(proxy->log_targets, log);
      }
  }

  rt::Runtime& runtime_;
  Generation& generation_;
  const GlobalSettings& settings_;
  const CommandLine& line_;
  proxy::Listening listening_;
  proxy::LogForwarding forwarding_;
  admin::Catalogue commands_;
  admin::CliSettings cli_settings_;
  std::optional<admin::Cli> cli_;
  int ended_by_ = 0;  // the signal
  bool stopping_ = false;
};

}  // namespace

int serve(rt::Runtime& runtime, Generation& generation, const CommandLine& line, Daemon daemon,
          unsigned warnings) {
  Server server(runtime, generation, line);
  if (!server.open(warnings) || !server.start()) return 1;
  return server.run(daemon);
}

}  // namespace app

// The process: command line, configuration, start, signals, end.
#include <dlfcn.h>
#include <fmt/format.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "app/assemble.h"
#include "app/command_line.h"
#include "app/global/keyword.h"
#include "app/inspect_scripts.h"
#include "app/keyword_dump.h"
#include "app/process.h"
#include "app/run.h"
#include "app/sections/section.h"
#include "app/version.h"
#include "config/limits.h"
#include "config/load.h"
#include "expr/log_format.h"
#include "obs/trace_command.h"
#include "proxy/thread_set.h"
#include "rt/placement.h"

namespace app {
namespace {

void print(std::FILE* to, const std::string& text) { std::fwrite(text.data(), 1, text.size(), to); }

int answer_condition(const CommandLine& line) {
  std::string error;
  const int value = config::evaluate_condition(line.text, make_predicates(line.switches), error);
  if (value >= 0) return value == 0 ? 1 : 0;
  print(stderr,
        fmt::format("[ALERT]    ({}) : Failed to evaluate condition: {}\n", ::getpid(), error));
  return 2;
}

// Variables the manual's section 2.3 promises to a configuration.
void set_environment(const CommandLine& line) {
  char host[HOST_NAME_MAX + 1] = "localhost";
  ::gethostname(host, sizeof host - 1);
  ::setenv("HAPROXY_LOCALPEER", line.peer.empty() ? host : line.peer.c_str(), 1);
  ::setenv("HAPROXY_BRANCH", std::string(kCompatibleBranch).c_str(), 1);
  ::setenv("HAPROXY_STARTUP_VERSION", std::string(kCompatibleVersion).c_str(), 1);
  auto format = [](const char* name, std::string_view text) {
    ::setenv(name, std::string(text).c_str(), 1);
  };
  format("HAPROXY_HTTP_LOG_FMT", expr::default_http_log_format());
  format("HAPROXY_HTTP_CLF_LOG_FMT", expr::default_http_clf_log_format());
  format("HAPROXY_HTTPS_LOG_FMT", expr::default_https_log_format());
  format("HAPROXY_TCP_LOG_FMT", expr::default_tcp_log_format());
  format("HAPROXY_TCP_CLF_LOG_FMT", expr::default_tcp_clf_log_format());
}

void tell_files(const config::Tree& tree) {
  std::string files;
  for (const auto& file : tree.files) files += (files.empty() ? "" : ";") + file->name;
  ::setenv("HAPROXY_CFGFILES", files.c_str(), 1);
}

// -dC: what the loader made of the lines.
void dump_tree(const config::Tree& tree) {
  auto show = [](const config::Line& row, const char* indent) {
    std::string out = indent;
    for (const config::Word& word : row.words) out += word.text + ' ';
    print(stdout, out + '\n');
  };
  for (const config::Section& section : tree.sections) {
    show(section.head, "");
    for (const config::Line& row : section.lines) show(row, "\t");
  }
}

void print_messages(const config::Diagnostics& diagnostics, const CommandLine& line, bool quiet) {
  if (quiet) return;
  bool introduced = false;
  for (const config::Message& message : diagnostics.messages()) {
    if (message.severity == config::Severity::diagnostic && !line.diagnostics) continue;
    if (!introduced && message.severity >= config::Severity::warning) {
      introduced = true;
      print(stderr, fmt::format("[NOTICE]   ({}) : {} version is {} (HAProxy {})\n", ::getpid(),
                                kName, kVersion, kCompatibleVersion));
    }
    print(stderr, config::Diagnostics::render(message));
  }
  if (diagnostics.full())
    print(stderr, fmt::format("[ALERT]    ({}) : config : too many errors, only {} are shown.\n",
                              ::getpid(), config::kMostMessages));
}

// Names the files with mistakes. True when there are none.
bool conclude(const config::Diagnostics& diagnostics, const CommandLine& line,
              const GlobalSettings& settings) {
  print_messages(diagnostics, line, settings.quiet);
  auto say = [&](const std::string& text) {
    if (!settings.quiet) print(stderr, fmt::format("[ALERT]    ({}) : {}\n", ::getpid(), text));
  };
  if (diagnostics.failed()) {
    std::vector<const config::SourceFile*> files;
    for (const config::Message& message : diagnostics.messages()) {
      const config::SourceFile* file = message.at.file;
      if (message.severity != config::Severity::alert || file == nullptr) continue;
      if (std::find(files.begin(), files.end(), file) != files.end()) continue;
      files.push_back(file);
      say(fmt::format("config : Error(s) found in configuration file : {}", file->name));
    }
    say("config : Fatal errors found in configuration.");
    return false;
  }
  if (diagnostics.warnings() != 0) {
    if (settings.zero_warning) {
      say("Some warnings were found and 'zero-warning' is set. Aborting.");
      return false;
    }
    if (line.mode == Mode::check && !settings.quiet) std::puts("Warnings were found.");
  }
  return true;
}

int list_library(dl_phdr_info* info, std::size_t, void*) {
  if (info->dlpi_name[0] == '/') std::puts(info->dlpi_name);
  return 0;
}

// "thread" of bind lines, once it is known how many there are.
void check_threads(const proxy::Config& config, unsigned workers,
                   config::Diagnostics& diagnostics) {
  for (const auto& proxy : config.proxies) {
    for (const auto& bind : proxy->binds) {
      unsigned serving = 0;
      for (unsigned i = 0; i < workers; ++i)
        serving += proxy::in_thread_set(bind->thread_set, i) ? 1 : 0;
      if (serving == 0)
        diagnostics.alert(
            bind->at,
            fmt::format("frontend '{}': 'thread {}' names none of the {} threads of group 1.",
                        proxy->name, bind->thread_set, workers));
    }
  }
}

// Reads the rest under the Runtime's counters, says what there is to say, and runs.
int run_generation(const CommandLine& line, config::Tree tree, GlobalSettings settings,
                   config::Diagnostics& diagnostics) {
  Daemon daemon;
  std::optional<rt::Runtime> runtime;
  const WorkerPlaces places = choose_workers(settings);
  const auto workers = static_cast<unsigned>(places.size());
  if (line.mode == Mode::run) {
    if (settings.daemon && !diagnostics.failed()) daemon = Daemon::fork_now();
    hold_signals();
    runtime.emplace(workers);
  }
  Generation generation;
  generation.tree = std::move(tree);
  generation.settings = std::move(settings);
  assemble(generation, line, diagnostics);
  check_placement(generation.settings, places, diagnostics);
  check_threads(generation.config, workers, diagnostics);
  const bool good = conclude(diagnostics, line, generation.settings);
  if (line.keyword_classes)
    print(stdout, dump_keywords(*line.keyword_classes, generation.expressions, generation.actions));
  if (line.list_libraries) ::dl_iterate_phdr(list_library, nullptr);
  if (!good) return 1;
  if (line.mode == Mode::check) {
    if (line.verbose) std::puts("Configuration file is valid");
    return 0;
  }
  if (line.memory_megabytes > 0) {
    if (auto limited = limit_memory(line.memory_megabytes); !limited) {
      print(stderr, fmt::format("[ALERT]    ({}) : {}\n", ::getpid(), limited.error()));
      return 1;
    }
  }
  const bool anywhere =
      std::all_of(places.begin(), places.end(), [](const auto& place) { return place.empty(); });
  if (!anywhere) rt::place_workers(places);
  if (generation.settings.number("busy-polling", 0) != 0) rt::poll_busily();
  if (generation.settings.number("tune.sched.low-latency", 0) != 0) rt::never_rest();
  return serve(*runtime, generation, line, std::move(daemon),
               static_cast<unsigned>(diagnostics.warnings()));
}

int load_and_run(const CommandLine& line) {
  if (line.traces) {
    if (auto done = obs::trace::follow_option(*line.traces); !done) {
      print(stderr, fmt::format("[ALERT]    ({}) : config : {}\n", ::getpid(), done.error()));
      return 1;
    }
  }
  set_environment(line);
  const config::Predicates predicates = make_predicates(line.switches);
  config::LoadOptions options{line.paths, section_names(), &predicates};
  config::Diagnostics diagnostics;
  config::Tree tree = config::load(options, diagnostics);
  tell_files(tree);
  if (line.dump) dump_tree(tree);
  GlobalSettings settings = read_settings(tree, line, diagnostics);
  return run_generation(line, std::move(tree), std::move(settings), diagnostics);
}

int run(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "lua") == 0) return inspect_scripts({argv + 2, argv + argc});
  const CommandLine line = parse_command_line(argc, argv);
  switch (line.mode) {
    case Mode::version:
      print(stdout, version_text());
      return 0;
    case Mode::build:
      print(stdout, build_text());
      return 0;
    case Mode::short_text:
      print(stdout, line.text + "\n");
      return 0;
    case Mode::help:
      print(stdout, usage_text(argv[0]));
      return 0;
    case Mode::usage_error:
      print(stderr, fmt::format("[ALERT]    ({}) : {}\n", ::getpid(), line.text));
      print(stderr, usage_text(argv[0]));
      return 1;
    case Mode::condition:
      return answer_condition(line);
    case Mode::run:
    case Mode::check:
      break;
  }
  if (line.master_worker && line.mode == Mode::run) {
    print(stderr,
          fmt::format("[ALERT]    ({}) : master-worker mode (-W, -Ws) is not available yet: "
                      "start without it.\n",
                      ::getpid()));
    return 1;
  }
  if (!line.directory.empty() && ::chdir(line.directory.c_str()) != 0) {
    print(stderr, fmt::format("[ALERT]    ({}) : Could not change to directory {} : {}\n",
                              ::getpid(), line.directory, std::strerror(errno)));
    return 1;
  }
  if (line.paths.empty() && line.keyword_classes) {
    Generation generation;
    expr::add_builtin(generation.expressions);
    rules::add_builtin(generation.actions);
    print(stdout, dump_keywords(*line.keyword_classes, generation.expressions, generation.actions));
    return 0;
  }
  return load_and_run(line);
}

}  // namespace
}  // namespace app

int main(int argc, char** argv) { return app::run(argc, argv); }

#include "app/command_line.h"

#include <fmt/format.h>

#include "base/text.h"
#include "obs/trace_command.h"

namespace app {

namespace {

class Parser {
 public:
  Parser(int argc, char** argv) : argc_(argc), argv_(argv) {}

  CommandLine run() {
    while (at_ < argc_ && line_.mode != Mode::usage_error) {
      const std::string_view word = argv_[at_++];
      if (word == "--") {
        while (at_ < argc_) line_.paths.emplace_back(argv_[at_++]);
      } else if (word.size() < 2 || word[0] != '-') {
        mistake(fmt::format("unexpected argument '{}'", word));
      } else {
        option(word.substr(1));
      }
    }
    check();
    return std::move(line_);
  }

 private:
  void mistake(std::string text) {
    line_.mode = Mode::usage_error;
    line_.text = std::move(text);
  }

  // What is asked for first is what happens: -v after -c still prints the version.
  void choose(Mode mode) {
    if (line_.mode == Mode::run || line_.mode == Mode::check) line_.mode = mode;
  }

  void option(std::string_view text) {
    if (text == "v") return choose(Mode::version);
    if (text == "vv") return choose(Mode::build);
    if (text == "vq" || text == "vqs" || text == "vqb") {
      line_.text = text == "vqb" ? kCompatibleBranch : kCompatibleVersion;
      return choose(Mode::short_text);
    }
    if (text == "h" || text == "-help") return choose(Mode::help);
    if (text == "c") return choose(Mode::check);
    if (text == "cc") {
      if (auto value = argument(text)) {
        line_.text = *value;
        choose(Mode::condition);
      }
      return;
    }
    if (text[0] == 'd') return debug_option(text.substr(1));
    if (text == "sf" || text == "st")
      return processes(text == "sf" ? line_.finish : line_.terminate);
    if (plain_flag(text)) return;
    value_option(text);
  }

  bool plain_flag(std::string_view text) {
    if (text == "V")
      line_.verbose = true;
    else if (text == "q")
      line_.quiet = true;
    else if (text == "D")
      line_.daemon = true;
    else if (text == "4")
      line_.ipv4_only = true;
    else if (text == "W" || text == "Ws")
      line_.master_worker = true, line_.notify_systemd = line_.notify_systemd || text == "Ws";
    else
      return false;
    return true;
  }

  void value_option(std::string_view text) {
    static constexpr std::string_view kWithValue = "fpLCSxnNm";
    if (text.size() != 1 || kWithValue.find(text[0]) == kWithValue.npos)
      return mistake(fmt::format("unknown option '-{}'", text));
    auto value = argument(text);
    if (!value) return;
    switch (text[0]) {
      case 'f':
        line_.paths.push_back(*value);
        break;
      case 'p':
        line_.pidfile = *value;
        break;
      case 'L':
        line_.peer = *value;
        break;
      case 'C':
        line_.directory = *value;
        break;
      case 'S':
        line_.master_sockets.push_back(*value);
        break;
      case 'x':
        line_.transfer_socket = *value;
        break;
      case 'n':
        number(text, *value, line_.maximum);
        break;
      case 'N':
        number(text, *value, line_.proxy_maximum);
        break;
      default:
        number(text, *value, line_.memory_megabytes);
        break;
    }
  }

  // -d and its letters. -dM -de -dp -dk -dv -dG -dF -dZ -dT -dc -dA ask for what has no
  // counterpart.
  // -d and a letter that sets one thing.
  bool debug_flag(char letter) {
    struct Flag {
      char letter;
      bool* flag;
      bool value;
    };
    Switches& switches = line_.switches;
    const Flag flags[] = {
        {'b', &line_.foreground, true},        {'W', &line_.zero_warning, true},
        {'D', &line_.diagnostics, true},       {'I', &line_.insecure_fork, true},
        {'L', &line_.list_libraries, true},    {'r', &line_.ignore_resolution, true},
        {'S', &switches.splice, false},        {'G', &switches.getaddrinfo, false},
        {'R', &switches.reuse_port, false},    {'F', &switches.fast_forward, false},
        {'V', &switches.verify_servers, false}};
    for (const Flag& row : flags) {
      if (row.letter != letter) continue;
      *row.flag = row.value;
      return true;
    }
    return false;
  }

  void debug_option(std::string_view text) {
    // Of allocators, schedulers and the like; they change nothing here.
    static constexpr std::string_view kWithoutEffect = "ATZcekpv";
    if (text.empty()) {
      line_.debug = line_.foreground = true;
      return;
    }
    const char letter = text[0];
    const std::string_view rest = text.substr(1);
    if (debug_flag(letter) || kWithoutEffect.find(letter) != kWithoutEffect.npos) return;
    if (letter == 'K') {
      line_.keyword_classes = rest;
    } else if (letter == 'C') {
      line_.dump = rest;
    } else if (letter == 't') {
      trace_option();
    } else if (letter != 'M') {
      mistake(fmt::format("unknown option '-d{}'", text));
    } else if (rest == "help") {
      line_.text = "Memory debugging options are accepted and have no effect.\n";
      choose(Mode::short_text);
    }
  }

  // An argument may follow; names that look like options are none.
  void trace_option() {
    line_.traces.emplace();
    if (at_ < argc_ && argv_[at_][0] != '-') line_.traces = argv_[at_++];
    if (line_.traces != "help") return;
    line_.text = obs::trace::option_help();
    choose(Mode::short_text);
  }

  void processes(std::vector<std::int32_t>& into) {
    while (at_ < argc_ && argv_[at_][0] != '-') {
      auto pid = base::parse_int<std::int32_t>(argv_[at_]);
      if (!pid || *pid < 2) return mistake(fmt::format("'{}' is no process number", argv_[at_]));
      into.push_back(*pid);
      ++at_;
    }
  }

  std::optional<std::string> argument(std::string_view option) {
    if (at_ < argc_) return argv_[at_++];
    mistake(fmt::format("'-{}' expects an argument", option));
    return std::nullopt;
  }

  void number(std::string_view option, const std::string& text, std::int64_t& into) {
    auto value = base::parse_int<std::int64_t>(text);
    if (!value || *value < 0)
      mistake(fmt::format("'-{}' expects a number (got '{}')", option, text));
    else
      into = *value;
  }

  void check() {
    const bool loads = line_.mode == Mode::run || line_.mode == Mode::check;
    if (loads && line_.paths.empty() && !line_.keyword_classes)
      mistake("no configuration: use -f");
    else if (loads && !line_.master_sockets.empty() && !line_.master_worker)
      mistake("a master CLI socket was defined, but master-worker mode (-W) is not enabled.");
  }

  int argc_;
  char** argv_;
  int at_ = 1;
  CommandLine line_;
};

}  // namespace

CommandLine parse_command_line(int argc, char** argv) { return Parser(argc, argv).run(); }

std::string usage_text(std::string_view program) {
  return fmt::format(
      R"(Usage : {} [-f <cfgfile|cfgdir>]* [ options ] [-- <cfgfile|cfgdir>*]
   What to do
        -c check the configuration and exit; with -V say when it is valid
        -cc <condition> evaluate a condition and exit: 0 true, 1 false, 2 mistake
        -v show the version ; -vv also how it was built ; -vq -vqs -vqb only the number
        -dK<class>[,<class>]* list keywords ("help" lists the classes)
        -dC[key] show the configuration as it was read
   How to run
        -D in the background ; -db -d in the foreground
        -p <file> write the process number there
        -C <dir> change to this folder first
        -L <name> the local peer's name (the host's name by default)
        -n <number> the most connections ; -N <number> the default of a proxy
        -m <number> megabytes of memory above which new clients and requests wait
        -sf <pid>* / -st <pid>* make older processes finish / terminate once this one serves
        -x <socket> take listening sockets from an older process
        -W -Ws with a master process (not available yet) ; -S <bind> its socket
   What to say
        -q nothing but errors of the command line ; -V more
        -dW fail on warnings ; -dD show diagnostics
        -dL list loaded libraries
        -dt [<source>[:<level>[:<verbosity>]]][,...] traces on stderr ("help" lists them)
   Switches
        -4 resolvers ask for IPv4 only ; -dr unknown server names are no mistake
        -dS no splice ; -dR no SO_REUSEPORT ; -dV no check of servers' certificates
        -dI processes may be created ; -dF -dG -dM -dT -dZ -dc -de -dk -dp -dv accepted
)",
      program);
}

}  // namespace app

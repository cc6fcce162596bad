// A command of the runtime socket as a row of a table, and what its function is given. Commands are
// found by their words; rows are constant, scripts add theirs while they load. A command runs in
// the fiber of its session and may wait; it is run by worker 0.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/keyword.h"
#include "obs/log.h"

namespace state {
class Registry;
class PatternSets;
}  // namespace state
namespace expr {
class Catalogue;
}
namespace proxy {
struct Config;
}

namespace admin {

struct CliSettings;

class Catalogue;
class Call;

enum class Access : std::uint8_t { user, operator_, admin };
std::string_view name_of(Access access);
bool parse_access(std::string_view text, Access& out);

// Who may run it besides the level.
enum CommandFlag : std::uint8_t {
  kExpert = 1,        // only after "expert-mode on"
  kExperimental = 2,  // only after "experimental-mode on"
  kHidden = 4,        // not listed by help
};

// `name` is all its words ("show info"), `arguments` and `doc` are what help prints.
struct Command : config::Keyword {
  Access access = Access::user;
  void (*run)(Call& call) = nullptr;
  std::uint8_t flags = 0;
};

// The names as the manual's levels demand; a row of a script holds its function here.
struct ScriptCommand : Command {
  std::string words, usage, text;
  std::function<void(Call&)> function;
};

class Catalogue {
 public:
  void add(std::span<const Command> table);
  // Refused when a command of exactly these words exists.
  base::Result<void> add(std::string words, std::string usage, Access access,
                         std::function<void(Call&)> function);

  struct Found {
    const Command* command = nullptr;
    std::size_t words = 0;  // how many words its name has
  };
  // The command with the longest name that the words begin with.
  Found find(std::span<const std::string> words) const;
  const std::vector<const Command*>& all() const { return commands_; }  // sorted by name

 private:
  void insert(const Command* command);
  std::vector<const Command*> commands_;
  std::deque<ScriptCommand> scripts_;
};

// All built-in commands; one file for each family, listed in catalogue.cc.
void add_builtin(Catalogue& catalogue);

// What commands may look at and change; lives as long as the process.
struct Environment {
  state::Registry& registry;
  state::PatternSets& patterns;
  const proxy::Config& config;
  const expr::Catalogue& expressions;
  const Catalogue& catalogue;
  CliSettings& settings;
};

enum class PromptMode : std::uint8_t { single, interactive, prompt };
enum class SeverityOutput : std::uint8_t { none, number, string };

// What one connection to the socket remembers between commands.
struct SessionState {
  Access access = Access::admin;
  bool expert = false, experimental = false;
  PromptMode mode = PromptMode::single;
  bool timed = false;  // uptime in the prompt
  bool quit = false;
  SeverityOutput severity = SeverityOutput::none;
  std::int64_t timeout_ms = 10000;
};

// Where answers go; the session's connection, or a text in tests.
class Output {
 public:
  // False when the client has gone.
  virtual bool write(std::string_view text) = 0;
  // Whether the client still listens; waits at most `ms` and ends early when it sends or closes.
  virtual bool wait(std::int64_t ms) = 0;

 protected:
  ~Output() = default;
};

// One command under way.
class Call {
 public:
  Call(Environment& environment, SessionState& state, Output& output, const Command& row,
       std::span<const std::string> words, const std::string* payload)
      : env(environment),
        session(state),
        command(row),
        args(words),
        output_(output),
        payload_(payload) {}

  Environment& env;
  SessionState& session;
  const Command& command;
  std::span<const std::string> args;  // the words after the command's name

  std::string_view arg(std::size_t i) const {
    return i < args.size() ? std::string_view(args[i]) : "";
  }
  const std::string* payload() const { return payload_; }  // null: none was given

  // Output as it is. Large answers go out in pieces; false when the client has gone.
  bool print(std::string_view text) { return output_.write(text); }
  // A message on a line of its own, with its severity where the session asked for it.
  void say(obs::Level level, std::string_view text);
  void error(std::string_view text) { say(obs::Level::err, text); }
  void notice(std::string_view text) { say(obs::Level::info, text); }
  bool wait(std::int64_t ms) { return output_.wait(ms); }
  // False, with the refusal printed, unless the session's level suffices: for commands of which
  // only some forms need it.
  bool require(Access access);

 private:
  Output& output_;
  const std::string* payload_;
};

// Words of a command line: blanks separate, a backslash takes the next character as it is.
std::vector<std::string> split_words(std::string_view line);
// Commands of a line, separated by ';' that no backslash precedes.
std::vector<std::string_view> split_commands(std::string_view line);

// Finds and runs one command and prints its answer, without the empty line behind it.
void run_command(Environment& environment, SessionState& session, Output& output,
                 std::string_view line, const std::string* payload);

}  // namespace admin

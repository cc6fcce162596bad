// What concerns the conversation itself: help, prompt, levels, modes, timeouts.
#include <fmt/format.h>

#include "admin/cli.h"
#include "admin/command/families.h"
#include "admin/help.h"
#include "admin/lookup.h"
#include "config/units.h"

namespace admin {
namespace {

constexpr std::int64_t kLookEveryMs = 50;

constexpr std::string_view kPromptUsage =
    "Usage: prompt [help | n | i | p | timed]*\n"
    "Changes the default prompt and interactive mode. Available options:\n"
    "  help    display this help\n"
    "  n       set to single-command mode (no prompt, single command)\n"
    "  i       set to interactive mode only (no prompt, multi-command)\n"
    "  p       set to prompt+interactive mode (prompt + multi-command)\n"
    "  timed   toggle displaying the current date in the prompt\n"
    "Without any argument, toggles between n/i->p, p->n.\n";

void help(Call& call) { call.notice(help_text(call.env.catalogue, call.session, call.args)); }

void prompt(Call& call) {
  SessionState& s = call.session;
  if (call.args.empty())
    s.mode = s.mode == PromptMode::prompt ? PromptMode::single : PromptMode::prompt;
  for (const std::string& word : call.args) {
    if (word == "n") {
      s.mode = PromptMode::single;
    } else if (word == "i") {
      s.mode = PromptMode::interactive;
    } else if (word == "p") {
      s.mode = PromptMode::prompt;
    } else if (word == "timed") {
      s.timed = !s.timed;
      s.mode = PromptMode::prompt;
    } else {
      call.notice(kPromptUsage);
      return;
    }
  }
}

void quit(Call& call) { call.session.quit = true; }

void lower_to_user(Call& call) { call.session.access = Access::user; }
void lower_to_operator(Call& call) { call.session.access = Access::operator_; }

void toggle(Call& call, bool& mode) {
  if (call.args.empty())
    call.print(fmt::format("{} is {}\n", call.command.name, mode ? "ON" : "OFF"));
  else
    mode = call.arg(0) == "on";
}
void expert_mode(Call& call) { toggle(call, call.session.expert); }
void experimental_mode(Call& call) { toggle(call, call.session.experimental); }

void show_cli_level(Call& call) { call.notice(name_of(call.session.access)); }

void show_cli_sockets(Call& call) {
  std::string out = "# socket lvl processes\n";
  for (const CliSocket& socket : call.env.settings.sockets)
    out += fmt::format("{} {} all\n", socket.text, name_of(socket.access));
  call.print(out);
}

void set_severity_output(Call& call) {
  std::string_view word = call.arg(0);
  if (word == "none")
    call.session.severity = SeverityOutput::none;
  else if (word == "number")
    call.session.severity = SeverityOutput::number;
  else if (word == "string")
    call.session.severity = SeverityOutput::string;
  else
    call.error("one of 'none', 'number', 'string' is a required argument");
}

void set_timeout(Call& call) {
  if (call.arg(0) != "cli") return call.error("'set timeout' only supports 'cli'.");
  if (call.args.size() < 2) return call.error("Expects an integer value.");
  auto ms = config::parse_time(call.arg(1), config::TimeUnit::s, config::TimeUnit::ms);
  if (!ms || *ms < 1) return call.error("Invalid timeout value.");
  call.session.timeout_ms = *ms;
}

void echo(Call& call) {
  std::string out;
  for (const std::string& word : call.args) out += (out.empty() ? "" : " ") + word;
  call.notice(out);
}

constexpr std::string_view kWaitUsage =
    "Usage: wait {-h|<duration>} [condition [args...]]\n"
    "  - '-h' displays this help\n"
    "  - <duration> is the longest time to wait, with a unit among us, ms (the default), s, m, h, "
    "d\n"
    "  - <condition> is what to wait for:\n"
    "    - none: the whole duration\n"
    "    - srv-removable <px>/<sv>: until the server is in maintenance and has no sessions\n";

bool removable(const state::Server& server) {
  return server.in_maintenance() && server.sessions.load() == 0 && server.queued.load() == 0 &&
         server.used_connections.load() == 0;
}

void wait(Call& call) {
  if (call.args.empty()) return call.error("Expects a duration in milliseconds.");
  if (call.arg(0) == "-h") return call.notice(kWaitUsage);
  auto ms = config::parse_time(call.arg(0), config::TimeUnit::ms, config::TimeUnit::ms);
  if (!ms) return call.error("Invalid duration.");
  if (call.args.size() == 1) {
    return call.notice(call.wait(*ms) ? "Done." : "Interrupted.");
  }
  if (call.arg(1) != "srv-removable") return call.notice(kWaitUsage);
  const state::Server* server = find_state_server(call, call.arg(2));
  if (server == nullptr) return;
  for (std::int64_t left = *ms; !removable(*server); left -= kLookEveryMs) {
    if (left <= 0) return call.error("Wait delay expired.");
    if (!call.wait(std::min(left, kLookEveryMs))) return call.notice("Interrupted.");
  }
  call.notice("Done.");
}

constexpr Command kCommands[] = {
    {{"help", "[<command>]", "list matching or all commands"}, Access::user, help},
    {{"prompt", "[help | n | i | p | timed ]*", "toggle interactive mode with prompt"},
     Access::user,
     prompt},
    {{"quit", "", "disconnect"}, Access::user, quit},
    {{"user", "", "lower the level of this session to user"}, Access::user, lower_to_user},
    {{"operator", "", "lower the level of this session to operator"},
     Access::operator_,
     lower_to_operator},
    {{"expert-mode", "[on|off]", "allow commands for experts only"},
     Access::user,
     expert_mode,
     kHidden},
    {{"experimental-mode", "[on|off]", "allow commands that may change"},
     Access::user,
     experimental_mode,
     kHidden},
    {{"show cli level", "", "print the level of this session"}, Access::user, show_cli_level},
    {{"show cli sockets", "", "list the sockets of this interface"},
     Access::operator_,
     show_cli_sockets},
    {{"set severity-output", "[none|number|string]", "put a severity before messages"},
     Access::user,
     set_severity_output},
    {{"set timeout", "[cli] <delay>", "change how long this session may be idle"},
     Access::user,
     set_timeout},
    {{"wait", "{-h|<delay_ms>} cond [args...]", "wait for a time or a condition (-h lists them)"},
     Access::user,
     wait},
    {{"echo", "<text>", "print the text"}, Access::user, echo},
};

}  // namespace

std::span<const Command> session_commands() { return kCommands; }

}  // namespace admin

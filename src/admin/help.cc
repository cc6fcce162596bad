#include "admin/help.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/text.h"

namespace admin {
namespace {

bool is_basic(const Command& command) {
  return command.name == "help" || command.name == "prompt" || command.name == "quit";
}

bool is_listed(const Command& command, const SessionState& session) {
  if (command.access > session.access || (command.flags & kHidden)) return false;
  if ((command.flags & kExpert) && !session.expert) return false;
  return !(command.flags & kExperimental) || session.experimental;
}

void append_line(std::string& out, const Command& command) {
  std::string usage(command.name);
  if (!command.arguments.empty())
    fmt::format_to(std::back_inserter(usage), " {}", command.arguments);
  fmt::format_to(std::back_inserter(out), "  {:<40}: {}\n", usage, command.doc);
}

// Those of the list that the session may run, then the three that everybody needs.
std::string list(const Catalogue& catalogue, const SessionState& session, auto wanted) {
  std::string out;
  for (const Command* command : catalogue.all())
    if (!is_basic(*command) && is_listed(*command, session) && wanted(*command))
      append_line(out, *command);
  for (const Command* command : catalogue.all())
    if (is_basic(*command)) append_line(out, *command);
  return out;
}

// The word at `index` of a command's name.
std::string_view word_at(std::string_view name, std::size_t index) {
  for (; index != 0; --index) {
    std::size_t blank = name.find(' ');
    if (blank == name.npos) return {};
    name.remove_prefix(blank + 1);
  }
  return name.substr(0, name.find(' '));
}

bool all_begin(const Command& command, std::span<const std::string> words) {
  for (std::size_t i = 0; i < words.size(); ++i)
    if (!word_at(command.name, i).starts_with(words[i])) return false;
  return true;
}

// How many leading words are the same; words behind them may be near or begin alike.
unsigned likeness(const Command& command, std::span<const std::string> words) {
  unsigned score = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string_view theirs = word_at(command.name, i);
    if (theirs.empty()) break;
    if (theirs == words[i]) {
      score += 4;
      continue;
    }
    if (theirs.starts_with(words[i]))
      score += 3;
    else if (!base::nearest(words[i], &theirs, 1).empty())
      score += 2;
    break;
  }
  return score;
}

}  // namespace

std::string help_text(const Catalogue& catalogue, const SessionState& session,
                      std::span<const std::string> words) {
  return "The following commands are valid at this level:\n" +
         list(catalogue, session, [&](const Command& c) { return all_begin(c, words); });
}

std::string unknown_command_text(const Catalogue& catalogue, const SessionState& session,
                                 std::span<const std::string> words) {
  unsigned best = 0;
  for (const Command* command : catalogue.all())
    if (is_listed(*command, session)) best = std::max(best, likeness(*command, words));
  std::string head = fmt::format("Unknown command: '{}'", words.empty() ? "" : words[0]);
  if (best == 0)
    return head + ". Please enter one of the following commands only:\n" +
           list(catalogue, session, [](const Command&) { return true; });
  return head + ", but maybe one of the following ones is a better match:\n" +
         list(catalogue, session, [&](const Command& c) { return likeness(c, words) == best; });
}

}  // namespace admin

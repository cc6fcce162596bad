#include "admin/command.h"

#include <fmt/format.h>

#include <algorithm>

#include "admin/help.h"

namespace admin {
namespace {

std::vector<std::string_view> words_of(std::string_view name) {
  std::vector<std::string_view> words;
  while (!name.empty()) {
    std::size_t end = std::min(name.find(' '), name.size());
    words.push_back(name.substr(0, end));
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  return words;
}

bool begins_with(std::span<const std::string> words, std::span<const std::string_view> name) {
  return words.size() >= name.size() && std::equal(name.begin(), name.end(), words.begin());
}

void run_script(Call& call) { static_cast<const ScriptCommand&>(call.command).function(call); }

}  // namespace

std::string_view name_of(Access access) {
  constexpr std::string_view kNames[] = {"user", "operator", "admin"};
  return kNames[static_cast<int>(access)];
}

bool parse_access(std::string_view text, Access& out) {
  for (Access access : {Access::user, Access::operator_, Access::admin}) {
    if (text != name_of(access)) continue;
    out = access;
    return true;
  }
  return false;
}

void Catalogue::insert(const Command* command) {
  auto at = std::lower_bound(commands_.begin(), commands_.end(), command,
                             [](const Command* a, const Command* b) { return a->name < b->name; });
  commands_.insert(at, command);
}

void Catalogue::add(std::span<const Command> table) {
  for (const Command& command : table) insert(&command);
}

base::Result<void> Catalogue::add(std::string words, std::string usage, Access access,
                                  std::function<void(Call&)> function) {
  for (const Command* known : commands_)
    if (known->name == words) return base::fail(fmt::format("command '{}' exists already", words));
  ScriptCommand& row = scripts_.emplace_back();
  row.words = std::move(words);
  row.usage = std::move(usage);
  row.function = std::move(function);
  row.name = row.words;
  row.doc = row.usage;
  row.access = access;
  row.run = run_script;
  insert(&row);
  return {};
}

Catalogue::Found Catalogue::find(std::span<const std::string> words) const {
  Found found;
  for (const Command* command : commands_) {
    auto name = words_of(command->name);
    if (name.size() > found.words && begins_with(words, name)) found = {command, name.size()};
  }
  return found;
}

void Call::say(obs::Level level, std::string_view text) {
  std::string out;
  if (session.severity == SeverityOutput::number)
    out = fmt::format("[{}]: ", static_cast<int>(level));
  else if (session.severity == SeverityOutput::string)
    out = fmt::format("[{}]: ", obs::name_of(level));
  out.append(text);
  if (out.empty() || out.back() != '\n') out.push_back('\n');
  print(out);
}

bool Call::require(Access access) {
  if (session.access >= access) return true;
  error("Permission denied");
  return false;
}

std::vector<std::string> split_words(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool inside = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    char c = line[i];
    if (base::is_space(c)) {
      if (inside) words.push_back(std::move(word));
      word.clear();
      inside = false;
      continue;
    }
    if (c == '\\' && i + 1 < line.size()) c = line[++i];
    word.push_back(c);
    inside = true;
  }
  if (inside) words.push_back(std::move(word));
  return words;
}

std::vector<std::string_view> split_commands(std::string_view line) {
  std::vector<std::string_view> commands;
  std::size_t start = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\') {
      ++i;
    } else if (line[i] == ';') {
      commands.push_back(line.substr(start, i - start));
      start = i + 1;
    }
  }
  commands.push_back(line.substr(start));
  return commands;
}

void run_command(Environment& environment, SessionState& session, Output& output,
                 std::string_view line, const std::string* payload) {
  std::vector<std::string> words = split_words(line);
  if (words.empty()) return;
  Catalogue::Found found = environment.catalogue.find(words);
  static constexpr Command kUnknown{};
  const Command& command = found.command ? *found.command : kUnknown;
  Call call(environment, session, output, command,
            std::span<const std::string>(words).subspan(found.words), payload);
  if (found.command == nullptr) {
    call.notice(unknown_command_text(environment.catalogue, session, words));
  } else if (session.access < command.access) {
    call.error("Permission denied");
  } else if ((command.flags & kExpert) && !session.expert) {
    call.error("This command is restricted to expert mode only.");
  } else if ((command.flags & kExperimental) && !session.experimental) {
    call.error("This command is restricted to experimental mode only.");
  } else {
    command.run(call);
  }
}

}  // namespace admin

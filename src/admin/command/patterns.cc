// ACL patterns and maps: show, add, set, del, clear, prepare, commit, get.
#include "state/patterns.h"

#include <fmt/format.h>

#include <optional>

#include "admin/command/families.h"
#include "base/text.h"
#include "expr/expression.h"
#include "expr/match.h"

namespace admin {
namespace {

// Each command exists for maps and for ACLs; the last word of its name tells which.
bool is_map(const Call& call) { return call.command.name.ends_with("map"); }
std::string_view noun(const Call& call) { return is_map(call) ? "map" : "ACL"; }

void unknown_set(Call& call) {
  call.error(fmt::format("Unknown {} identifier. Please use #<id> or <file>.", noun(call)));
}

// A name that is used for both is a map's; ACL commands reach it as well where that does no harm.
state::PatternSet* find_set(Call& call, std::string_view name) {
  state::PatternSet* set = name.empty() ? nullptr : call.env.patterns.find(name, is_map(call));
  if (set == nullptr) unknown_set(call);
  return set;
}

// Takes "@<version>" when it is the first argument.
std::optional<std::uint32_t> take_version(Call& call) {
  if (!call.arg(0).starts_with('@')) return std::nullopt;
  auto version = base::parse_int<std::uint32_t>(call.arg(0).substr(1));
  call.args = call.args.subspan(1);
  return version.value_or(0);
}

void list_sets(Call& call) {
  std::string out = "# id (file) description\n";
  for (const auto& set : call.env.patterns.all()) {
    if (set->is_map() != is_map(call)) continue;
    out += fmt::format("{} ({}) {} curr_ver={} next_ver={} entry_cnt={}\n", set->id(), set->name(),
                       set->description, set->current_version(), set->next_version(), set->size());
  }
  call.print(out);
}

void show(Call& call) {
  auto version = take_version(call);
  if (call.args.empty()) return list_sets(call);
  state::PatternSet* set = find_set(call, call.arg(0));
  if (set == nullptr) return;
  std::vector<std::string> lines;  // printing may wait, the lock may not be held then
  auto collect = [&](const state::PatternEntry& entry) {
    lines.push_back(set->is_map() ? fmt::format("0x{:x} {} {}\n", entry.id, entry.key, entry.value)
                                  : fmt::format("0x{:x} {}\n", entry.id, entry.key));
    return true;
  };
  if (version)
    set->each(*version, collect);
  else
    set->each(collect);
  for (const std::string& line : lines)
    if (!call.print(line)) return;
}

// One entry; false with the refusal printed.
bool add_entry(Call& call, state::PatternSet& set, std::optional<std::uint32_t> version,
               std::string_view key, std::string_view value) {
  std::string error;
  bool added = version && *version != set.current_version()
                   ? set.add_to(*version, key, value, &error)
                   : set.add(key, value, 0, &error);
  if (!added) call.error(error.empty() ? "Failed to add an entry." : error);
  return added;
}

void add_payload(Call& call, state::PatternSet& set, std::optional<std::uint32_t> version) {
  std::string_view rest = *call.payload();
  while (!rest.empty()) {
    std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = base::trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty()) continue;
    std::size_t blank = std::min(line.find_first_of(" \t"), line.size());
    if (!add_entry(call, set, version, line.substr(0, blank), base::trim(line.substr(blank))))
      return;
  }
}

bool version_in_future(Call& call, const state::PatternSet& set,
                       std::optional<std::uint32_t> version) {
  if (!version || *version <= set.next_version()) return false;
  call.error(fmt::format("Version number in the future, please use 'prepare {}' before.",
                         is_map(call) ? "map" : "acl"));
  return true;
}

void add(Call& call) {
  auto version = take_version(call);
  bool complete = is_map(call) ? call.args.size() >= 2 || (call.payload() && !call.args.empty())
                               : call.args.size() >= 2;
  if (!complete)
    return call.error(is_map(call)
                          ? "'add map' expects three parameters (map identifier, key and value) "
                            "or one parameter (map identifier) and a payload"
                          : "'add acl' expects two parameters: ACL identifier and pattern.");
  if (is_map(call) && !call.payload() && call.args.size() < 3)
    return call.error(
        "'add map' expects three parameters (map identifier, key and value) or one "
        "parameter (map identifier) and a payload");
  state::PatternSet* set = find_set(call, call.arg(0));
  if (set == nullptr || version_in_future(call, *set, version)) return;
  if (is_map(call) && call.payload())
    add_payload(call, *set, version);
  else
    add_entry(call, *set, version, call.arg(1), is_map(call) ? call.arg(2) : "");
}

// "#0x…" names an entry by what "show map" prints before it.
std::optional<std::uint64_t> reference(std::string_view text) {
  if (!text.starts_with("#0x")) return std::nullopt;
  return base::parse_int<std::uint64_t>(text.substr(3), 16);
}

void set_value(Call& call) {
  if (call.args.size() < 3)
    return call.error("'set map' expects three parameters: map identifier, key and value.");
  state::PatternSet* set = find_set(call, call.arg(0));
  if (set == nullptr) return;
  std::string error;
  if (call.arg(1).starts_with('#')) {
    auto id = reference(call.arg(1));
    if (!id) return call.error(fmt::format("Malformed identifier. Please use #<id> or <file>."));
    if (!set->set_by_id(*id, call.arg(2), &error))
      call.error(error.empty() ? "key or pattern not found." : error);
    return;
  }
  if (!set->set(call.arg(1), call.arg(2), &error))
    call.error(error.empty() ? "entry not found." : error);
}

void del(Call& call) {
  if (call.args.size() < 2)
    return call.error(fmt::format("This command expects two parameters: {} identifier and key.",
                                  is_map(call) ? "map" : "ACL"));
  state::PatternSet* set = find_set(call, call.arg(0));
  if (set == nullptr) return;
  std::string_view key = call.arg(1);
  bool removed;
  if (key.starts_with('#')) {
    auto id = reference(key);
    if (!id) return call.error("Malformed identifier. Please use #<id> or <file>.");
    removed = set->remove_by_id(*id);
  } else {
    removed = set->remove(key);
  }
  if (!removed) call.error("Key not found.");
}

void clear(Call& call) {
  auto version = take_version(call);
  if (call.args.empty()) return call.error(fmt::format("Missing {} identifier.", noun(call)));
  state::PatternSet* set = find_set(call, call.arg(0));
  if (set == nullptr) return;
  if (version && *version != set->current_version())
    set->clear_version(*version);
  else
    set->clear();
}

void prepare(Call& call) {
  state::PatternSet* set = find_set(call, call.arg(0));
  if (set != nullptr) call.notice(fmt::format("New version created: {}", set->prepare()));
}

void commit(Call& call) {
  if (!call.arg(0).starts_with('@')) return call.error("Missing version number.");
  auto version = take_version(call);
  if (call.args.empty()) return call.error(fmt::format("Missing {} identifier.", noun(call)));
  state::PatternSet* set = find_set(call, call.arg(0));
  if (set == nullptr) return;
  if (*version <= set->current_version() || *version > set->next_version() ||
      !set->commit(*version))
    call.error("Version number out of range.");
}

std::string_view word_of(expr::MatchMethod method) {
  using M = expr::MatchMethod;
  switch (method) {
    case M::string:
    case M::prefix:
    case M::ip:
    case M::integer:
    case M::suffix:
      return "tree";
    default:
      return "list";
  }
}

// What one index of the set makes of the text: "type=str, case=sensitive, found=yes, …"
std::string look_up(Call& call, expr::PatternIndex& index, std::string_view text) {
  base::Arena arena;
  const expr::IndexOptions& options = index.options();
  std::string out = fmt::format("type={}, case={}", name_of(options.method),
                                options.ignore_case ? "insensitive" : "sensitive");
  state::Value sample = state::Value::str(text);
  if (!expr::cast(sample, expr::match_input(options.method, sample.type), arena))
    return out + ", error";
  expr::MatchResult found;
  bool matched = index.match(sample, arena, &found);
  if (!is_map(call)) {
    out += matched ? fmt::format(", match=yes, idx={}, pattern=\"{}\"", word_of(options.method),
                                 found.key)
                   : ", match=no";
    return out;
  }
  if (!matched) return out + ", found=no";
  return out + fmt::format(", found=yes, idx={}, key=\"{}\", value=\"{}\", type=\"{}\"",
                           word_of(options.method), found.key, found.value,
                           state::name_of(options.value));
}

void get(Call& call) {
  if (call.args.size() < 2) {
    if (!is_map(call)) return call.error("Missing ACL identifier and/or key.");
    return call.error("Missing map identifier and/or key.");
  }
  state::PatternSet* set = find_set(call, call.arg(0));
  if (set == nullptr) return;
  for (const auto& observer : set->observers())
    if (auto* index = dynamic_cast<expr::PatternIndex*>(observer.get()))
      call.print(look_up(call, *index, call.arg(1)) + "\n");
}

constexpr Command kCommands[] = {
    {{"show map", "[@<ver>] [map]", "list maps or the entries of one"}, Access::user, show},
    {{"show acl", "[@<ver>] <acl>", "list pattern sets of ACLs or the patterns of one"},
     Access::user,
     show},
    {{"add map", "[@<ver>] <map> <key> <val>", "add a map entry (or entries, as payload)"},
     Access::user,
     add},
    {{"add acl", "[@<ver>] <acl> <pattern>", "add an ACL pattern"}, Access::user, add},
    {{"get map", "<map> <value>", "print what a map has for a text"}, Access::user, get},
    {{"get acl", "<acl> <value>", "print which pattern of an ACL matches a text"},
     Access::user,
     get},
    {{"set map", "<map> [<key>|#<ref>] <value>", "change the value of a map entry"},
     Access::user,
     set_value},
    {{"del map", "<map> [<key>|#<ref>]", "remove map entries"}, Access::user, del},
    {{"del acl", "<acl> [<key>|#<ref>]", "remove ACL patterns"}, Access::user, del},
    {{"clear map", "[@<ver>] <map>", "remove all entries of a map"}, Access::user, clear},
    {{"clear acl", "[@<ver>] <acl>", "remove all patterns of an ACL"}, Access::user, clear},
    {{"prepare map", "<map>", "begin a new version of a map"}, Access::user, prepare},
    {{"prepare acl", "<acl>", "begin a new version of an ACL"}, Access::user, prepare},
    {{"commit map", "@<ver> <map>", "let a prepared version of a map take over"},
     Access::user,
     commit},
    {{"commit acl", "@<ver> <acl>", "let a prepared version of an ACL take over"},
     Access::user,
     commit},
};

}  // namespace

std::span<const Command> pattern_commands() { return kCommands; }

}  // namespace admin

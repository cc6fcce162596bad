#include "state/variables.h"

#include <algorithm>
#include <array>
#include <deque>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "base/text.h"

namespace state {
namespace {

struct Names {
  std::shared_mutex mutex;
  std::deque<std::string> texts;
  std::unordered_map<std::string_view, std::uint32_t> ids;
};

Names& names() {
  static Names all;
  return all;
}

struct ScopeName {
  std::string_view text;
  Scope scope;
  bool of_parent = false;
};
constexpr std::array<ScopeName, 10> kScopes{{{"proc", Scope::process},
                                             {"sess", Scope::session},
                                             {"txn", Scope::transaction},
                                             {"req", Scope::request},
                                             {"res", Scope::response},
                                             {"check", Scope::check},
                                             {"psess", Scope::session, true},
                                             {"ptxn", Scope::transaction, true},
                                             {"preq", Scope::request, true},
                                             {"pres", Scope::response, true}}};

const ScopeName* scope_of(std::string_view text) {
  std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return nullptr;
  for (const ScopeName& s : kScopes)
    if (s.text == text.substr(0, dot)) return &s;
  return nullptr;
}

bool allowed(char c) {
  return base::is_alpha(c) || base::is_digit(c) || c == '_' || c == '.' || c == '-';
}

}  // namespace

bool is_known_variable(std::string_view name) {
  Names& all = names();
  std::shared_lock lock(all.mutex);
  return all.ids.contains(name);
}

std::uint32_t variable_id(std::string_view name) {
  Names& all = names();
  {
    std::shared_lock lock(all.mutex);
    if (auto it = all.ids.find(name); it != all.ids.end()) return it->second;
  }
  std::unique_lock lock(all.mutex);
  if (auto it = all.ids.find(name); it != all.ids.end()) return it->second;
  std::string_view kept = all.texts.emplace_back(name);
  auto id = static_cast<std::uint32_t>(all.texts.size());
  all.ids.emplace(kept, id);
  return id;
}

std::string_view variable_text(std::uint32_t id) {
  Names& all = names();
  std::shared_lock lock(all.mutex);
  return id == 0 || id > all.texts.size() ? std::string_view() : all.texts[id - 1];
}

std::optional<VariableName> parse_variable(std::string_view text) {
  const ScopeName* scope = scope_of(text);
  if (scope == nullptr) return std::nullopt;
  std::string_view name = text.substr(scope->text.size() + 1);
  if (name.empty() || !std::all_of(name.begin(), name.end(), allowed)) return std::nullopt;
  return VariableName{scope->scope, scope->of_parent ? 0 : variable_id(name)};
}

std::string variable_error(std::string_view text) {
  if (text.empty()) return "Empty variable name cannot be accepted";
  const ScopeName* scope = scope_of(text);
  if (scope == nullptr || text.size() == scope->text.size() + 1)
    return "invalid variable name '" + std::string(text) +
           "'. A variable name must start with its scope. The scope can be 'proc', '(p)sess', "
           "'(p)txn', '(p)req', '(p)res' or 'check'";
  for (char c : text)
    if (!allowed(c)) return std::string("invalid syntax at char '") + c + "'";
  return "invalid variable name '" + std::string(text) + "'";
}

std::string_view name_of(Scope scope) {
  for (const ScopeName& s : kScopes)
    if (s.scope == scope) return s.text;
  return "";
}

const OwnedValue* Variables::get(std::uint32_t id) const {
  for (const Entry& e : entries_)
    if (e.id == id) return e.value.empty() ? nullptr : &e.value;
  return nullptr;
}

void Variables::set(std::uint32_t id, const Value& value) {
  if (id == 0) return;
  for (Entry& e : entries_) {
    if (e.id != id) continue;
    e.value.assign(value);
    return;
  }
  entries_.push_back({id, OwnedValue(value)});
}

bool Variables::unset(std::uint32_t id) {
  for (Entry& e : entries_) {
    if (e.id != id || e.value.empty()) continue;
    e.value.clear();
    return true;
  }
  return false;
}

}  // namespace state

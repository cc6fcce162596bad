#include "state/patterns.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <mutex>

#include "base/text.h"

namespace state {

template <class F>
void PatternSet::tell(F f) {
  std::erase_if(observers_, [&](const std::weak_ptr<PatternObserver>& weak) {
    std::shared_ptr<PatternObserver> observer = weak.lock();
    if (observer) f(*observer);
    return observer == nullptr;
  });
}

void PatternSet::watch(Watcher watcher) {
  std::unique_lock lock(lock_);
  watchers_.push_back(std::move(watcher));
}

void PatternSet::announce(EventType change) {
  std::erase_if(watchers_, [&](const Watcher& watcher) { return !watcher(change); });
}

bool PatternSet::accepted(std::string_view key, std::string_view value, std::string* error) {
  bool good = true;
  std::string text;
  tell([&](PatternObserver& o) { good = good && o.accepts(key, value, text); });
  if (!good && error != nullptr) *error = std::move(text);
  return good;
}

void PatternSet::append(std::string_view key, std::string_view value, std::uint32_t version,
                        std::uint32_t line) {
  PatternEntry& entry = entries_.emplace_back(
      PatternEntry{next_entry_++, texts_.add(key), texts_.add(value), version, line});
  if (keys_indexed_) by_key_.emplace(entry.key, &entry);
  if (version == current_.load(std::memory_order_relaxed)) {
    tell([&](PatternObserver& o) { o.added(entry); });
    moved();
    announce(EventType::pattern_add);
  }
}

bool PatternSet::add(std::string_view key, std::string_view value, std::uint32_t line,
                     std::string* error) {
  std::unique_lock lock(lock_);
  if (!accepted(key, value, error)) return false;
  append(key, value, current_.load(std::memory_order_relaxed), line);
  return true;
}

void PatternSet::index_keys() {
  if (keys_indexed_) return;
  keys_indexed_ = true;
  by_key_.reserve(entries_.size());
  for (PatternEntry& e : entries_)
    if (!e.removed()) by_key_.emplace(e.key, &e);
}

// Observers keep entries, not values: there is nothing to tell them.
void PatternSet::change(PatternEntry& entry, std::string_view value) {
  if (entry.value == value) return;
  texts_.give_up(entry.value);
  entry.value = texts_.add(value);
  if (entry.version != current_.load(std::memory_order_relaxed)) return;
  moved();
  announce(EventType::pattern_set);
}

bool PatternSet::change_all(std::string_view key, std::string_view value) {
  index_keys();
  bool any = false;
  auto [from, to] = by_key_.equal_range(key);
  for (auto it = from; it != to; ++it) {
    if (it->second->version != current_.load(std::memory_order_relaxed)) continue;
    change(*it->second, value);
    any = true;
  }
  return any;
}

bool PatternSet::set(std::string_view key, std::string_view value, std::string* error) {
  std::unique_lock lock(lock_);
  if (!accepted(key, value, error)) return false;
  if (change_all(key, value)) {
    compact_if_worth();
    return true;
  }
  if (error != nullptr) *error = "entry not found";
  return false;
}

bool PatternSet::put(std::string_view key, std::string_view value, std::string* error) {
  std::unique_lock lock(lock_);
  if (!accepted(key, value, error)) return false;
  if (!change_all(key, value)) append(key, value, current_.load(std::memory_order_relaxed), 0);
  compact_if_worth();
  return true;
}

PatternEntry* PatternSet::by_id(std::uint64_t id) {
  auto it =
      std::lower_bound(entries_.begin(), entries_.end(), id,
                       [](const PatternEntry& e, std::uint64_t wanted) { return e.id < wanted; });
  return it == entries_.end() || it->id != id || it->removed() ? nullptr : &*it;
}

bool PatternSet::set_by_id(std::uint64_t id, std::string_view value, std::string* error) {
  std::unique_lock lock(lock_);
  PatternEntry* entry = by_id(id);
  if (entry == nullptr) {
    if (error != nullptr) *error = "entry not found";
    return false;
  }
  if (!accepted(entry->key, value, error)) return false;
  change(*entry, value);
  compact_if_worth();
  return true;
}

// Takes all entries from the observers and gives them the current ones of `kept`, with all texts in
// a new store.
void PatternSet::replace_entries(Entries kept) {
  tell([](PatternObserver& o) { o.cleared(); });
  by_key_.clear();
  keys_indexed_ = false;
  TextStore texts;
  for (PatternEntry& e : kept) {
    e.key = texts.add(e.key);
    e.value = texts.add(e.value);
  }
  entries_ = std::move(kept);
  texts_ = std::move(texts);
  removed_ = 0;
  const std::uint32_t current = current_.load(std::memory_order_relaxed);
  tell([&](PatternObserver& o) {
    o.expect(entries_.size());
    for (const PatternEntry& e : entries_)
      if (e.version == current) o.added(e);
    o.settled();
  });
}

// Takes it out of sight. What is left of removed entries goes when they outnumber the others, and
// texts when more were given up than are in use.
void PatternSet::drop(PatternEntry& entry) {
  if (entry.version == current_.load(std::memory_order_relaxed)) {
    tell([&](PatternObserver& o) { o.removed(entry); });
    moved();
    announce(EventType::pattern_del);
  }
  if (keys_indexed_) {
    auto [from, to] = by_key_.equal_range(entry.key);
    for (auto it = from; it != to; ++it) {
      if (it->second != &entry) continue;
      by_key_.erase(it);
      break;
    }
  }
  texts_.give_up(entry.key);
  texts_.give_up(entry.value);
  entry.key = entry.value = {};
  ++removed_;
  while (!entries_.empty() && entries_.front().removed()) {
    entries_.pop_front();  // a deque keeps the addresses of the others
    --removed_;
  }
  while (!entries_.empty() && entries_.back().removed()) {
    entries_.pop_back();
    --removed_;
  }
  compact_if_worth();
}

void PatternSet::compact_if_worth() {
  const bool entries = removed_ >= 1024 && removed_ * 2 >= entries_.size();
  const bool texts = texts_.wasted() >= 64 * 1024 && texts_.wasted() * 2 >= texts_.used();
  if (!entries && !texts) return;
  Entries kept;
  for (const PatternEntry& e : entries_)
    if (!e.removed()) kept.push_back(e);
  replace_entries(std::move(kept));
}

bool PatternSet::remove(std::string_view key) {
  std::unique_lock lock(lock_);
  bool any = false;
  for (;;) {
    index_keys();  // dropping may have thrown the index away
    PatternEntry* found = nullptr;
    auto [from, to] = by_key_.equal_range(key);
    for (auto it = from; it != to && found == nullptr; ++it)
      if (it->second->version == current_.load(std::memory_order_relaxed)) found = it->second;
    if (found == nullptr) return any;
    drop(*found);
    any = true;
  }
}

bool PatternSet::remove_by_id(std::uint64_t id) {
  std::unique_lock lock(lock_);
  PatternEntry* entry = by_id(id);
  if (entry == nullptr) return false;
  drop(*entry);
  return true;
}

void PatternSet::clear() {
  std::unique_lock lock(lock_);
  tell([](PatternObserver& o) { o.cleared(); });
  by_key_.clear();
  entries_.clear();
  texts_ = {};
  removed_ = 0;
  moved();
  announce(EventType::pattern_clear);
}

std::uint32_t PatternSet::prepare() { return newest_.fetch_add(1, std::memory_order_relaxed) + 1; }

bool PatternSet::add_to(std::uint32_t version, std::string_view key, std::string_view value,
                        std::string* error) {
  std::unique_lock lock(lock_);
  std::uint32_t current = current_.load(std::memory_order_relaxed);
  if (version < current || version > newest_.load(std::memory_order_relaxed)) {
    if (error != nullptr) *error = "unknown version";
    return false;
  }
  if (!accepted(key, value, error)) return false;
  append(key, value, version, 0);
  return true;
}

bool PatternSet::commit(std::uint32_t version) {
  std::unique_lock lock(lock_);
  std::uint32_t current = current_.load(std::memory_order_relaxed);
  if (version < current || version > newest_.load(std::memory_order_relaxed)) return false;
  Entries kept;
  for (const PatternEntry& e : entries_)
    if (!e.removed() && e.version >= version) kept.push_back(e);
  current_.store(version, std::memory_order_relaxed);
  replace_entries(std::move(kept));
  moved();
  announce(EventType::pattern_commit);
  return true;
}

void PatternSet::clear_version(std::uint32_t version) {
  std::unique_lock lock(lock_);
  const bool visible = version == current_.load(std::memory_order_relaxed);
  Entries kept;
  for (const PatternEntry& e : entries_)
    if (!e.removed() && e.version != version) kept.push_back(e);
  replace_entries(std::move(kept));
  if (!visible) return;
  moved();
  announce(EventType::pattern_clear);
}

std::size_t PatternSet::size() const {
  std::size_t n = 0;
  each([&](const PatternEntry&) { return ++n, true; });
  return n;
}

void PatternSet::each(std::uint32_t version,
                      const std::function<bool(const PatternEntry&)>& visit) const {
  std::shared_lock lock(lock_);
  for (const PatternEntry& e : entries_)
    if (!e.removed() && e.version == version && !visit(e)) return;
}

void PatternSet::each(const std::function<bool(const PatternEntry&)>& visit) const {
  each(current_version(), visit);
}

std::vector<std::shared_ptr<PatternObserver>> PatternSet::observers() const {
  std::shared_lock lock(lock_);
  std::vector<std::shared_ptr<PatternObserver>> alive;
  for (const auto& observer : observers_)
    if (auto held = observer.lock()) alive.push_back(std::move(held));
  return alive;
}

base::Result<void> PatternSet::attach(const std::shared_ptr<PatternObserver>& observer) {
  constexpr std::size_t kTold = 20;
  std::unique_lock lock(lock_);
  const std::uint32_t current = current_.load(std::memory_order_relaxed);
  std::size_t refused = 0;
  std::string errors, error;
  observer->expect(entries_.size());
  for (const PatternEntry& e : entries_) {
    if (e.removed() || e.version != current || observer->adopt(e, error)) continue;
    if (e.line != 0) error += fmt::format(" at line {} of file '{}'", e.line, name_);
    if (refused++ < kTold) errors += (errors.empty() ? "" : "\n") + error;
    error.clear();
  }
  if (refused > kTold) errors += fmt::format("\nand {} more", refused - kTold);
  if (refused != 0) return base::fail(std::move(errors));
  observer->settled();
  observers_.push_back(observer);
  return {};
}

void PatternSet::each_observer(
    const std::function<void(const std::shared_ptr<PatternObserver>&)>& visit) const {
  std::shared_lock lock(lock_);
  for (const auto& weak : observers_)
    if (auto observer = weak.lock()) visit(observer);
}

namespace {

// Without leading blanks; nothing for comments and empty lines (manual section 7.1, "-f").
std::string_view pattern_line(std::string_view line) {
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  if (!line.empty() && line.front() == '#') return {};
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  return line;
}

// Calls `take` with each line of a file and its number, without its end. False on an error.
template <class Take>
bool each_line(std::FILE* file, Take take) {
  std::vector<char> buffer(256 * 1024);
  std::size_t kept = 0;  // bytes of a line that has not ended
  std::uint32_t number = 0;
  for (;;) {
    if (kept == buffer.size()) buffer.resize(buffer.size() * 2);
    const std::size_t got = std::fread(buffer.data() + kept, 1, buffer.size() - kept, file);
    std::string_view rest(buffer.data(), kept + got);
    for (std::size_t end = rest.find('\n', kept); end != rest.npos; end = rest.find('\n')) {
      take(rest.substr(0, end), ++number);
      rest.remove_prefix(end + 1);
    }
    if (got == 0) {
      if (!rest.empty()) take(rest, ++number);
      return std::ferror(file) == 0;
    }
    kept = rest.size();
    std::memmove(buffer.data(), rest.data(), kept);
  }
}

bool strip(std::string& name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return false;
  name.erase(0, prefix.size());
  return true;
}

}  // namespace

void PatternSet::load_line(std::string_view line, std::uint32_t number) {
  line = pattern_line(line);
  if (line.empty()) return;
  std::string_view key = line, value;
  if (is_map_) {
    key = line.substr(0, line.find_first_of(" \t"));
    value = base::trim(line.substr(key.size()));
  }
  entries_.push_back({next_entry_++, texts_.add(key), texts_.add(value), 0, number});
}

base::Result<void> PatternSet::load(const std::string& path, bool optional) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"),
                                                       [](std::FILE* f) { return std::fclose(f); });
  if (file == nullptr) {
    if (optional && errno == ENOENT) return {};
    return base::fail(fmt::format("failed to open pattern file <{}>", path));
  }
  std::setvbuf(file.get(), nullptr, _IONBF, 0);
  auto take = [&](std::string_view line, std::uint32_t number) { load_line(line, number); };
  if (each_line(file.get(), take)) return {};
  return base::fail(fmt::format("error encountered while reading  <{}>", path));
}

PatternSet& PatternSets::create(std::string name, bool is_map, int unique_id) {
  unsigned id = unique_id >= 0 ? static_cast<unsigned>(unique_id) : 0;
  if (unique_id < 0) {
    auto taken = [&](unsigned n) {
      return std::any_of(sets_.begin(), sets_.end(), [&](const auto& s) { return s->id() == n; });
    };
    id = static_cast<unsigned>(sets_.size());
    while (taken(id)) ++id;
  }
  return *sets_.emplace_back(std::make_unique<PatternSet>(std::move(name), is_map, id));
}

base::Result<PatternSet*> PatternSets::open(const std::string& name, bool is_map) {
  std::string path = name;
  bool is_virtual = path.starts_with("virt@");
  bool optional = !is_virtual && strip(path, "opt@");
  if (!is_virtual && !optional) strip(path, "file@");
  if (PatternSet* known = find(path)) {
    if (known->is_map() == is_map) return known;
    return base::fail(
        fmt::format("The file \"{}\" is already used as {} column file and cannot be used by as {} "
                    "column file.",
                    path, is_map ? "one" : "two", is_map ? "two" : "one"));
  }
  if (sealed_) return base::fail(fmt::format("cannot load '{}' at run time", path));
  PatternSet& set = create(path, is_map, -1);
  if (is_virtual) return &set;
  if (auto loaded = set.load(path, optional); !loaded) {
    sets_.pop_back();
    return base::fail(loaded.error());
  }
  return &set;
}

PatternSet& PatternSets::create_anonymous(const std::string& description, int unique_id) {
  PatternSet& set = create("", false, unique_id);
  set.description = description;
  return set;
}

PatternSet* PatternSets::find(std::string_view name) const {
  if (name.empty()) return nullptr;
  if (name.front() == '#') {
    auto id = base::parse_int<unsigned>(name.substr(1));
    for (const auto& s : sets_)
      if (id && s->id() == *id) return s.get();
    return nullptr;
  }
  for (const auto& s : sets_)
    if (s->name() == name) return s.get();
  return nullptr;
}

PatternSet* PatternSets::find(std::string_view name, bool is_map) const {
  PatternSet* set = find(name);
  return set != nullptr && set->is_map() == is_map ? set : nullptr;
}

}  // namespace state

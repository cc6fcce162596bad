#include "state/stick_table.h"

#include <xxhash.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "rt/time.h"
#include "state/spin_lock.h"

namespace state {

// Lists and references are the shard's, under its lock; data is under the entry's own.
struct StickEntry {
  StickEntry* next;   // in its bucket, or free ones
  StickEntry* older;  // in the list of those that nobody tracks
  StickEntry* newer;
  std::uint64_t hash;
  std::atomic<std::int64_t> touched_ms;
  std::atomic<std::uint32_t> references;
  std::uint32_t key_length;
  SpinLock lock;
  bool live;
  // Data, then the key.
  char* data() { return reinterpret_cast<char*>(this + 1); }
};

namespace {

constexpr std::uint32_t kShards = 16;
constexpr std::uint32_t kSmall = 1024;  // tables up to this size keep one exact order of age
constexpr int kSweepAtOnce = 256;

template <class T>
T& field(StickEntry& entry, std::uint32_t offset) {
  return *reinterpret_cast<T*>(entry.data() + offset);
}

std::uint32_t size_of(StickKind kind) {
  switch (kind) {
    case StickKind::number:
      return sizeof(std::uint32_t);
    case StickKind::large_number:
      return sizeof(std::uint64_t);
    case StickKind::rate:
      return sizeof(StickRate);
    case StickKind::text:
      return sizeof(const std::string*);
  }
  return 0;
}

// Keys of servers are few and named again and again: each is kept once, for ever.
const std::string* interned(std::string_view text) {
  static std::mutex mutex;
  static std::map<std::string, bool, std::less<>> known;
  const std::lock_guard guard(mutex);
  auto found = known.find(text);
  if (found == known.end()) found = known.emplace(text, true).first;
  return &found->first;
}

}  // namespace

std::string_view key_type_name(Type type) {
  switch (type) {
    case Type::ipv4:
      return "ip";
    case Type::ipv6:
      return "ipv6";
    case Type::integer:
      return "integer";
    case Type::binary:
      return "binary";
    default:
      return "string";
  }
}

std::int64_t stick_clock_ms() {
  return std::chrono::duration_cast<rt::milliseconds>(rt::now().time_since_epoch()).count();
}

// --- layout -------------------------------------------------------------------------------------

StickTable::StickTable(StickSettings settings) : settings_(std::move(settings)) {
  lay_out();
  shard_count_ = settings_.size <= kSmall ? 1 : kShards;
  shards_ = std::make_unique<Shard[]>(shard_count_);
}

StickTable::~StickTable() = default;

void StickTable::lay_out() {
  std::uint32_t at = 0;
  // The widest first, so that all are aligned.
  for (std::uint32_t width : {8u, 4u})
    for (std::size_t i = 0; i < kStickDataTypes; ++i) {
      StickColumn& column = settings_.columns[i];
      const std::uint32_t size = size_of(info_of(static_cast<StickData>(i)).kind);
      if (column.elements == 0 || (size % 8 == 0) != (width == 8)) continue;
      column.offset = at;
      at += size * column.elements;
    }
  data_size_ = (at + 7) & ~7u;
  entry_size_ =
      (static_cast<std::uint32_t>(sizeof(StickEntry)) + data_size_ + settings_.key_size + 7) & ~7u;
  for (std::size_t i = 0; i < counters_.size(); ++i) {
    const StickEventData data = data_of(static_cast<StickEvent>(i));
    counters_[i] = place_of(data.counter, 0);
    rates_[i] = place_of(data.rate, 0);
  }
}

void StickTable::store(StickData data) {
  StickColumn& column = settings_.column(data);
  if (column.elements != 0) return;
  column.elements = 1;
  lay_out();
}

StickTable::Place StickTable::place_of(StickData data, unsigned index) const {
  const StickColumn* column = &settings_.column(data);
  if (column->elements == 0) {
    switch (data) {
      case StickData::gpc0:
      case StickData::gpc1:
        index = data == StickData::gpc1 ? 1 : 0;
        data = StickData::gpc;
        break;
      case StickData::gpc0_rate:
      case StickData::gpc1_rate:
        index = data == StickData::gpc1_rate ? 1 : 0;
        data = StickData::gpc_rate;
        break;
      case StickData::gpt0:
        index = 0;
        data = StickData::gpt;
        break;
      default:
        return {};
    }
    column = &settings_.column(data);
  }
  if (index >= column->elements) return {};
  const StickKind kind = info_of(data).kind;
  return {column->offset + index * size_of(kind), column->period_ms, kind, true};
}

std::string_view StickTable::key_of(const Value& value, base::Arena& arena) const {
  switch (settings_.key) {
    case Type::ipv4:
      return arena.copy({reinterpret_cast<const char*>(&value.v4), sizeof value.v4});
    case Type::ipv6:
      return arena.copy({reinterpret_cast<const char*>(&value.v6), sizeof value.v6});
    case Type::integer: {
      const auto number = static_cast<std::uint32_t>(value.integer);
      return arena.copy({reinterpret_cast<const char*>(&number), sizeof number});
    }
    case Type::binary: {
      if (value.text.size() >= settings_.key_size) return value.text.substr(0, settings_.key_size);
      char* padded = arena.allocate_chars(settings_.key_size);
      std::memset(padded, 0, settings_.key_size);
      if (!value.text.empty()) std::memcpy(padded, value.text.data(), value.text.size());
      return {padded, settings_.key_size};
    }
    default:
      return value.text.substr(0, std::min<std::size_t>(value.text.find('\0'), settings_.key_size));
  }
}

// --- entries of a shard; its lock is held
// ---------------------------------------------------------

std::uint64_t StickTable::hash_of(std::string_view key) {
  return XXH3_64bits(key.data(), key.size());
}

StickEntry* StickTable::at(Shard& shard, std::uint32_t index) const {
  char* block = shard.blocks[index / kBlock].get();
  return reinterpret_cast<StickEntry*>(block + std::size_t{index % kBlock} * entry_size_);
}

bool StickTable::expired(const StickEntry& entry, std::int64_t now_ms) const {
  return settings_.expire_ms != 0 && entry.references.load(std::memory_order_relaxed) == 0 &&
         entry.touched_ms.load(std::memory_order_relaxed) + settings_.expire_ms <= now_ms;
}

void StickTable::append(Shard& shard, StickEntry& entry) {
  entry.newer = nullptr;
  entry.older = shard.newest;
  (shard.newest == nullptr ? shard.oldest : shard.newest->newer) = &entry;
  shard.newest = &entry;
}

void StickTable::unlink(Shard& shard, StickEntry& entry) {
  (entry.older == nullptr ? shard.oldest : entry.older->newer) = entry.newer;
  (entry.newer == nullptr ? shard.newest : entry.newer->older) = entry.older;
}

void StickTable::grow(Shard& shard) {
  std::vector<StickEntry*> wider(std::max<std::size_t>(16, shard.buckets.size() * 2));
  for (StickEntry* entry : shard.buckets)
    while (entry != nullptr) {
      StickEntry*& head = wider[entry->hash & (wider.size() - 1)];
      StickEntry* next = std::exchange(entry->next, head);
      head = std::exchange(entry, next);
    }
  shard.buckets = std::move(wider);
}

// What has expired is gone for whoever asks, whether it was swept yet or not.
StickEntry* StickTable::live(Shard& shard, std::string_view key, std::int64_t now_ms) {
  if (shard.buckets.empty()) return nullptr;
  const std::uint64_t hash = hash_of(key);
  StickEntry* entry = shard.buckets[hash & (shard.buckets.size() - 1)];
  for (; entry != nullptr; entry = entry->next) {
    if (entry->hash != hash || StickRow(*this, *entry).key_bytes() != key) continue;
    if (!expired(*entry, now_ms)) return entry;
    drop(shard, *entry);
    return nullptr;
  }
  return nullptr;
}

void StickTable::drop(Shard& shard, StickEntry& entry) {
  StickEntry** link = &shard.buckets[entry.hash & (shard.buckets.size() - 1)];
  while (*link != &entry) link = &(*link)->next;
  *link = entry.next;
  unlink(shard, entry);
  entry.live = false;
  entry.next = shard.free;
  shard.free = &entry;
  --shard.entries;
  used_.fetch_sub(1, std::memory_order_relaxed);
}

StickEntry* StickTable::take_free(Shard& shard) {
  if (shard.free == nullptr) {
    const std::size_t size = std::size_t{entry_size_} * kBlock;
    shard.blocks.emplace_back(new char[size]);
    const auto first = static_cast<std::uint32_t>((shard.blocks.size() - 1) * kBlock);
    for (std::uint32_t i = kBlock; i-- > 0;) {
      StickEntry* entry = new (at(shard, first + i)) StickEntry{};
      entry->next = std::exchange(shard.free, entry);
    }
  }
  StickEntry* entry = shard.free;
  shard.free = entry->next;
  return entry;
}

StickEntry* StickTable::make(Shard& shard, std::uint64_t hash, std::string_view key) {
  if (shard.entries >= shard.buckets.size()) grow(shard);
  StickEntry* entry = take_free(shard);
  entry->hash = hash;
  entry->key_length = static_cast<std::uint32_t>(key.size());
  entry->references.store(0, std::memory_order_relaxed);
  entry->live = true;
  std::memset(entry->data(), 0, data_size_);
  std::memcpy(entry->data() + data_size_, key.data(), key.size());
  StickEntry*& head = shard.buckets[hash & (shard.buckets.size() - 1)];
  entry->next = head;
  head = entry;
  ++shard.entries;
  append(shard, *entry);
  return entry;
}

bool StickTable::drop_oldest(Shard& shard) {
  if (shard.oldest == nullptr) return false;
  drop(shard, *shard.oldest);
  return true;
}

void StickTable::hold(Shard& shard, StickEntry& entry, std::int64_t now_ms) {
  if (entry.references.fetch_add(1, std::memory_order_relaxed) == 0) unlink(shard, entry);
  entry.touched_ms.store(now_ms, std::memory_order_relaxed);
}

// --- the table
// ------------------------------------------------------------------------------------

// Takes a place of the table's size; other shards give theirs when this one has none to give.
bool StickTable::make_room(Shard& near) {
  if (used_.fetch_add(1, std::memory_order_relaxed) < settings_.size) return true;
  bool made = false;
  if (!settings_.nopurge) {
    {
      const std::lock_guard guard(near.mutex);
      made = drop_oldest(near);
    }
    for (std::uint32_t i = 0; i < shard_count_ && !made; ++i) {
      if (&shards_[i] == &near) continue;
      const std::lock_guard guard(shards_[i].mutex);
      made = drop_oldest(shards_[i]);
    }
  }
  if (!made) used_.fetch_sub(1, std::memory_order_relaxed);
  return made;
}

StickRef StickTable::find(std::string_view key, std::int64_t now_ms) {
  Shard& shard = shard_of(hash_of(key));
  const std::lock_guard guard(shard.mutex);
  StickEntry* entry = live(shard, key, now_ms);
  if (entry == nullptr) return {};
  hold(shard, *entry, now_ms);
  return {*this, *entry};
}

StickRef StickTable::open(std::string_view key, std::int64_t now_ms) {
  if (StickRef found = find(key, now_ms)) return found;
  const std::uint64_t hash = hash_of(key);
  Shard& shard = shard_of(hash);
  if (!make_room(shard)) {
    sweep(now_ms);
    if (!make_room(shard)) return {};
  }
  const std::lock_guard guard(shard.mutex);
  StickEntry* entry = live(shard, key, now_ms);
  if (entry != nullptr)  // another worker made it meanwhile
    used_.fetch_sub(1, std::memory_order_relaxed);
  else
    entry = make(shard, hash, key);
  hold(shard, *entry, now_ms);
  return {*this, *entry};
}

void StickTable::release(StickEntry& entry, std::int64_t now_ms) {
  Shard& shard = shard_of(entry.hash);
  const std::lock_guard guard(shard.mutex);
  entry.touched_ms.store(now_ms, std::memory_order_relaxed);
  if (entry.references.fetch_sub(1, std::memory_order_relaxed) == 1) append(shard, entry);
}

StickTable::Removal StickTable::remove(std::string_view key) {
  Shard& shard = shard_of(hash_of(key));
  const std::lock_guard guard(shard.mutex);
  StickEntry* entry = live(shard, key, stick_clock_ms());
  if (entry == nullptr) return Removal::missing;
  if (entry->references.load(std::memory_order_relaxed) != 0) return Removal::tracked;
  drop(shard, *entry);
  return Removal::done;
}

// Where very many expire at once, some are left for the next time: others want the worker.
void StickTable::sweep(std::int64_t now_ms) {
  if (settings_.expire_ms == 0) return;
  const rt::Instant end = rt::precise_now() + rt::milliseconds(1);
  for (std::uint32_t i = 0; i < shard_count_; ++i) {
    Shard& shard = shards_[i];
    int dropped = kSweepAtOnce;
    while (dropped == kSweepAtOnce) {
      const std::lock_guard guard(shard.mutex);
      for (dropped = 0; dropped < kSweepAtOnce && shard.oldest != nullptr; ++dropped) {
        if (!expired(*shard.oldest, now_ms)) break;
        drop(shard, *shard.oldest);
      }
      if (rt::precise_now() >= end) break;
    }
  }
}

// A place is the shard, then the block in it.
bool StickTable::scan(std::uint64_t& place, std::int64_t now_ms,
                      const std::function<bool(const StickRow&)>& visit) {
  auto number = static_cast<std::uint32_t>(place >> 32);
  auto block = static_cast<std::uint32_t>(place);
  if (number >= shard_count_) return false;
  Shard& shard = shards_[number];
  const std::lock_guard guard(shard.mutex);
  if (block >= shard.blocks.size()) {
    place = std::uint64_t{number + 1} << 32;
    return number + 1 < shard_count_;
  }
  for (std::uint32_t i = 0; i < kBlock; ++i) {
    StickEntry* entry = at(shard, block * kBlock + i);
    if (!entry->live || expired(*entry, now_ms)) continue;
    if (visit(StickRow(*this, *entry)) && entry->references.load(std::memory_order_relaxed) == 0)
      drop(shard, *entry);
  }
  ++place;
  return true;
}

// --- one entry
// ------------------------------------------------------------------------------------

std::string_view StickRow::key_bytes() const {
  return {entry_->data() + table_->data_size_, entry_->key_length};
}

Value StickRow::key() const {
  const std::string_view bytes = key_bytes();
  Value value;
  switch (value.type = table_->settings_.key) {
    case Type::ipv4:
      std::memcpy(&value.v4, bytes.data(), sizeof value.v4);
      break;
    case Type::ipv6:
      std::memcpy(&value.v6, bytes.data(), sizeof value.v6);
      break;
    case Type::integer: {
      std::uint32_t number;
      std::memcpy(&number, bytes.data(), sizeof number);
      value.integer = number;
      break;
    }
    default:
      value.text = bytes;
  }
  return value;
}

std::uint32_t StickRow::references() const {
  return entry_->references.load(std::memory_order_relaxed);
}

std::int64_t StickRow::expires_in(std::int64_t now_ms) const {
  const std::int64_t expire = table_->settings_.expire_ms;
  return expire == 0 ? 0 : std::max<std::int64_t>(0, expire - idle(now_ms));
}

std::int64_t StickRow::idle(std::int64_t now_ms) const {
  return std::max<std::int64_t>(0, now_ms - entry_->touched_ms.load(std::memory_order_relaxed));
}

std::optional<std::uint64_t> StickRow::get(StickData data, unsigned index,
                                           std::int64_t now_ms) const {
  const StickTable::Place place = table_->place_of(data, index);
  if (!place.stored || place.kind == StickKind::text) return std::nullopt;
  const std::lock_guard guard(entry_->lock);
  switch (place.kind) {
    case StickKind::number:
      return field<std::uint32_t>(*entry_, place.offset);
    case StickKind::large_number:
      return field<std::uint64_t>(*entry_, place.offset);
    default: {
      const bool bytes = data == StickData::bytes_in_rate || data == StickData::bytes_out_rate;
      const std::uint64_t events = field<StickRate>(*entry_, place.offset)
                                       .read(static_cast<std::uint32_t>(now_ms), place.period_ms);
      return bytes ? events * table_->settings_.byte_factor : events;
    }
  }
}

bool StickRow::set(StickData data, unsigned index, std::uint64_t value, std::int64_t now_ms) const {
  const StickTable::Place place = table_->place_of(data, index);
  if (!place.stored || place.kind == StickKind::text) return false;
  const std::lock_guard guard(entry_->lock);
  if (place.kind == StickKind::number)
    field<std::uint32_t>(*entry_, place.offset) = static_cast<std::uint32_t>(value);
  else if (place.kind == StickKind::large_number)
    field<std::uint64_t>(*entry_, place.offset) = value;
  else
    field<StickRate>(*entry_, place.offset)
        .set(static_cast<std::uint32_t>(now_ms), static_cast<std::uint32_t>(value));
  return true;
}

std::optional<std::uint64_t> StickRow::increase(StickData counter, StickData rate, unsigned index,
                                                std::uint32_t n, std::int64_t now_ms) const {
  const StickTable::Place count = table_->place_of(counter, index);
  const StickTable::Place often = table_->place_of(rate, index);
  const auto now = static_cast<std::uint32_t>(now_ms);
  std::optional<std::uint64_t> value;
  const std::lock_guard guard(entry_->lock);
  if (often.stored && often.kind == StickKind::rate) {  // conn_cnt has none to go with it
    StickRate& events = field<StickRate>(*entry_, often.offset);
    events.add(now, often.period_ms, n);
    value = events.read(now, often.period_ms);
  }
  if (count.stored) value = field<std::uint32_t>(*entry_, count.offset) += n;
  return value;
}

std::optional<std::uint64_t> StickRow::clear(StickData data, unsigned index) const {
  const StickTable::Place place = table_->place_of(data, index);
  if (!place.stored || place.kind != StickKind::number) return std::nullopt;
  const std::lock_guard guard(entry_->lock);
  return std::exchange(field<std::uint32_t>(*entry_, place.offset), 0);
}

void StickRow::count(StickEvent event, std::uint64_t n, std::int64_t now_ms) const {
  const StickTable::Place& count = table_->counters_[static_cast<std::size_t>(event)];
  const StickTable::Place& often = table_->rates_[static_cast<std::size_t>(event)];
  if (!count.stored && !often.stored) return;
  const bool bytes = event == StickEvent::bytes_in || event == StickEvent::bytes_out;
  const std::lock_guard guard(entry_->lock);
  if (count.stored && bytes)
    field<std::uint64_t>(*entry_, count.offset) += n;
  else if (count.stored)
    field<std::uint32_t>(*entry_, count.offset) += static_cast<std::uint32_t>(n);
  if (!often.stored) return;
  if (bytes) {
    const std::uint32_t factor = table_->settings_.byte_factor;
    n = (n + factor / 2) / factor;
  }
  field<StickRate>(*entry_, often.offset)
      .add(static_cast<std::uint32_t>(now_ms), often.period_ms, static_cast<std::uint32_t>(n));
}

void StickRow::count_current(int change) const {
  const StickTable::Place place = table_->place_of(StickData::conn_cur, 0);
  if (!place.stored) return;
  const std::lock_guard guard(entry_->lock);
  auto& current = field<std::uint32_t>(*entry_, place.offset);
  // "set table" may have made it smaller meanwhile.
  if (change > 0 || current != 0) current += static_cast<std::uint32_t>(change);
}

std::string_view StickRow::server_key() const {
  const StickTable::Place place = table_->place_of(StickData::server_key, 0);
  if (!place.stored) return {};
  const std::lock_guard guard(entry_->lock);
  const auto* key = field<const std::string*>(*entry_, place.offset);
  return key == nullptr ? std::string_view() : std::string_view(*key);
}

void StickRow::set_server_key(std::string_view key) const {
  const StickTable::Place place = table_->place_of(StickData::server_key, 0);
  if (!place.stored || server_key() == key) return;
  const std::string* kept = interned(key);
  const std::lock_guard guard(entry_->lock);
  field<const std::string*>(*entry_, place.offset) = kept;
}

void StickRef::begin_tracking(std::int64_t now_ms) {
  count(StickEvent::connection, 1, now_ms);
  count_current(1);
  counted_ = true;
}

void StickRef::release() {
  if (entry_ == nullptr) return;
  if (std::exchange(counted_, false)) count_current(-1);
  table_->release(*std::exchange(entry_, nullptr), stick_clock_ms());
}

// --- all tables
// -----------------------------------------------------------------------------------

StickTable& StickTables::add(StickSettings settings) {
  StickTable& table = *tables_.emplace_back(std::make_unique<StickTable>(std::move(settings)));
  by_name_.emplace(table.name(), &table);
  return table;
}

StickTable* StickTables::find(std::string_view name) const {
  auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

void StickTables::sweep(std::int64_t now_ms) {
  for (const auto& table : tables_) table->sweep(now_ms);
}

}  // namespace state

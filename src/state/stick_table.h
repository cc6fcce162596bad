// Tables of keys with counters ("stick-table", manual section 11). Keys are spread over shards,
// each with its lock and its list of entries from the longest untouched to the last touched: since
// all entries of a table live equally long, that is the order in which they expire and in which
// they make room. An entry that somebody tracks stands in no such list, so it neither expires nor
// goes. Found by name; any thread; no lock is held across a wait.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "state/stick_data.h"
#include "state/value.h"

namespace state {

struct StickColumn {
  std::uint32_t elements = 0;   // 0: not stored; 1 but for arrays
  std::uint32_t period_ms = 0;  // of rates
  std::uint32_t offset = 0;     // in the entry's data, set by StickTable
};

std::string_view key_type_name(Type type);  // as "show table" and scripts see it

struct StickSettings {
  std::string name;
  Type key = Type::any;        // ipv4, ipv6, integer, string or binary
  std::uint32_t key_size = 0;  // most bytes of a key
  std::uint32_t size = 0;
  std::int64_t expire_ms = 0;  // 0: never
  bool nopurge = false;
  bool receive_only = false;
  bool server_by_address = false;  // srvkey addr
  std::uint32_t byte_factor = 1;   // brates-factor
  std::string write_to;
  std::string declared_in, declared_at;  // "proxy 'x'", "file:line", for messages
  std::array<StickColumn, kStickDataTypes> columns{};

  StickColumn& column(StickData data) { return columns[static_cast<std::size_t>(data)]; }
  const StickColumn& column(StickData data) const {
    return columns[static_cast<std::size_t>(data)];
  }
};

class StickTable;
struct StickEntry;

// One entry while it cannot go away: because a StickRef holds it, or the shard is locked. Each call
// locks the entry. Values that the table does not store are nothing.
class StickRow {
 public:
  StickRow() = default;
  StickRow(StickTable& table, StickEntry& entry) : table_(&table), entry_(&entry) {}

  StickTable& table() const { return *table_; }
  const void* address() const { return entry_; }
  std::string_view key_bytes() const;
  Value key() const;
  std::uint32_t references() const;
  std::int64_t expires_in(std::int64_t now_ms) const;  // 0: it never does, or it is tracked
  std::int64_t idle(std::int64_t now_ms) const;

  // Rates are asked at `now_ms`. gpc0, gpc1, gpt0 and their rates find their place in the arrays of
  // tables that store those instead.
  std::optional<std::uint64_t> get(StickData data, unsigned index, std::int64_t now_ms) const;
  bool set(StickData data, unsigned index, std::uint64_t value, std::int64_t now_ms) const;
  // Adds to a general purpose counter and its rate; the new count, or the rate where only that is
  // stored.
  std::optional<std::uint64_t> increase(StickData counter, StickData rate, unsigned index,
                                        std::uint32_t n, std::int64_t now_ms) const;
  // Sets to zero, returns what it was.
  std::optional<std::uint64_t> clear(StickData data, unsigned index) const;
  void count(StickEvent event, std::uint64_t n, std::int64_t now_ms) const;
  void count_current(int change) const;  // conn_cur
  std::string_view server_key() const;   // lives for ever
  void set_server_key(std::string_view key) const;

 protected:
  StickTable* table_ = nullptr;
  StickEntry* entry_ = nullptr;
};

// Holds an entry; gives it back, touched, at its end. Belongs to one thread at a time.
class StickRef : public StickRow {
 public:
  StickRef() = default;
  StickRef(StickRef&& other) noexcept
      : StickRow(other), counted_(std::exchange(other.counted_, false)) {
    other.entry_ = nullptr;
  }
  StickRef& operator=(StickRef&& other) noexcept {
    if (this != &other) {
      release();
      table_ = other.table_;
      entry_ = std::exchange(other.entry_, nullptr);
      counted_ = std::exchange(other.counted_, false);
    }
    return *this;
  }
  ~StickRef() { release(); }
  explicit operator bool() const { return entry_ != nullptr; }
  // Counts a connection, which is a current one until the release.
  void begin_tracking(std::int64_t now_ms);
  void release();

 private:
  friend class StickTable;
  StickRef(StickTable& table, StickEntry& entry) : StickRow(table, entry) {}
  bool counted_ = false;
};

class StickTable {
 public:
  explicit StickTable(StickSettings settings);
  ~StickTable();
  StickTable(const StickTable&) = delete;
  StickTable& operator=(const StickTable&) = delete;

  const StickSettings& settings() const { return settings_; }
  const std::string& name() const { return settings_.name; }
  std::uint32_t used() const { return used_.load(std::memory_order_relaxed); }
  // Start-up only: rules that need a column have it stored. Before the first entry.
  void store(StickData data);

  // The bytes of a key from a value of the key's type; what is made lives in `arena`.
  std::string_view key_of(const Value& value, base::Arena& arena) const;

  // The entry, made when there is none; null where the table is full and may not be purged. It
  // counts as touched.
  StickRef open(std::string_view key, std::int64_t now_ms);
  // The entry if there is one, touched.
  StickRef find(std::string_view key, std::int64_t now_ms);
  // Looks at the entry without touching it; false when there is none. `look` may not wait.
  template <class F>
  bool look(std::string_view key, std::int64_t now_ms, F&& look) {
    Shard& shard = shard_of(hash_of(key));
    const std::lock_guard guard(shard.mutex);
    StickEntry* entry = live(shard, key, now_ms);
    if (entry == nullptr) return false;
    look(StickRow(*this, *entry));
    return true;
  }
  // All entries in pieces: visits some and moves `place` on, from 0 until it returns false. `visit`
  // may not wait; entries that live throughout are seen once. True from `visit` drops the entry
  // unless it is tracked.
  bool scan(std::uint64_t& place, std::int64_t now_ms,
            const std::function<bool(const StickRow&)>& visit);
  enum class Removal : std::uint8_t { done, missing, tracked };
  Removal remove(std::string_view key);
  void sweep(std::int64_t now_ms);  // drops what has expired

 private:
  friend class StickRow;
  friend class StickRef;
  struct alignas(64) Shard {
    std::mutex mutex;
    std::vector<StickEntry*> buckets;
    std::uint32_t entries = 0;
    StickEntry* oldest = nullptr;
    StickEntry* newest = nullptr;
    StickEntry* free = nullptr;
    std::vector<std::unique_ptr<char[]>> blocks;  // of kBlock entries each
  };
  struct Place {
    std::uint32_t offset = 0, period_ms = 0;
    StickKind kind = StickKind::number;
    bool stored = false;
  };

  void lay_out();
  Place place_of(StickData data, unsigned index) const;
  static std::uint64_t hash_of(std::string_view key);
  Shard& shard_of(std::uint64_t hash) { return shards_[hash >> 60 & (shard_count_ - 1)]; }
  StickEntry* at(Shard& shard, std::uint32_t index) const;
  bool expired(const StickEntry& entry, std::int64_t now_ms) const;
  StickEntry* live(Shard& shard, std::string_view key, std::int64_t now_ms);
  StickEntry* take_free(Shard& shard);
  StickEntry* make(Shard& shard, std::uint64_t hash, std::string_view key);
  bool make_room(Shard& near);
  bool drop_oldest(Shard& shard);
  void drop(Shard& shard, StickEntry& entry);
  void hold(Shard& shard, StickEntry& entry, std::int64_t now_ms);
  void release(StickEntry& entry, std::int64_t now_ms);
  static void append(Shard& shard, StickEntry& entry);
  static void unlink(Shard& shard, StickEntry& entry);
  static void grow(Shard& shard);

  static constexpr std::uint32_t kBlock = 64;

  StickSettings settings_;
  std::uint32_t data_size_ = 0, entry_size_ = 0;
  std::array<Place, static_cast<std::size_t>(StickEvent::count_)> counters_{}, rates_{};
  std::uint32_t shard_count_ = 1;  // a power of two
  std::unique_ptr<Shard[]> shards_;
  std::atomic<std::uint32_t> used_{0};
};

// All tables of the configuration. Filled at start-up, constant then.
class StickTables {
 public:
  StickTable& add(StickSettings settings);
  StickTable* find(std::string_view name) const;
  const std::vector<std::unique_ptr<StickTable>>& all() const { return tables_; }
  void sweep(std::int64_t now_ms);

  unsigned counters = 3;  // tune.stick-counters

 private:
  std::vector<std::unique_ptr<StickTable>> tables_;
  std::map<std::string, StickTable*, std::less<>> by_name_;
};

// The clock of tables: the worker's time of this turn, in milliseconds.
std::int64_t stick_clock_ms();

}  // namespace state

// Traces: what happens inside, told to whoever asked by "trace" lines, commands or -dt. A point in
// the code asks on() first, which costs one load and one branch; where something is traced it names
// a source, events and a level, and describes itself if they are wanted. Sources live as long as
// the process; what they are set to is under one lock, which only points that are wanted take.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/function.h"

namespace obs {

class Ring;
class DescriptorSink;

namespace trace {

enum class Level : std::uint8_t { error, user, proto, state, data, developer };
using Events = std::uint64_t;
inline constexpr Events kAnyEvent = ~Events{0};

// What a trace may stick to.
enum class Criterion : std::uint8_t {
  backend,
  check,
  connection,
  frontend,
  listener,
  nothing,
  server,
  session,
  stream,
  thread,
};
constexpr std::uint16_t bit(Criterion of) {
  return static_cast<std::uint16_t>(1u << static_cast<unsigned>(of));
}

// What a point is about; null where that is unknown.
struct Subject {
  const void* backend = nullptr;
  const void* check = nullptr;
  const void* connection = nullptr;
  const void* frontend = nullptr;
  const void* listener = nullptr;
  const void* server = nullptr;
  const void* session = nullptr;
  const void* stream = nullptr;
  const void* by(Criterion criterion) const;
};

// Verbosities that all sources but the simplest have, in this order.
enum Verbosity : unsigned { kQuiet, kClean, kMinimal, kSimple, kAdvanced, kComplete };

// Where a point stands, as a default argument knows it; std::source_location is not known to all
// compilers that read this code.
struct Place {
  const char* file;
  const char* function;
  unsigned line;
  static constexpr Place current(const char* file = __builtin_FILE(),
                                 const char* function = __builtin_FUNCTION(),
                                 unsigned line = __builtin_LINE()) {
    return {file, function, line};
  }
};

// How a point describes itself. `verbosity` is how much of it is asked for.
struct Entry {
  unsigned verbosity = kQuiet;
  Subject about;
  std::string text;
};

struct EventRow {
  Events bit;
  std::string_view name, doc;
};
struct VerbosityRow {
  std::string_view name, doc;
};

// Where lines go.
struct Sink {
  std::string name = "none";
  std::shared_ptr<DescriptorSink> descriptor;
  std::shared_ptr<Ring> ring;
  std::atomic<std::uint64_t> lost{0};
  void write(std::string_view line);
  std::uint64_t dropped() const;
};

enum class State : std::uint8_t { stopped, waiting, running };

// What a source is set to.
struct Settings {
  State state = State::stopped;
  Level level = Level::user;
  unsigned verbosity = 1;
  Events report = kAnyEvent, start = 0, pause = 0, stop = 0;
  Criterion lock = Criterion::nothing;
  const void* locked = nullptr;  // what the running trace sticks to
  class Source* follow = nullptr;
  std::shared_ptr<Sink> sink;  // null: none
};

class Source {
 public:
  using Describe = base::Function<void(Entry&)>;

  constexpr Source(std::string_view its_name, std::string_view its_doc,
                   std::span<const EventRow> its_events,
                   std::span<const VerbosityRow> its_verbosities, std::uint16_t its_criteria)
      : name(its_name),
        doc(its_doc),
        events(its_events),
        verbosities(its_verbosities),
        criteria(its_criteria) {}
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  bool wants(Events of) const { return (armed_.load(std::memory_order_relaxed) & of) != 0; }
  // A point that is wanted; `describe` fills an Entry.
  void take(Events of, Level level, const Place& where, Describe describe);

  Settings settings() const;
  // Changes them under the lock.
  void change(base::Function<void(Settings&)> how);

  const std::string_view name, doc;
  const std::span<const EventRow> events;
  const std::span<const VerbosityRow> verbosities;
  const std::uint16_t criteria;  // bits of those it knows

 private:
  bool judge(Events of, Level level, const Subject& about);
  bool follows(const Subject& about) const;
  void arm();

  std::atomic<Events> armed_{0};
  Settings* settings_ = nullptr;  // made at the first change
};

// How many sources want anything: what a point looks at while nothing is traced.
inline std::atomic<unsigned> armed_sources{0};
inline bool on() { return armed_sources.load(std::memory_order_relaxed) != 0; }

}  // namespace trace
}  // namespace obs

#include "obs/trace.h"

#include <fmt/format.h>
#include <sys/uio.h>

#include <array>
#include <mutex>

#include "obs/descriptor_sink.h"
#include "obs/log.h"
#include "obs/ring.h"
#include "rt/worker.h"

namespace obs::trace {

namespace {

constexpr std::size_t kLocationLength = 13;

std::mutex& mutex() {
  static std::mutex one;
  return one;
}

// "src/proxy/session.cc:79" by its end.
std::string location(const Place& where) {
  std::string text = fmt::format("{}:{}", where.file, where.line);
  if (text.size() > kLocationLength) text.erase(0, text.size() - kLocationLength);
  return text;
}

}  // namespace

const void* Subject::by(Criterion criterion) const {
  switch (criterion) {
    case Criterion::backend:
      return backend;
    case Criterion::check:
      return check;
    case Criterion::connection:
      return connection;
    case Criterion::frontend:
      return frontend;
    case Criterion::listener:
      return listener;
    case Criterion::server:
      return server;
    case Criterion::session:
      return session;
    case Criterion::stream:
      return stream;
    case Criterion::thread: {
      thread_local const char here = 0;
      return &here;
    }
    case Criterion::nothing:
      break;
  }
  return nullptr;
}

void Sink::write(std::string_view line) {
  if (ring != nullptr) {
    LogTarget target;
    target.kind = LogTarget::Kind::ring;
    target.ring = ring;
    target.length = ring->settings().longest;
    LogLine log;
    log.level = obs::Level::emerg;
    log.text = line;
    send(target, log);
  } else if (descriptor != nullptr) {
    char end = '\n';
    const std::array<iovec, 2> parts = {{{const_cast<char*>(line.data()), line.size()}, {&end, 1}}};
    if (!descriptor->write(parts)) lost.fetch_add(1, std::memory_order_relaxed);
  }
}

std::uint64_t Sink::dropped() const {
  return ring != nullptr ? ring->dropped() : lost.load(std::memory_order_relaxed);
}

Settings Source::settings() const {
  const std::lock_guard lock(mutex());
  return settings_ == nullptr ? Settings{} : *settings_;
}

void Source::change(base::Function<void(Settings&)> how) {
  const std::lock_guard lock(mutex());
  // Points of other threads may still look at them when the process ends.
  if (settings_ == nullptr) settings_ = new Settings;
  how(*settings_);
  arm();
}

// A source that waits looks for its beginning alone.
void Source::arm() {
  const Settings& s = *settings_;
  Events of = s.follow != nullptr ? s.report : 0;
  if (s.state == State::waiting) of |= s.start;
  if (s.state == State::running) of |= s.report | s.pause | s.stop;
  const Events before = armed_.exchange(of, std::memory_order_relaxed);
  if (before == 0 && of != 0) armed_sources.fetch_add(1, std::memory_order_relaxed);
  if (before != 0 && of == 0) armed_sources.fetch_sub(1, std::memory_order_relaxed);
}

// Whether the followed source sticks to what this point is about as well.
bool Source::follows(const Subject& about) const {
  const Source* other = settings_->follow;
  if (other == nullptr || other->settings_ == nullptr) return false;
  const Settings& s = *other->settings_;
  return s.state == State::running && s.locked != nullptr && about.by(s.lock) == s.locked;
}

// Moves the state on; whether the point is to be told of.
bool Source::judge(Events of, Level level, const Subject& about) {
  Settings& s = *settings_;
  const bool told = (of & s.report) != 0 && level <= s.level;
  if (s.state == State::waiting && (of & s.start) != 0) s.state = State::running;
  bool mine = s.state == State::running;
  if (mine && s.lock != Criterion::nothing) {
    const void* const what = about.by(s.lock);
    if (s.locked == nullptr) s.locked = what;
    mine = what == s.locked;
  }
  const bool follower = follows(about);
  if (mine && (of & (s.stop | s.pause)) != 0) {
    s.state = (of & s.stop) != 0 ? State::stopped : State::waiting;
    s.locked = nullptr;
  }
  arm();
  return told && (mine || follower);
}

void Source::take(Events of, Level level, const Place& where, Describe describe) {
  Entry entry;
  entry.verbosity = settings().verbosity;
  describe(entry);
  std::shared_ptr<Sink> sink;
  {
    const std::lock_guard lock(mutex());
    if (!judge(of, level, entry.about)) return;
    sink = settings_->sink;
  }
  if (sink == nullptr) return;
  std::string line = fmt::format("[{:02}|{}|{}|{}] ", rt::worker_index(), name,
                                 static_cast<unsigned>(level), location(where));
  if (level == Level::developer) line += fmt::format("{}(): ", where.function);
  sink->write(line + entry.text);
}

}  // namespace obs::trace

#include "obs/trace_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <vector>

#include "base/text.h"
#include "obs/descriptor_sink.h"
#include "obs/ring.h"
#include "obs/trace_sources.h"

namespace obs::trace {

namespace {

struct Named {
  std::string_view name, doc;
};

constexpr Named kLevels[] = {
    {"error", "what went wrong"},
    {"user", "and what users want to know"},
    {"proto", "and the steps of the protocol"},
    {"state", "and changes of state"},
    {"data", "and data that moves"},
    {"developer", "everything"},
};

constexpr Named kCriteria[] = {
    // as Criterion counts
    {"backend", "the backend it began with"},       {"check", "the check it began with"},
    {"connection", "the connection it began with"}, {"frontend", "the frontend it began with"},
    {"listener", "the listener it began with"},     {"nothing", "nothing in particular"},
    {"server", "the server it began with"},         {"session", "the session it began with"},
    {"stream", "the stream it began with"},         {"thread", "the thread it began on"},
};

constexpr std::string_view kCommands =
    "Supported commands:\n"
    "  event     : which events are told\n"
    "  level     : how much is told\n"
    "  lock      : what a running trace sticks to\n"
    "  follow    : tell of what another source sticks to\n"
    "  pause     : wait for a new start, now or at an event\n"
    "  sink      : where to\n"
    "  start     : begin, now or at an event\n"
    "  stop      : end, now or at an event\n"
    "  verbosity : how long the lines are\n";

Answer listing(std::string text) { return {Answer::Kind::listing, std::move(text)}; }
Answer mistake(std::string text) { return {Answer::Kind::mistake, std::move(text)}; }

char letter(const Source& source) {
  switch (source.settings().state) {
    case State::waiting:
      return 'w';
    case State::running:
      return 'R';
    default:
      return '.';
  }
}

std::string choice(bool chosen, std::string_view name, std::string_view doc) {
  return fmt::format("  {} {:<10} : {}\n", chosen ? '*' : ' ', name, doc);
}

std::string list_sources() {
  std::string out;
  for (const Source* source : sources())
    out += fmt::format(" [{}] {:<10} : {}\n", letter(*source), source->name, source->doc);
  return out;
}

Answer list_all() {
  return listing(
      "Supported trace sources and states (.=stopped, w=waiting, R=running) :\n"
      " [.] 0          : ends all traces at once\n"
      " [.] all        : each source below: sink, level and follow alone\n" +
      list_sources());
}

Answer no_source(std::string_view name) {
  const std::string_view why = why_missing(name);
  if (why.empty()) return mistake(fmt::format("No such trace source '{}'", name));
  return mistake(fmt::format("No such trace source '{}': {}", name, why));
}

// --- sinks

std::shared_ptr<Sink> descriptor_sink(int fd) {
  const auto make = [](const char* name, int number) {
    auto sink = std::make_shared<Sink>();
    sink->name = name;
    sink->descriptor = DescriptorSink::of(number);
    return sink;
  };
  static const std::array<std::shared_ptr<Sink>, 2> both = {make("stdout", STDOUT_FILENO),
                                                            make("stderr", STDERR_FILENO)};
  return both[fd == STDOUT_FILENO ? 0 : 1];
}

std::shared_ptr<Sink> find_sink(std::string_view name) {
  if (name == "stdout") return descriptor_sink(STDOUT_FILENO);
  if (name == "stderr") return descriptor_sink(STDERR_FILENO);
  auto ring = name == kBufferRing ? buffer_ring() : find_ring(name);
  if (ring == nullptr) return nullptr;
  auto sink = std::make_shared<Sink>();
  sink->name = name;
  sink->ring = std::move(ring);
  return sink;
}

std::string_view sink_name(const Settings& settings) {
  return settings.sink == nullptr ? "none" : std::string_view(settings.sink->name);
}

// One source by name, or all of them.
struct Target {
  std::string_view name;
  std::vector<Source*> sources;
  bool all = false;
  Source& one() const { return *sources.front(); }
  void change(base::Function<void(Settings&)> how) const {
    for (Source* source : sources) source->change([&how](Settings& s) { how(s); });
  }
};

Answer list_sinks(const Target& target) {
  const std::string current(target.all ? "none" : sink_name(target.one().settings()));
  std::string out = fmt::format("Supported sinks for source {} (*=current):\n", target.name);
  const auto add = [&](std::string_view name, std::string_view doc) {
    out += choice(name == current, name, doc);
  };
  add("none", "no sink");
  add("stdout", "standard output (fd#1)");
  add("stderr", "standard output (fd#2)");
  add(kBufferRing, "in-memory ring buffer");
  for (const auto& ring : all_rings()) {
    const RingSettings& s = ring->settings();
    if (s.name != kBufferRing) add(s.name, s.description.empty() ? s.name : s.description);
  }
  return listing(std::move(out));
}

Answer set_sink(const Target& target, std::string_view name) {
  std::shared_ptr<Sink> sink = find_sink(name);
  if (sink == nullptr && name != "none")
    return mistake(fmt::format("No such trace sink '{}'", name));
  target.change([&](Settings& s) { s.sink = sink; });
  return {};
}

// --- levels and verbosities

std::string list_levels(const Target& target) {
  std::string out = fmt::format("Supported trace levels for source {}:\n", target.name);
  const auto current = static_cast<std::size_t>(target.one().settings().level);
  for (std::size_t i = 0; i < std::size(kLevels); ++i)
    out += choice(!target.all && i == current, kLevels[i].name, kLevels[i].doc);
  return out;
}

template <class Rows>
std::size_t find_row(const Rows& rows, std::string_view name) {
  return static_cast<std::size_t>(std::find_if(std::begin(rows), std::end(rows),
                                               [&](const auto& row) { return row.name == name; }) -
                                  std::begin(rows));
}

Answer set_level(const Target& target, std::string_view name) {
  const std::size_t found = find_row(kLevels, name);
  if (found == std::size(kLevels))
    return mistake(fmt::format("No such trace level '{}'. {}", name, list_levels(target)));
  target.change([&](Settings& s) { s.level = static_cast<Level>(found); });
  return {};
}

std::string list_verbosities(const Source& source) {
  std::string out = fmt::format("Supported trace verbosities for source {}:\n", source.name);
  const unsigned current = source.settings().verbosity;
  for (unsigned i = 0; i < source.verbosities.size(); ++i)
    out += choice(i == current, source.verbosities[i].name, source.verbosities[i].doc);
  return out;
}

Answer set_verbosity(const Target& target, std::string_view name) {
  const std::size_t found = find_row(target.one().verbosities, name);
  if (found == target.one().verbosities.size())
    return mistake(
        fmt::format("No such verbosity level '{}'. {}", name, list_verbosities(target.one())));
  target.change([&](Settings& s) { s.verbosity = static_cast<unsigned>(found); });
  return {};
}

// --- locks

Answer list_criteria(const Source& source) {
  std::string out = fmt::format("Supported lock-on criteria for source {}:\n", source.name);
  const auto current = static_cast<std::size_t>(source.settings().lock);
  for (std::size_t i = 0; i < std::size(kCriteria); ++i)
    if (source.criteria & bit(static_cast<Criterion>(i)))
      out += choice(i == current, kCriteria[i].name, kCriteria[i].doc);
  return listing(std::move(out));
}

Answer set_criterion(const Target& target, std::string_view name) {
  const std::size_t found = find_row(kCriteria, name);
  const auto criterion = static_cast<Criterion>(found);
  if (found == std::size(kCriteria) || !(target.one().criteria & bit(criterion)))
    return mistake(fmt::format("Unsupported lock-on criterion '{}'", name));
  target.change([&](Settings& s) {
    s.lock = criterion;
    s.locked = nullptr;
  });
  return {};
}

Answer list_followed(const Target& target) {
  const Source* followed = target.all ? nullptr : target.one().settings().follow;
  std::string out = followed == nullptr ? std::string("Follows no other source.\n")
                                        : fmt::format("Follows source '{}'.\n", followed->name);
  return listing(out +
                 "It can follow:\n"
                 " [.] none       : no other source\n" +
                 list_sources());
}

Answer set_followed(const Target& target, std::string_view name) {
  Source* const followed = find_source(name);
  if (followed == nullptr && name != "none") return no_source(name);
  target.change([&](Settings& s) { s.follow = followed; });
  return {};
}

// --- events

using Field = Events Settings::*;
struct Action {
  std::string_view name;
  Field field;
  State now;  // what "now" makes of the source
  bool takes_now;
};
constexpr Action kActions[] = {
    {"event", &Settings::report, State::stopped, false},
    {"pause", &Settings::pause, State::waiting, true},
    {"start", &Settings::start, State::running, true},
    {"stop", &Settings::stop, State::stopped, true},
};

Answer list_events(const Source& source, const Action& action) {
  std::string out =
      fmt::format("Supported events for source {} (+=enabled, -=disabled):\n", source.name);
  const auto add = [&](char sign, std::string_view name, std::string_view doc) {
    out += fmt::format("  {} {:<12} : {}\n", sign, name, doc);
  };
  if (action.takes_now) add('-', "now", "at once, whatever happens");
  add('-', "none", "no event");
  add('-', "any", "every event");
  const Events on = source.settings().*action.field;
  for (const EventRow& row : source.events) add((on & row.bit) ? '+' : '-', row.name, row.doc);
  return listing(std::move(out));
}

Answer set_event(const Target& target, const Action& action, std::string_view word) {
  if (action.takes_now && word == "now") {
    target.change([&](Settings& s) {
      s.state = action.now;
      s.locked = nullptr;
    });
    return {};
  }
  std::string_view name = word;
  const bool off = name.starts_with('-') || name.starts_with('!');
  if (off || name.starts_with('+')) name.remove_prefix(1);
  Events of = kAnyEvent;
  bool set_all = name == "any";
  if (name == "none") {
    of = 0;
    set_all = true;
  } else if (!set_all) {
    const auto& rows = target.one().events;
    const std::size_t found = find_row(rows, name);
    if (found == rows.size()) return mistake(fmt::format("No such trace event '{}'", name));
    of = rows[found].bit;
  }
  target.change([&](Settings& s) {
    Events& events = s.*action.field;
    events = set_all ? (off ? ~of : of) : off ? events & ~of : events | of;
    if (action.field == &Settings::start && s.start != 0 && s.state == State::stopped)
      s.state = State::waiting;
  });
  return {};
}

// One sub-command; `value` is empty where none is given.
Answer run_one(const Target& target, std::string_view what, std::string_view value) {
  for (const Action& action : kActions) {
    if (action.name != what) continue;
    if (target.all) break;
    return value.empty() ? list_events(target.one(), action) : set_event(target, action, value);
  }
  if (what == "sink") return value.empty() ? list_sinks(target) : set_sink(target, value);
  if (what == "level")
    return value.empty() ? listing(list_levels(target)) : set_level(target, value);
  if (what == "follow") return value.empty() ? list_followed(target) : set_followed(target, value);
  static constexpr std::string_view kOfOne[] = {"event", "pause", "start",
                                                "stop",  "lock",  "verbosity"};
  if (std::find(std::begin(kOfOne), std::end(kOfOne), what) == std::end(kOfOne))
    return mistake(fmt::format("Unknown trace keyword '{}'", what));
  if (target.all) return mistake(fmt::format("'{}' not applicable to meta-source 'all'", what));
  if (what == "lock")
    return value.empty() ? list_criteria(target.one()) : set_criterion(target, value);
  return value.empty() ? listing(list_verbosities(target.one())) : set_verbosity(target, value);
}

void stop_all() {
  for (Source* source : sources())
    source->change([](Settings& s) {
      s.state = State::stopped;
      s.locked = nullptr;
    });
}

}  // namespace

Answer command(std::span<const std::string> words) {
  if (words.empty()) return list_all();
  if (words[0] == "0") {
    stop_all();
    return listing("All traces now stopped\n");
  }
  Target target;
  target.name = words[0];
  target.all = words[0] == "all";
  if (target.all) {
    target.sources.assign(sources().begin(), sources().end());
  } else if (Source* source = find_source(words[0])) {
    target.sources.push_back(source);
  } else {
    return no_source(words[0]);
  }
  if (words.size() == 1) return listing(std::string(kCommands));
  for (std::size_t i = 1; i < words.size(); i += 2) {
    Answer answer =
        run_one(target, words[i], i + 1 < words.size() ? std::string_view(words[i + 1]) : "");
    if (answer.kind != Answer::Kind::nothing) return answer;
  }
  return {};
}

Answer show(std::string_view name) {
  if (name.empty()) {
    std::string out = "Supported trace sources and states (.=stopped, w=waiting, R=running) :\n";
    for (const Source* source : sources()) {
      const Settings s = source->settings();
      out += fmt::format(" [{}] {:<10} -> {} [drp {}]  [{}]\n", letter(*source), source->name,
                         sink_name(s), s.sink ? s.sink->dropped() : 0, source->doc);
    }
    return listing(std::move(out));
  }
  const Source* source = find_source(name);
  if (source == nullptr) return mistake("No such trace source");
  const Settings s = source->settings();
  std::string out = fmt::format("Trace status for {}:\n", name);
  out += fmt::format("  - sink: {} [{} dropped]\n", sink_name(s), s.sink ? s.sink->dropped() : 0);
  out += "  - event name   :     report    start    stop    pause\n";
  const auto sign = [](Events on, const EventRow& row) { return (on & row.bit) ? '+' : '-'; };
  for (const EventRow& row : source->events)
    out +=
        fmt::format("    {:<12} :        {}        {}        {}       {}\n", row.name,
                    sign(s.report, row), sign(s.start, row), sign(s.stop, row), sign(s.pause, row));
  return listing(std::move(out));
}

// --- -dt

namespace {

// "'a', 'b', and 'c'".
template <class Rows>
std::string quoted(const Rows& rows) {
  std::string out;
  const std::size_t size = std::size(rows);
  for (std::size_t i = 0; i < size; ++i)
    out += fmt::format("{}'{}'", i == 0 ? "" : i + 1 == size ? ", and " : ", ", rows[i].name);
  return out;
}

base::Result<void> follow_part(std::string_view part) {
  std::vector<std::string_view> fields;
  for (std::size_t at = 0; at <= part.size();) {
    const std::size_t colon = std::min(part.find(':', at), part.size());
    fields.push_back(part.substr(at, colon - at));
    at = colon + 1;
  }
  if (fields.size() > 3)
    return base::fail(std::string("-dt: too many colon separators in trace definition."));
  fields.resize(3);
  const auto [name, level, verbosity] = std::array{fields[0], fields[1], fields[2]};
  const bool all = name.empty() || name == "all";
  Source* const one = all ? nullptr : find_source(name);
  if (!all && one == nullptr) {
    const std::string_view why = why_missing(name);
    return base::fail(why.empty() ? fmt::format("-dt: unknown trace source '{}'.", name)
                                  : fmt::format("-dt: no trace source '{}': {}.", name, why));
  }
  const std::size_t found_level = level.empty() ? 0 : find_row(kLevels, level);
  if (found_level == std::size(kLevels))
    return base::fail(fmt::format("-dt: no such trace level '{}', available levels are {}.", level,
                                  quoted(kLevels)));
  if (all && !verbosity.empty() && verbosity != "quiet")
    return base::fail(
        std::string("-dt: trace source must be specified for verbosity other than 'quiet'."));
  const std::size_t found = verbosity.empty() ? 1 : all ? 0 : find_row(one->verbosities, verbosity);
  if (one != nullptr && found == one->verbosities.size())
    return base::fail(
        fmt::format("-dt: no such trace verbosity '{}' for source '{}', available verbosities for "
                    "this source are: {}.",
                    verbosity, name, quoted(one->verbosities)));
  for (Source* source : sources()) {
    if (!all && source != one) continue;
    source->change([&](Settings& s) {
      s.sink = descriptor_sink(STDERR_FILENO);
      s.level = static_cast<Level>(found_level);
      s.verbosity = static_cast<unsigned>(found);
      s.state = State::running;
    });
  }
  return {};
}

}  // namespace

base::Result<void> follow_option(std::string_view text) {
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    if (auto done = follow_part(text.substr(at, comma - at)); !done) return done;
    at = comma + 1;
  }
  return {};
}

std::string option_help() {
  std::string out =
      "-dt [<source>[:<level>[:<verbosity>]]][,...] traces on stderr from the start.\n"
      "Without a list: errors of all sources. No name or 'all': all sources, whose verbosity can\n"
      "only be 'quiet'. The level is 'error' unless given.\n\n"
      "Examples:\n"
      "-dt                      errors of all sources\n"
      "-dt all:user             what matters to users, of all sources\n"
      "-dt h1:data,session      data on HTTP/1 connections, errors of sessions\n"
      "-dt h1:proto:advanced    HTTP/1 messages with their headers\n\n"
      "Sources:\n";
  for (const Source* source : sources())
    out += fmt::format("  {:<10} : {}; verbosities {}\n", source->name, source->doc,
                       quoted(source->verbosities));
  return out + fmt::format("Levels: {}\n", quoted(kLevels));
}

}  // namespace obs::trace

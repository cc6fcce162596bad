// Recent lines in memory: "ring" sections, buf0. A circular buffer of records that forgets the
// oldest ones; writers are all workers, readers ask by sequence number ("show events"), so that a
// slow reader loses lines instead of holding anybody up. Lives as long as a target or the list
// names it.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/function.h"
#include "obs/log.h"
#include "obs/ring_file.h"
#include "rt/fiber.h"

namespace obs {

// A server that gets the lines of a ring over a stream.
struct RingServer {
  std::string name;
  net::Address address;
  bool octet_count = false;  // "log-proto octet-count"; else a line feed after each
  rt::Duration connect_timeout = std::chrono::seconds(5);
  rt::Duration send_timeout = std::chrono::seconds(30);
};

struct RingSettings {
  std::string name, description;
  LogFormatKind format = LogFormatKind::raw;
  std::size_t size = 16384;    // bytes kept
  std::size_t longest = 1024;  // "maxlen"
  std::vector<RingServer> servers;
  std::unique_ptr<RingFile> file;  // null: the lines are in memory alone
};

class Ring {
 public:
  explicit Ring(RingSettings settings);

  const RingSettings& settings() const { return settings_; }
  // Cut to "maxlen"; a line longer than the whole ring is dropped.
  void append(std::string_view line);
  // Visits lines from sequence number `from` (or the oldest kept) on; returns where to go on. Lines
  // are copied out first: `visit` may wait.
  std::uint64_t read(std::uint64_t from, base::Function<void(std::string_view)> visit) const;
  std::uint64_t next_sequence() const;
  // Waits until there are lines from `from` on. Only for fibers that never end: the wake-up may
  // come late.
  [[nodiscard]] rt::Wait wait_beyond(std::uint64_t from);
  std::uint64_t dropped() const;

 private:
  void copy_in(std::size_t at, const void* from, std::size_t size);
  void copy_out(std::size_t at, void* to, std::size_t size) const;
  void forget_oldest();

  RingSettings settings_;
  mutable std::mutex mutex_;
  std::vector<char> own_bytes_;  // unless there is a file
  RingMarks own_marks_;
  std::span<char> bytes_;
  RingMarks& marks_;
  std::vector<rt::WakeHandle> waiting_;  // for the next line
};

// All rings of the process by name. A second ring of a name replaces nothing: null.
std::shared_ptr<Ring> add_ring(RingSettings settings);
std::shared_ptr<Ring> find_ring(std::string_view name);
std::vector<std::shared_ptr<Ring>> all_rings();
// The ring that is always there; made when somebody first wants it.
inline constexpr std::string_view kBufferRing = "buf0";
std::shared_ptr<Ring> buffer_ring();

}  // namespace obs

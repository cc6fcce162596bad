#include "obs/ring.h"

#include <algorithm>
#include <cstring>

namespace obs {
namespace {

using Length = std::uint32_t;

struct RingList {
  std::mutex mutex;
  std::vector<std::shared_ptr<Ring>> rings;
};
RingList& ring_list() {
  static RingList list;
  return list;
}

}  // namespace

Ring::Ring(RingSettings settings)
    : settings_(std::move(settings)),
      own_bytes_(settings_.file ? 0 : std::max<std::size_t>(settings_.size, 64)),
      bytes_(settings_.file ? settings_.file->circle() : std::span<char>(own_bytes_)),
      marks_(settings_.file ? settings_.file->marks() : own_marks_) {}

void Ring::copy_in(std::size_t at, const void* from, std::size_t size) {
  at %= bytes_.size();
  std::size_t first = std::min(size, bytes_.size() - at);
  std::memcpy(bytes_.data() + at, from, first);
  std::memcpy(bytes_.data(), static_cast<const char*>(from) + first, size - first);
}

void Ring::copy_out(std::size_t at, void* to, std::size_t size) const {
  at %= bytes_.size();
  std::size_t first = std::min(size, bytes_.size() - at);
  std::memcpy(to, bytes_.data() + at, first);
  std::memcpy(static_cast<char*>(to) + first, bytes_.data(), size - first);
}

void Ring::forget_oldest() {
  Length length;
  copy_out(marks_.head, &length, sizeof length);
  marks_.head = (marks_.head + sizeof length + length) % bytes_.size();
  marks_.used -= sizeof length + length;
  ++marks_.first;
}

void Ring::append(std::string_view line) {
  line = line.substr(0, settings_.longest);
  std::size_t need = sizeof(Length) + line.size();
  std::lock_guard lock(mutex_);
  if (need > bytes_.size()) {
    ++marks_.dropped;
    return;
  }
  while (bytes_.size() - marks_.used < need) forget_oldest();
  Length length = static_cast<Length>(line.size());
  copy_in(marks_.head + marks_.used, &length, sizeof length);
  copy_in(marks_.head + marks_.used + sizeof length, line.data(), line.size());
  marks_.used += need;
  ++marks_.next;
  for (const rt::WakeHandle& handle : waiting_) handle.wake();
  waiting_.clear();
}

rt::Wait Ring::wait_beyond(std::uint64_t from) {
  {
    std::lock_guard lock(mutex_);
    if (marks_.next > from) return rt::Wait::ready;
    waiting_.emplace_back();
  }
  return rt::suspend(rt::kNever);
}

std::uint64_t Ring::read(std::uint64_t from, base::Function<void(std::string_view)> visit) const {
  std::vector<std::string> lines;
  std::uint64_t next;
  {
    std::lock_guard lock(mutex_);
    next = marks_.next;
    std::size_t at = marks_.head;
    for (std::uint64_t sequence = marks_.first; sequence < marks_.next; ++sequence) {
      Length length;
      copy_out(at, &length, sizeof length);
      if (sequence >= from) {
        lines.emplace_back(length, '\0');
        copy_out(at + sizeof length, lines.back().data(), length);
      }
      at += sizeof length + length;
    }
  }
  for (const std::string& line : lines) visit(line);
  return next;
}

std::uint64_t Ring::next_sequence() const {
  std::lock_guard lock(mutex_);
  return marks_.next;
}

std::uint64_t Ring::dropped() const {
  std::lock_guard lock(mutex_);
  return marks_.dropped;
}

std::shared_ptr<Ring> add_ring(RingSettings settings) {
  if (find_ring(settings.name)) return nullptr;
  auto ring = std::make_shared<Ring>(std::move(settings));
  std::lock_guard lock(ring_list().mutex);
  ring_list().rings.push_back(ring);
  return ring;
}

std::shared_ptr<Ring> find_ring(std::string_view name) {
  std::lock_guard lock(ring_list().mutex);
  for (const auto& ring : ring_list().rings)
    if (ring->settings().name == name) return ring;
  return nullptr;
}

std::shared_ptr<Ring> buffer_ring() {
  constexpr std::size_t kSize = std::size_t{1} << 20;
  if (auto found = find_ring(kBufferRing)) return found;
  RingSettings settings;
  settings.name = kBufferRing;
  settings.description = "in-memory ring buffer";
  settings.format = LogFormatKind::timed;
  settings.size = kSize;
  settings.longest = kSize / 16;
  add_ring(std::move(settings));
  return find_ring(kBufferRing);
}

std::vector<std::shared_ptr<Ring>> all_rings() {
  std::lock_guard lock(ring_list().mutex);
  return ring_list().rings;
}

}  // namespace obs

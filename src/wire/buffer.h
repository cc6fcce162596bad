// A block of memory for bytes on their way, of the configured size (tune.bufsize). Blocks come from
// a pool of the calling thread and go back to it; a connection without bytes holds none. A body
// that is awaited as a whole may have a large one (tune.bufsize.large), which comes from the heap.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

namespace wire {

// For all threads, before traffic.
void set_buffer_size(std::size_t size);
std::size_t buffer_size();

class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        begin_(std::exchange(other.begin_, 0)),
        end_(std::exchange(other.end_, 0)),
        large_(std::exchange(other.large_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    if (this != &other) {
      drop();
      data_ = std::exchange(other.data_, nullptr);
      begin_ = std::exchange(other.begin_, 0);
      end_ = std::exchange(other.end_, 0);
      large_ = std::exchange(other.large_, 0);
    }
    return *this;
  }
  ~Buffer() { drop(); }

  bool held() const { return data_ != nullptr; }
  void take();                        // an empty block, unless one is held
  void take_large(std::size_t size);  // instead of what is held
  void drop() {
    if (data_ != nullptr) give_back();
  }
  bool large() const { return large_ != 0; }
  std::size_t capacity() const { return large() ? large_ : buffer_size(); }

  char* data() { return data_; }
  std::size_t begin() const { return begin_; }
  std::size_t end() const { return end_; }
  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }
  std::span<char> room() { return {data_ + end_, capacity() - end_}; }
  void filled(std::size_t count) { end_ += count; }
  void set(std::size_t begin, std::size_t end) {
    begin_ = begin;
    end_ = end;
  }

 private:
  void give_back();

  char* data_ = nullptr;
  std::size_t begin_ = 0, end_ = 0;
  std::size_t large_ = 0;  // what a large one holds
};

namespace detail {
inline constexpr std::size_t kScratch = 131072;
struct Scratch {
  char* block = nullptr;  // made at first use
  std::size_t held = 0;   // of it
  unsigned holders = 0;
};
extern constinit thread_local Scratch scratch;
void make_scratch();
}  // namespace detail

// A large block that each thread has once, for bytes that are gone before anybody else runs.
inline std::span<char> scratch() {
  detail::Scratch& mine = detail::scratch;
  if (mine.block == nullptr) [[unlikely]]
    detail::make_scratch();
  return {mine.block + mine.held, detail::kScratch - mine.held};
}
// What is cheaper to copy together than to send in parts.
inline constexpr std::size_t kWorthCopying = 2048;
// A head that was written to its start and the payload behind it, as one; empty where the head
// stands elsewhere, or both are more than it is worth to copy.
inline std::string_view join_in_scratch(std::string_view head, std::string_view payload) {
  const std::span<char> room = scratch();
  const std::size_t size = head.size() + payload.size();
  if (head.data() != room.data() || payload.size() > kWorthCopying || size > room.size()) return {};
  if (!payload.empty()) std::memcpy(room.data() + head.size(), payload.data(), payload.size());
  return {room.data(), size};
}
// Keeps its first `size` bytes while others run, to whom scratch() gives what is behind them; until
// let_go_of_scratch() by the same thread. False: there is no room for that.
inline bool hold_scratch(std::size_t size) {
  constexpr std::size_t kLine = 64;
  detail::Scratch& mine = detail::scratch;
  if (mine.held + size > detail::kScratch / 2) return false;
  mine.held += (size + kLine - 1) / kLine * kLine;
  ++mine.holders;
  return true;
}
inline void let_go_of_scratch() {
  detail::Scratch& mine = detail::scratch;
  if (--mine.holders == 0) mine.held = 0;
}

}  // namespace wire

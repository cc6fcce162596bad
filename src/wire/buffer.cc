#include "wire/buffer.h"

#include <array>
#include <cstdlib>
#include <memory>
#include <new>

#include "rt/memory.h"

namespace wire {

namespace {

std::size_t block_size = 16384;
constexpr std::size_t kKept = 1024;  // free blocks a thread keeps
constexpr std::size_t kScratch = 131072;

// The free ones stand in an array: a link in the block itself would be one more line to fetch.
struct Pool {
  std::array<void*, kKept> blocks;
  std::size_t count = 0;
  std::unique_ptr<char[]> scratch;
  std::size_t held = 0;  // of it
  unsigned holders = 0;
  ~Pool() {
    while (count != 0) std::free(blocks[--count]);
  }
};
thread_local Pool pool;

}  // namespace

void set_buffer_size(std::size_t size) { block_size = size; }
std::size_t buffer_size() { return block_size; }

void Buffer::take() {
  if (data_ != nullptr) return;
  begin_ = end_ = 0;
  rt::memory_taken(block_size);
  if (pool.count != 0) {
    data_ = static_cast<char*>(pool.blocks[--pool.count]);
    return;
  }
  data_ = static_cast<char*>(std::malloc(block_size));
  if (data_ == nullptr) throw std::bad_alloc();
}

void Buffer::take_large(std::size_t size) {
  drop();
  data_ = static_cast<char*>(std::malloc(size));
  if (data_ == nullptr) throw std::bad_alloc();
  rt::memory_taken(size);
  large_ = size;
}

void Buffer::give_back() {
  if (const std::size_t size = std::exchange(large_, 0); size != 0) {
    std::free(std::exchange(data_, nullptr));
    begin_ = end_ = 0;
    rt::memory_given_back(size);
    return;
  }
  void* block = std::exchange(data_, nullptr);
  begin_ = end_ = 0;
  rt::memory_given_back(block_size);
  if (pool.count >= kKept || rt::memory_limited()) {
    std::free(block);
    return;
  }
  pool.blocks[pool.count++] = block;
}

std::span<char> scratch() {
  if (pool.scratch == nullptr) pool.scratch = std::make_unique_for_overwrite<char[]>(kScratch);
  return {pool.scratch.get() + pool.held, kScratch - pool.held};
}

std::string_view join_in_scratch(std::string_view head, std::string_view payload) {
  const std::span<char> room = scratch();
  const std::size_t size = head.size() + payload.size();
  if (head.data() != room.data() || payload.size() > kWorthCopying || size > room.size()) return {};
  std::memcpy(room.data() + head.size(), payload.data(), payload.size());
  return {room.data(), size};
}

bool hold_scratch(std::size_t size) {
  constexpr std::size_t kLine = 64;
  if (pool.held + size > kScratch / 2) return false;
  pool.held += (size + kLine - 1) / kLine * kLine;
  ++pool.holders;
  return true;
}

void let_go_of_scratch() {
  if (--pool.holders == 0) pool.held = 0;
}

}  // namespace wire

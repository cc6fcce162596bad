#include "wire/buffer.h"

#include <array>
#include <cstdlib>
#include <new>
#include <utility>

#include "rt/memory.h"

namespace wire {

namespace {

std::size_t block_size = 16384;
constexpr std::size_t kKept = 1024;  // free blocks a thread keeps

// The free ones stand in an array: a link in the block itself would be one more line to fetch.
struct Pool {
  std::array<void*, kKept> blocks{};
  std::size_t count = 0;
};
constinit thread_local Pool pool;

// What the thread has is freed at its end. Apart, so that the others need no look whether they have
// begun to exist.
struct Cleaner {
  ~Cleaner() {
    while (pool.count != 0) std::free(pool.blocks[--pool.count]);
    delete[] std::exchange(detail::scratch.block, nullptr);
  }
  void begin() {}
};
thread_local Cleaner cleaner;

}  // namespace

constinit thread_local detail::Scratch detail::scratch;

void detail::make_scratch() {
  cleaner.begin();
  scratch.block = new char[kScratch];
}

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
  cleaner.begin();
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

}  // namespace wire

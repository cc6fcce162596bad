#include "lua/memory.h"

#include <bit>
#include <cstdlib>
#include <cstring>
#include <new>

namespace lua {

Memory::~Memory() {
  for (Free* block : free_)
    while (block != nullptr) {
      Free* next = block->next;
      std::free(block);
      block = next;
    }
}

std::size_t Memory::class_of(std::size_t size) {
  if (size <= kFine) return (size + 15) / 16;
  const auto power = static_cast<std::size_t>(std::bit_width(size - 1)) - 1;  // 9 for 513..1024
  return 33 + 4 * (power - 9) + (((size - 1) >> (power - 2)) & 3);
}

std::size_t Memory::capacity_of(std::size_t size_class) {
  if (size_class < 33) return size_class * 16;
  const std::size_t step = size_class - 33, power = step / 4 + 9;
  return (std::size_t{1} << power) + (step % 4 + 1) * (std::size_t{1} << (power - 2));
}

void* Memory::take(std::size_t size) {
  if (size > kLargest) return std::malloc(size);
  const std::size_t size_class = class_of(size);
  Free* block = free_[size_class];
  if (block == nullptr) return std::malloc(capacity_of(size_class));
  free_[size_class] = block->next;
  kept_ -= capacity_of(size_class);
  return block;
}

void Memory::give(void* block, std::size_t size) {
  if (size > kLargest) return std::free(block);
  const std::size_t size_class = class_of(size);
  const std::size_t capacity = capacity_of(size_class);
  if (kept_ + capacity > kKept) return std::free(block);
  kept_ += capacity;
  free_[size_class] = new (block) Free{free_[size_class]};
}

void* Memory::change(void* block, std::size_t old_size, std::size_t size) {
  if (block == nullptr) old_size = 0;  // it tells the kind of object then
  const std::size_t before = used();
  if (size > old_size && limit_ != 0 && before + (size - old_size) > limit_) return nullptr;
  void* result = nullptr;
  if (size == 0) {
    if (block != nullptr) give(block, old_size);
  } else if (block == nullptr) {
    result = take(size);
    if (result == nullptr) return nullptr;
  } else if (old_size > kLargest && size > kLargest) {
    result = std::realloc(block, size);
    if (result == nullptr) return nullptr;
  } else if (old_size <= kLargest && size <= kLargest && class_of(old_size) == class_of(size)) {
    result = block;
  } else {
    result = take(size);
    if (result == nullptr) return nullptr;
    std::memcpy(result, block, old_size < size ? old_size : size);
    give(block, old_size);
  }
  used_.store(before + size - old_size, std::memory_order_relaxed);
  if (size > old_size) allocated_ += size - old_size;
  return result;
}

}  // namespace lua

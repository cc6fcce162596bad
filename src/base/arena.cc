#include "base/arena.h"

#include <cstdlib>
#include <new>

namespace base {

namespace {
constexpr std::size_t kBlock = 4096;
constexpr std::size_t kKept = 256;  // blocks a thread keeps for the next exchange
}  // namespace

struct Arena::Block {
  Block* next;
  std::size_t size;
};

namespace {

struct FreeList {
  void* head = nullptr;
  std::size_t count = 0;
  ~FreeList() {
    while (head != nullptr) {
      void* next = *static_cast<void**>(head);
      std::free(head);
      head = next;
    }
  }
};
thread_local FreeList free_blocks;

void* take_block() {
  if (free_blocks.head == nullptr) return std::malloc(kBlock);
  void* block = free_blocks.head;
  free_blocks.head = *static_cast<void**>(block);
  --free_blocks.count;
  return block;
}

void give_block(void* block) {
  if (free_blocks.count >= kKept) {
    std::free(block);
    return;
  }
  *static_cast<void**>(block) = free_blocks.head;
  free_blocks.head = block;
  ++free_blocks.count;
}

}  // namespace

void* Arena::allocate_slow(std::size_t size, std::size_t align) {
  const std::size_t need = sizeof(Block) + size + align;
  const bool oversized = need > kBlock;
  auto* fresh = static_cast<Block*>(oversized ? std::malloc(need) : take_block());
  if (fresh == nullptr) throw std::bad_alloc();
  fresh->size = oversized ? need : kBlock;
  const std::size_t at = (sizeof(Block) + align - 1) & ~(align - 1);
  if (oversized && block_ != nullptr) {
    // Keep filling the current block: the big one goes behind it.
    fresh->next = block_->next;
    block_->next = fresh;
    return reinterpret_cast<char*>(fresh) + at;
  }
  fresh->next = block_;
  block_ = fresh;
  capacity_ = fresh->size;
  used_ = at + size;
  return reinterpret_cast<char*>(fresh) + at;
}

void Arena::reset() {
  while (block_ != nullptr) {
    Block* next = block_->next;
    if (block_->size == kBlock)
      give_block(block_);
    else
      std::free(block_);
    block_ = next;
  }
  used_ = capacity_ = 0;
}

}  // namespace base

// Memory that ends all at once: an exchange allocates header edits, converted samples and the like
// here and frees nothing by itself. Blocks come from a free list of the calling thread and go back
// to it, so a steady load asks the allocator for nothing. Not thread-safe: one owner at a time.
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

namespace base {

class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() {
    if (block_ != nullptr) reset();
  }

  // `align` is a power of two. Never returns null; throws std::bad_alloc.
  void* allocate(std::size_t size, std::size_t align = alignof(std::max_align_t)) {
    std::size_t at = (used_ + align - 1) & ~(align - 1);
    if (block_ == nullptr || at + size > capacity_) return allocate_slow(size, align);
    used_ = at + size;
    return reinterpret_cast<char*>(block_) + at;
  }
  char* allocate_chars(std::size_t size) { return static_cast<char*>(allocate(size, 1)); }

  // A copy that lives as long as the arena.
  std::string_view copy(std::string_view text) {
    if (text.empty()) return {};
    char* out = allocate_chars(text.size());
    std::memcpy(out, text.data(), text.size());
    return {out, text.size()};
  }

  // Ends everything allocated; keeps no block.
  void reset();

 private:
  struct Block;
  void* allocate_slow(std::size_t size, std::size_t align);

  Block* block_ = nullptr;  // the newest; each knows the one before
  std::size_t used_ = 0;    // bytes of block_ in use, its header included
  std::size_t capacity_ = 0;
};

}  // namespace base

// Memory of one Lua state: scripts make and drop small objects all the time, so freed blocks wait
// in lists by size for the next of their kind. Counts what the state uses and keeps to its limit
// (tune.lua.maxmem). Belongs to whoever holds the state.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace lua {

class Memory {
 public:
  explicit Memory(std::size_t limit) : limit_(limit) {}
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  // As lua_Alloc.
  void* change(void* block, std::size_t old_size, std::size_t size);
  std::size_t used() const { return used_.load(std::memory_order_relaxed); }  // any thread
  std::uint64_t allocated() const { return allocated_; }                      // ever

 private:
  struct Free {
    Free* next;
  };
  static constexpr std::size_t kFine = 512;       // sizes up to here in steps of 16
  static constexpr std::size_t kLargest = 16384;  // up to here in four steps for each power of two
  static constexpr std::size_t kClasses = 33 + 4 * 5;
#if defined(__SANITIZE_ADDRESS__)
  static constexpr std::size_t kKept = 0;  // lets it see what is used after it was freed
#else
  static constexpr std::size_t kKept = 4 << 20;  // bytes in all lists together
#endif

  static std::size_t class_of(std::size_t size);
  static std::size_t capacity_of(std::size_t size_class);
  void* take(std::size_t size);
  void give(void* block, std::size_t size);

  std::atomic<std::size_t> used_{0};  // written by the state's holder
  std::size_t limit_, kept_ = 0;
  std::uint64_t allocated_ = 0;
  std::array<Free*, kClasses> free_{};
};

}  // namespace lua

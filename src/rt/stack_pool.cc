#include "rt/stack_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <new>

#include "rt/loop.h"

namespace rt {

namespace {

constexpr std::size_t kPage = 4096;
// Lua lets C calls nest 200 deep, which takes 416 KB where string.gsub calls itself.
constexpr std::size_t kStack = (kSanitized ? 2048 : 1024) * 1024;
constexpr std::size_t kMapping = kPage + kStack;
constexpr Duration kTrimEvery = std::chrono::seconds(1);
constexpr int kGuardInstall = 102;  // MADV_GUARD_INSTALL, Linux 6.13: no mapping of its own

// Without either call the stack still works, so a full table of mappings is no reason to fail.
void guard(void* page) {
  if (madvise(page, kPage, kGuardInstall) != 0) mprotect(page, kPage, PROT_NONE);
}

// Fibers that wait at the same place would otherwise fight for the same lines of the cache, their
// stacks all being aligned to pages.
std::size_t colour(std::size_t index) { return index % 16 * 64; }

}  // namespace

Fiber& StackPool::map() {
  void* mapping = mmap(nullptr, kMapping, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (mapping == MAP_FAILED) throw std::bad_alloc();
  memory_mapped(mapping, kMapping);
  madvise(mapping, kMapping, MADV_NOHUGEPAGE);
  guard(mapping);
  char* top = static_cast<char*>(mapping) + kMapping - colour(all_.size());
  auto* fiber = new (top - (sizeof(Fiber) + 63) / 64 * 64) Fiber(loop_);
  fiber->mapping = static_cast<char*>(mapping);
  fiber->pool_index = all_.size();
  char* bottom = fiber->mapping + kPage;
  stack_mapped(fiber->stack, bottom,
               static_cast<std::size_t>(reinterpret_cast<char*>(fiber) - bottom));
  all_.push_back(fiber);
  free_.reserve(all_.capacity());
  least_free_ = 0;
  return *fiber;
}

void StackPool::unmap(Fiber& fiber) {
  all_.back()->pool_index = fiber.pool_index;
  all_[fiber.pool_index] = all_.back();
  all_.pop_back();
  void* mapping = fiber.mapping;
  stack_unmapped(fiber.stack);
  fiber.~Fiber();
  munmap(mapping, kMapping);
}

bool StackPool::trim() {
  const std::size_t surplus = least_free_ > kAlwaysKept ? least_free_ - kAlwaysKept : 0;
  const auto coldest = free_.begin(),
             end = coldest + static_cast<std::ptrdiff_t>((surplus + 1) / 2);
  std::for_each(coldest, end, [this](Fiber* fiber) { unmap(*fiber); });
  free_.erase(coldest, end);
  least_free_ = free_.size();
  return free_.size() > kAlwaysKept;
}

void StackPool::watch_surplus() { trim_.arm(now() + kTrimEvery); }

void StackPool::on_trim(Timer& timer) {
  StackPool& pool = Loop::here()->stacks();
  if (pool.trim()) timer.arm(now() + kTrimEvery);
}

StackPool::~StackPool() {
  // A fiber that would not end keeps its stack: what lives there may be known elsewhere.
  for (Fiber* fiber : free_) unmap(*fiber);
}

}  // namespace rt

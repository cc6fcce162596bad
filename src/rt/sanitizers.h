// What AddressSanitizer and ThreadSanitizer must be told when a thread changes its stack. Without
// them every function here is empty.
#pragma once

#include <cstddef>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MOONGATE_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define MOONGATE_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define MOONGATE_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define MOONGATE_TSAN 1
#endif

#ifdef MOONGATE_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif
#ifdef MOONGATE_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace rt {

#if defined(MOONGATE_ASAN) || defined(MOONGATE_TSAN)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

// One side of a switch, as the sanitizers see it: a stack, ASan's fake stack, TSan's fiber.
struct StackIdentity {
#ifdef MOONGATE_ASAN
  const void* bottom = nullptr;
  std::size_t size = 0;
  void* fake_stack = nullptr;
#endif
#ifdef MOONGATE_TSAN
  void* tsan_fiber = nullptr;
#endif
};

inline void leave_for([[maybe_unused]] StackIdentity& from, [[maybe_unused]] StackIdentity& to,
                      [[maybe_unused]] bool for_good = false) {
#ifdef MOONGATE_ASAN
  __sanitizer_start_switch_fiber(for_good ? nullptr : &from.fake_stack, to.bottom, to.size);
#endif
#ifdef MOONGATE_TSAN
  __tsan_switch_to_fiber(to.tsan_fiber, 0);
#endif
}

// `from`: where to note the bounds of the stack that was left; null when they are known.
inline void arrived_on([[maybe_unused]] StackIdentity& here,
                       [[maybe_unused]] StackIdentity* from = nullptr) {
#ifdef MOONGATE_ASAN
  __sanitizer_finish_switch_fiber(here.fake_stack, from ? &from->bottom : nullptr,
                                  from ? &from->size : nullptr);
#endif
}

inline void identify_thread([[maybe_unused]] StackIdentity& thread) {
#ifdef MOONGATE_TSAN
  thread.tsan_fiber = __tsan_get_current_fiber();
#endif
}

// What used these addresses before (a thread's stack, say) may have left them poisoned.
inline void memory_mapped([[maybe_unused]] void* from, [[maybe_unused]] std::size_t size) {
#ifdef MOONGATE_ASAN
  __asan_unpoison_memory_region(from, size);
#endif
}

inline void stack_mapped([[maybe_unused]] StackIdentity& stack, [[maybe_unused]] void* bottom,
                         [[maybe_unused]] std::size_t size) {
#ifdef MOONGATE_ASAN
  stack.bottom = bottom;
  stack.size = size;
  __lsan_register_root_region(bottom, size);
#endif
#ifdef MOONGATE_TSAN
  stack.tsan_fiber = __tsan_create_fiber(0);
#endif
}

inline void stack_unmapped([[maybe_unused]] StackIdentity& stack) {
#ifdef MOONGATE_ASAN
  __lsan_unregister_root_region(stack.bottom, stack.size);
#endif
#ifdef MOONGATE_TSAN
  __tsan_destroy_fiber(stack.tsan_fiber);
#endif
}

// The frames of the last fiber on this stack never returned; forget what they poisoned.
inline void stack_reused([[maybe_unused]] StackIdentity& stack) {
#ifdef MOONGATE_ASAN
  __asan_unpoison_memory_region(stack.bottom, stack.size);
  stack.fake_stack = nullptr;
#endif
}

}  // namespace rt

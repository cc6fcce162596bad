// What the watchdog sees of one worker. Known to this room only.
#pragma once

#include <time.h>

#include <array>
#include <atomic>
#include <cstdint>

namespace rt {

class Pulse {
 public:
  // --- the worker
  void begin();  // on its thread
  void end();
  void step() { current_.store(++steps_, std::memory_order_relaxed); }
  void sleep() { current_.store(0, std::memory_order_relaxed); }

  // --- any thread
  std::uint64_t current() const { return current_.load(std::memory_order_relaxed); }
  std::int64_t cpu_ns() const;
  // Whether it runs or would, if the kernel let it: then its time on a processor is what counts.
  bool runnable() const;
  std::atomic<unsigned> load{0};

  // Answered by a signal handler of the worker.
  enum class Question : std::uint8_t { none, asked, answered };
  std::atomic<Question> question{Question::none};
  std::uint64_t answered_at = 0;  // which step it is about
  std::array<char, 240> answer;   // ends with '\0'

 private:
  std::atomic<std::uint64_t> current_{0};  // 0: asleep
  std::uint64_t steps_ = 0;
  std::atomic<int> thread_{0};  // of the kernel; 0: not running
  std::atomic<clockid_t> clock_{0};
};

}  // namespace rt

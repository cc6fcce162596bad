// One call from the proxy into a script: it holds the state (except while something waits), runs on
// a Lua thread of its own in the calling fiber, is interrupted by time slices, and ends with a
// logged error at worst. Lives on the stack of the fiber. Scripts' objects reach it through its
// ticket.
#pragma once

#include <chrono>
#include <cstdint>
#include <lua.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "expr/context.h"
#include "lua/slice.h"
#include "lua/state.h"
#include "lua/usage.h"
#include "rt/sync.h"

namespace rules {
struct FilterCall;
class FilterRun;
}  // namespace rules

namespace lua {

class Engine;
class Output;

// What kind of call it is decides on its time limits.
enum class Kind : std::uint8_t {
  action,
  fetch,
  converter,
  service,
  task,
  init,
  command,
  event,
  filter
};

const char* name_of(Kind kind);

// A Lua function that the proxy calls: one reference, or one for each worker's state.
struct Function {
  Engine& engine;
  std::string name;   // "pick"
  std::string label;  // "Lua function 'pick'", for the log
  Kind kind;
  bool per_thread = false;
  int arguments = 0;         // actions: words in the configuration
  std::uint16_t places = 0;  // and the rulesets they are for
  std::vector<int> references;
  std::vector<int> classes{};      // filters: the class registered with each
  std::unique_ptr<Usage> usage{};  // null while scripts load

  State& state() const;  // the one for this thread
  int reference(const State& state) const {
    return per_thread ? references[state.index() - 1] : references[0];
  }
};

// Wakes a call out of core.wait(); outlives it.
class Alarm {
 public:
  void ring() {
    rang_ = true;
    if (sleeper_ != nullptr) sleeper_->wake();
  }
  // Under the state's lock, as ring().
  bool take() { return std::exchange(rang_, false); }
  void set_sleeper(const rt::WakeHandle* sleeper) { sleeper_ = sleeper; }

 private:
  bool rang_ = false;
  const rt::WakeHandle* sleeper_ = nullptr;
};

enum class Ending : std::uint8_t { none, done, execution_timeout, burst_timeout, cancelled };

class Call {
 public:
  // `context` may be null (tasks). Waits for the state.
  Call(State& state, Kind kind, std::string_view label, expr::Context* context);
  // A call of a registered function, counted in its usage.
  Call(const Function& function, expr::Context* context);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // Runs `body(lua_State*)` protected, on an empty stack. False when it raised; that is logged.
  // A call that ended through core.done() counts as good: see ending().
  template <class F>
  bool protect(F&& body) {
    return run(
        [](lua_State* L) {
          auto& f = *static_cast<std::remove_reference_t<F>*>(lua_touserdata(L, 1));
          lua_settop(L, 0);
          f(L);
          return 0;
        },
        &body);
  }

  State& state() { return state_; }
  lua_State* thread() { return slot_->thread; }
  Slot& slot() { return *slot_; }
  bool out_of_memory() const { return slot_ == nullptr; }
  Kind kind() const { return kind_; }
  std::string_view label() const { return label_; }
  expr::Context* context() { return context_; }
  txn::Exchange* exchange() { return context_ == nullptr ? nullptr : context_->exchange; }
  base::Arena& arena() { return context_->arena; }
  // For the scripts' objects; `bit` tells apart two of a kind (channels).
  void* ticket(unsigned bit = 0) const {
    return reinterpret_cast<void*>((slot_->generation << 21) | (std::uint64_t{slot_->index} << 1) |
                                   bit);
  }

  // Ends the call from any depth: raises now, and again should the script catch it.
  [[noreturn]] void end(lua_State* L, Ending how);
  Ending ending() const { return ending_; }
  int done_reference = LUA_NOREF;  // what core.done() was given

  // Raises where the fiber was cancelled during a wait.
  void check_cancelled(lua_State* L) {
    if (rt::cancelled()) end(L, Ending::cancelled);
  }

  // From the slice hook.
  void slice(lua_State* L);
  void set_failure(std::string text) { failure_ = std::move(text); }

  txn::ServiceIo* io = nullptr;         // services and commands
  Output* output = nullptr;             // services: what is not sent yet
  rules::FilterCall* filter = nullptr;  // callbacks of filters
  rules::FilterRun* filter_run = nullptr;
  std::int64_t wake_time_ms = -1;  // act.wake_time, filter.wake_time
  bool transaction_done = false;   // txn:done()
  const std::shared_ptr<Alarm>& alarm() {
    if (!alarm_) alarm_ = std::make_shared<Alarm>();
    return alarm_;
  }

  // Whether it is the running fiber's: another's transaction is in the hands of that fiber.
  bool is_running_here() const;

 private:
  friend class Unlocked;
  Call(State& state, Kind kind, std::string_view label, expr::Context* context, Usage* usage);
  bool take_lock();
  void count_begin();
  void count_pause();
  bool run(lua_CFunction trampoline, void* body);
  void report(int status);
  std::chrono::milliseconds limit() const;

  State& state_;
  Kind kind_;
  std::string_view label_;
  expr::Context* context_;
  UsageCounters* usage_;  // null: nobody counts
  rt::Instant began_{};   // when the script got the state last
  std::uint64_t allocated_before_ = 0;
  Call* parent_;            // of this fiber, any state
  bool locked_;             // this call took the state's lock
  Slot* slot_;              // null: out of memory
  lua_State* interrupted_;  // what ran on this thread when the call began
  Ending ending_ = Ending::none;
  std::uint32_t ticks_ = 0;  // slices used in all
  std::uint32_t ticks_since_wait_ = 0;
  std::string failure_;
  std::shared_ptr<Alarm> alarm_;
};

// While one exists, the running fiber holds no state: around everything that may wait.
class Unlocked {
 public:
  explicit Unlocked(bool is_slice = false);
  ~Unlocked();
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;

 private:
  static void unlock(Call* call);
  static void lock(Call* call);
  Call* top_;
  lua_State* running_;
  bool is_slice_;
};

// Bytes that a service sent and that go out with the next wait, or when the script has returned.
class Output {
 public:
  virtual void flush() = 0;  // without the state; may wait

 protected:
  ~Output() = default;
};

// The trace of `L` from `level` on, as logs show it: "FILE:LINE: in local 'f', …".
std::string trace(lua_State* L, int level);

// The call that the object at `index` belongs to; raises when it is none of `id` or its call is
// over.
Call& check_call(lua_State* L, int index, Class id);
// As above, and tells the ticket's bit.
Call& check_call(lua_State* L, int index, Class id, unsigned& bit);
// A new object of the class for this call, on top of the stack.
void push_object(lua_State* L, Call& call, Class id, unsigned bit = 0);
// The call that is running; raises outside of one (while a script loads).
Call& current_call(lua_State* L, const char* what);

}  // namespace lua

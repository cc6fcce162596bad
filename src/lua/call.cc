#include "lua/call.h"

#include <fmt/format.h>

#include <algorithm>

#include "lua/engine.h"
#include "lua/stack.h"

namespace lua {

namespace {

// The innermost call of the running fiber, or of a thread without fibers (start-up).
Call*& innermost() {
  static thread_local Call* outside_of_fibers = nullptr;
  if (rt::current() == nullptr) return outside_of_fibers;
  return reinterpret_cast<Call*&>(rt::fiber_local());
}

// Its address is what an ended call raises.
const char kEnded = 0;

}  // namespace

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::action:
      return "action";
    case Kind::fetch:
      return "fetch";
    case Kind::converter:
      return "converter";
    case Kind::service:
      return "service";
    case Kind::task:
      return "task";
    case Kind::init:
      return "init";
    case Kind::command:
      return "command";
    case Kind::event:
      return "event";
    case Kind::filter:
      return "filter";
  }
  return "";
}

State& Function::state() const {
  return per_thread ? *engine.state_of_worker(rt::worker_index()) : *engine.shared();
}

bool Call::is_running_here() const {
  const Call* call = innermost();
  while (call != nullptr && call != this) call = call->parent_;
  return call == this;
}

Call::Call(State& state, Kind kind, std::string_view label, expr::Context* context)
    : Call(state, kind, label, context, nullptr) {}

Call::Call(const Function& function, expr::Context* context)
    : Call(function.state(), function.kind, function.label, context, function.usage.get()) {}

// Takes the state's lock, counting how long others kept it.
bool Call::take_lock() {
  if (usage_ == nullptr || state_.try_lock()) {
    if (usage_ == nullptr) state_.lock();
    return true;
  }
  const rt::Instant before = rt::precise_now();
  state_.lock();
  usage_->lock_waits.add();
  usage_->lock_wait_ns.add(static_cast<std::uint64_t>((rt::precise_now() - before).count()));
  return true;
}

void Call::count_begin() {
  began_ = rt::precise_now();
  allocated_before_ = state_.allocated();
}

void Call::count_pause() {
  const rt::Instant now = rt::precise_now();
  usage_->time_ns.add(static_cast<std::uint64_t>((now - began_).count()));
  usage_->allocated.add(state_.allocated() - allocated_before_);
  began_ = now;
}

Call::Call(State& state, Kind kind, std::string_view label, expr::Context* context, Usage* usage)
    : state_(state),
      kind_(kind),
      label_(label),
      context_(context),
      usage_(usage == nullptr ? nullptr : &usage->mine()),
      parent_(innermost()),
      locked_([&] {
        for (Call* call = parent_; call != nullptr; call = call->parent_)
          if (&call->state_ == &state) return false;
        return take_lock();
      }()),
      slot_(state.take_slot()),
      interrupted_(slice::present.thread) {
  innermost() = this;
  state_.current = this;
  if (rt::current() != nullptr) slice::arm();
  if (slot_ == nullptr) return;
  slot_->call = this;
  slice::set_usual_hook(slot_->thread, state_.engine().settings().forced_yield);
  slice::present.ticks = 0;
  slice::present.asked = nullptr;
  slice::present.thread = slot_->thread;
  if (usage_ != nullptr) count_begin();
}

Call::~Call() {
  if (usage_ != nullptr) {
    usage_->calls.add();
    if (slot_ != nullptr) count_pause();
  }
  slice::present.thread = interrupted_;
  if (slot_ != nullptr) {
    lua_settop(slot_->thread, 1);
    state_.give_slot(*slot_);
  }
  innermost() = parent_;
  state_.current = nullptr;
  for (Call* call = parent_; call != nullptr; call = call->parent_)
    if (&call->state_ == &state_) {
      state_.current = call;
      break;
    }
  if (done_reference != LUA_NOREF) luaL_unref(state_.main(), LUA_REGISTRYINDEX, done_reference);
  if (locked_) state_.unlock();
}

bool Call::run(lua_CFunction trampoline, void* body) {
  if (slot_ == nullptr) {
    report(LUA_ERRMEM);
    return false;
  }
  lua_State* L = slot_->thread;
  lua_pushcfunction(L, trampoline);
  lua_pushlightuserdata(L, body);
  const int status = lua_pcall(L, 1, 0, 1);
  if (status == LUA_OK) return true;
  lua_settop(L, 1);
  if (ending_ == Ending::done) {
    slice::set_usual_hook(L, 0);
    return true;
  }
  report(status);
  return false;
}

void Call::report(int status) {
  if (ending_ == Ending::cancelled) return;
  if (usage_ != nullptr) usage_->errors.add();
  const Engine& engine = state_.engine();
  std::string text;
  if (ending_ == Ending::execution_timeout || ending_ == Ending::burst_timeout)
    text = fmt::format("{}: {} timeout. Interrupted at {}.", label_,
                       ending_ == Ending::burst_timeout ? "burst" : "execution", failure_);
  else if (status == LUA_ERRMEM)
    text = fmt::format("{}: [state-id {}] out of memory error.", label_, state_.index());
  else if (status == LUA_ERRERR)
    text = fmt::format("{}: [state-id {}] message handler error.", label_, state_.index());
  else
    text = fmt::format("{}: [state-id {}] runtime error: {}.", label_, state_.index(),
                       failure_.empty() ? "unknown exception" : failure_);
  obs::report(obs::Level::alert, text);
  if (!engine.environment().log) return;
  // What the error quotes may come from a client and must not start a line of its own.
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20; }, '.');
  engine.environment().log(context_ == nullptr ? nullptr : context_->proxy, obs::Level::err, text);
}

void Call::end(lua_State* L, Ending how) {
  if (ending_ == Ending::none) {
    ending_ = how;
    failure_ = trace(L, 0);
  }
  slice::interrupt(L);
  slice::interrupt(slot_->thread);
  lua_pushlightuserdata(L, const_cast<char*>(&kEnded));
  lua_error(L);
  std::abort();  // lua_error does not return
}

std::chrono::milliseconds Call::limit() const {
  const Settings& settings = state_.engine().settings();
  switch (kind_) {
    case Kind::service:
    case Kind::command:
      return settings.service_timeout;
    case Kind::task:
    case Kind::event:
      return settings.task_timeout;
    case Kind::init:
      return std::chrono::milliseconds(0);
    case Kind::action:
    case Kind::fetch:
    case Kind::converter:
    case Kind::filter:
      break;
  }
  return settings.session_timeout;
}

void Call::slice(lua_State* L) {
  if (ending_ != Ending::none) end(L, ending_);
  const std::uint32_t ticks = slice::present.ticks;
  slice::present.ticks = 0;
  ticks_ += ticks;
  ticks_since_wait_ += ticks;
  const auto since_wait = std::chrono::milliseconds(ticks_since_wait_ * slice::kTickMs);
  const auto in_all = std::chrono::milliseconds(ticks_ * slice::kTickMs);
  const Settings& settings = state_.engine().settings();
  if (kind_ != Kind::init && settings.burst_timeout.count() != 0 &&
      since_wait > settings.burst_timeout)
    end(L, Ending::burst_timeout);
  if (limit().count() != 0 && in_all > limit()) end(L, Ending::execution_timeout);
  if (rt::current() == nullptr) return;
  // The first tick may come at once: a call has its state for a whole one at least.
  if (ticks != 0 && ticks_since_wait_ < 2) return;
  {
    const Unlocked unlocked(true);
    rt::yield();
  }
  // Where the reference may interrupt a call, a slice ends its burst.
  if (kind_ != Kind::fetch && kind_ != Kind::converter) ticks_since_wait_ = 0;
  check_cancelled(L);
}

void Unlocked::unlock(Call* call) {
  for (Call* waiting = call; waiting != nullptr; waiting = waiting->parent_)
    if (waiting->slot_ != nullptr) waiting->state_.set_busy(*waiting->slot_, true);
  for (; call != nullptr; call = call->parent_)
    if (call->locked_) call->state_.unlock();
}

void Unlocked::lock(Call* call) {
  if (call == nullptr) return;
  lock(call->parent_);
  if (call->locked_) call->state_.lock();
  if (call->slot_ != nullptr) call->state_.set_busy(*call->slot_, false);
  call->state_.current = call;
}

Unlocked::Unlocked(bool is_slice)
    : top_(innermost()), running_(slice::present.thread), is_slice_(is_slice) {
  slice::present.thread = nullptr;
  if (top_ != nullptr && top_->usage_ != nullptr) top_->count_pause();
  unlock(top_);
  // What the wait leads to may call scripts again (rules and filters of a service's response): they
  // are calls of their own, which take the state for themselves.
  innermost() = nullptr;
  if (top_ != nullptr && top_->output != nullptr && !is_slice) top_->output->flush();
}

Unlocked::~Unlocked() {
  lock(top_);
  innermost() = top_;
  if (top_ != nullptr && top_->usage_ != nullptr) {
    const rt::Instant since = top_->began_;
    top_->count_begin();
    if (!is_slice_) {
      top_->usage_->waits.add();
      top_->usage_->wait_ns.add(static_cast<std::uint64_t>((top_->began_ - since).count()));
    }
  }
  if (top_ != nullptr && !is_slice_) top_->ticks_since_wait_ = 0;
  slice::present.ticks = 0;
  slice::present.thread = running_;
}

std::string trace(lua_State* L, int level) {
  std::string out;
  lua_Debug frame;
  constexpr int kFrames = 15;
  for (int shown = 0; shown < kFrames && lua_getstack(L, level, &frame) != 0; ++level) {
    lua_getinfo(L, "Slnt", &frame);
    if (*frame.what == 'C' && frame.namewhat[0] == '\0') {
      // The bottom of a call is the function through which it was protected.
      lua_Debug below;
      if (lua_getstack(L, level + 1, &below) == 0) break;
    }
    if (shown++ != 0) out += ", ";
    if (*frame.what == 'C')
      out += "[C]: ";
    else
      out += fmt::format("{}:{}: ", frame.short_src, frame.currentline);
    if (frame.namewhat[0] != '\0')
      out += fmt::format("in {} '{}'", frame.namewhat, frame.name);
    else if (*frame.what == 'm')
      out += "in main chunk";
    else if (*frame.what == 'C')
      out += "in ?";
    else
      out += fmt::format("in function line {}", frame.linedefined);
  }
  return out;
}

Call& check_call(lua_State* L, int index, Class id, unsigned& bit) {
  State& state = State::of(L);
  if (state.current != nullptr) {  // mostly it is the object that the running call was given
    const Slot& slot = state.current->slot();
    if (slot.subject_class == id && slot.subject != nullptr &&
        slot.subject == lua_topointer(L, index)) {
      bit = 0;
      return *state.current;
    }
  }
  if (!state.is(L, index, id)) {
    if (state.is(L, index, Class::dead_subject)) raise(L, "used after its transaction ended");
    if (state.is(L, index, Class::busy_subject)) raise(L, "used while another call has it");
    luaL_argerror(L, index, "not an object of the class that this function belongs to");
  }
  lua_rawgeti(L, index, 1);
  const void* ticket = lua_touserdata(L, -1);
  lua_pop(L, 1);
  Call* call = state.find(ticket);
  if (call == nullptr) raise(L, "used after its transaction ended");
  if (!call->is_running_here()) raise(L, "used while another call has it");
  bit = reinterpret_cast<std::uintptr_t>(ticket) & 1;
  return *call;
}

Call& check_call(lua_State* L, int index, Class id) {
  unsigned bit = 0;
  return check_call(L, index, id, bit);
}

void push_object(lua_State* L, Call& call, Class id, unsigned bit) {
  lua_createtable(L, 1, 0);
  lua_pushlightuserdata(L, call.ticket(bit));
  lua_rawseti(L, -2, 1);
  call.state().set_class(L, id);
}

Call& current_call(lua_State* L, const char* what) {
  Call* call = State::of(L).current;
  if (call == nullptr) luaL_error(L, "%s: not available while a script loads", what);
  return *call;
}

}  // namespace lua

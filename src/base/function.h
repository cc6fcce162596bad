// A callable that is moved, never copied (std::move_only_function is C++23). Callables up to six
// pointers live inside the object; larger ones are allocated.
#pragma once

#include <cstddef>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

namespace base {

template <class Signature>
class Function;

template <class R, class... Args>
class Function<R(Args...)> {
 public:
  Function() = default;
  Function(std::nullptr_t) {}
  template <class F>
  requires(!std::is_same_v<std::decay_t<F>, Function> && std::is_invocable_r_v<R, F&, Args...>)
      Function(F&& f) {  // NOLINT: meant to convert
    using Target = std::decay_t<F>;
    if constexpr (sizeof(Target) <= sizeof(room_) && alignof(Target) <= alignof(void*) &&
                  std::is_nothrow_move_constructible_v<Target>) {
      new (room_) Target(std::forward<F>(f));
      table_ = &kInline<Target>;
    } else {
      *reinterpret_cast<Target**>(room_) = new Target(std::forward<F>(f));
      table_ = &kHeap<Target>;
    }
  }
  Function(Function&& other) noexcept { take(other); }
  Function& operator=(Function&& other) noexcept {
    if (this != &other) {
      clear();
      take(other);
    }
    return *this;
  }
  ~Function() { clear(); }

  explicit operator bool() const { return table_ != nullptr; }
  R operator()(Args... args) { return table_->call(room_, std::forward<Args>(args)...); }

 private:
  struct Table {
    R (*call)(void*, Args&&...);
    // Null: its bytes are all there is to it.
    void (*move)(void* from, void* to) noexcept;
    void (*destroy)(void*) noexcept;
  };
  template <class T>
  static R call_inline(void* p, Args&&... args) {
    return (*static_cast<T*>(p))(std::forward<Args>(args)...);
  }
  template <class T>
  static constexpr Table make_inline() {
    if constexpr (std::is_trivially_copyable_v<T>)
      return {&call_inline<T>, nullptr, nullptr};
    else
      return {&call_inline<T>,
              [](void* from, void* to) noexcept {
                new (to) T(std::move(*static_cast<T*>(from)));
                static_cast<T*>(from)->~T();
              },
              [](void* p) noexcept { static_cast<T*>(p)->~T(); }};
  }
  template <class T>
  static constexpr Table kInline = make_inline<T>();
  template <class T>
  static constexpr Table kHeap{
      [](void* p, Args&&... args) -> R {
        return (**static_cast<T**>(p))(std::forward<Args>(args)...);
      },
      [](void* from, void* to) noexcept { *static_cast<T**>(to) = *static_cast<T**>(from); },
      [](void* p) noexcept { delete *static_cast<T**>(p); }};

  void take(Function& other) noexcept {
    table_ = other.table_;
    other.table_ = nullptr;
    if (table_ == nullptr) return;
    if (table_->move != nullptr)
      table_->move(other.room_, room_);
    else
      std::memcpy(room_, other.room_, sizeof room_);
  }
  void clear() noexcept {
    if (table_ != nullptr && table_->destroy != nullptr) table_->destroy(room_);
    table_ = nullptr;
  }

  const Table* table_ = nullptr;
  alignas(void*) std::byte room_[6 * sizeof(void*)];
};

}  // namespace base

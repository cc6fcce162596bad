// Many small texts that go all at once: they stand one behind the other in blocks that grow with
// their number. Single texts are given up, not freed; the owner starts anew when much was given up.
// Guarded by whoever owns it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace state {

class TextStore {
 public:
  // A copy; never null, even of nothing.
  std::string_view add(std::string_view text) {
    if (text.empty()) return "";
    if (text.size() > room_) grow(text.size());
    char* copy = at_;
    std::memcpy(copy, text.data(), text.size());
    at_ += text.size();
    room_ -= text.size();
    used_ += text.size();
    return {copy, text.size()};
  }
  void give_up(std::string_view text) { wasted_ += text.size(); }
  std::size_t used() const { return used_; }
  std::size_t wasted() const { return wasted_; }

 private:
  static constexpr std::size_t kFirst = 256, kLargest = 256 * 1024;

  void grow(std::size_t needed) {
    std::size_t size = std::max(needed, std::clamp(used_, kFirst, kLargest));
    at_ = blocks_.emplace_back(new char[size]).get();
    room_ = size;
  }

  std::vector<std::unique_ptr<char[]>> blocks_;
  char* at_ = nullptr;
  std::size_t room_ = 0, used_ = 0, wasted_ = 0;
};

}  // namespace state

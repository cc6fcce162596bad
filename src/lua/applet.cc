#include "lua/applet.h"

#include "http/h1.h"

namespace lua {

namespace {
constexpr std::size_t kKept = 16384;
constexpr std::size_t kReadAtOnce = 16384;
}  // namespace

bool Applet::send(std::string_view bytes) {
  if (gone_) return false;
  if (output_.size() + bytes.size() <= kKept) {
    output_.append(bytes);
    return true;
  }
  const Unlocked unlocked;  // flushes
  if (!gone_ && !io_.send(bytes)) gone_ = true;
  return !gone_;
}

void Applet::flush() {
  if (gone_) return;
  if (head_waits_) {
    head_waits_ = false;
    if (!send_head()) gone_ = true;
  }
  if (output_.empty() || gone_) return;
  // What a wait inside of send() leads to must not send it again.
  std::string bytes;
  bytes.swap(output_);
  if (!io_.send(bytes)) gone_ = true;
}

bool Applet::fill(rt::Instant until) {
  const Unlocked unlocked;
  const std::string_view bytes = io_.receive(kReadAtOnce, until);
  input_.append(bytes);
  return !bytes.empty();
}

std::string Applet::take(std::size_t size) {
  if (size >= input_.size()) return std::exchange(input_, {});
  std::string out = input_.substr(0, size);
  input_.erase(0, size);
  return out;
}

std::string Applet::receive(std::size_t size, rt::Instant until) {
  while (input_.size() < size && !io_.receive_over())
    if (!fill(until)) break;
  return take(size);
}

std::string Applet::receive_all() {
  while (!io_.receive_over())
    if (!fill(patience())) break;
  return take(input_.size());
}

std::string Applet::receive_line() {
  std::size_t searched = 0;
  while (true) {
    const std::size_t end = input_.find('\n', searched);
    if (end != std::string::npos) return take(end + 1);
    searched = input_.size();
    if (io_.receive_over() || !fill(patience())) return take(input_.size());
  }
}

bool HttpApplet::send_head() {
  if (head.reason.empty()) head.reason = http::reason_phrase(head.status);
  return io_.start(head);
}

}  // namespace lua

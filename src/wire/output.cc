#include "wire/output.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace wire {

namespace {

constexpr std::size_t kLargestKept = 65536;  // capacity that is worth keeping
constexpr std::uint64_t kSplicedFrom = 32768;

iovec part(std::string_view bytes) { return {const_cast<char*>(bytes.data()), bytes.size()}; }

}  // namespace

void Output::attach(net::Connection* connection) {
  connection_ = connection;
  kept_.clear();
  kept_at_ = 0;
  sent_ = 0;
  chunk_left_ = 0;
  in_bulk_ = false;
  broken_ = false;
}

void Output::detach() {
  if (!going_.empty()) [[unlikely]] {
    rt::Descriptor::take_back(*this);
    going_ = {};
    let_go_of_scratch();
  }
  connection_ = nullptr;
  if (kept_.capacity() > kLargestKept) std::string().swap(kept_);
  kept_.clear();
  kept_at_ = 0;
  pipe_.drop();
}

void Output::keep(std::span<const iovec> parts, std::size_t skip) {
  for (const iovec& p : parts) {
    if (skip >= p.iov_len) {
      skip -= p.iov_len;
      continue;
    }
    kept_.append(static_cast<const char*>(p.iov_base) + skip, p.iov_len - skip);
    skip = 0;
  }
}

bool Output::failed(net::IoError error) {
  if (error == net::IoError::would_block) return false;
  broken_ = true;
  return true;
}

bool Output::send(std::span<const iovec> parts, bool more_follows) {
  if (broken_) return false;
  std::size_t size = 0;
  for (const iovec& p : parts) size += p.iov_len;
  sent_ += size;
  if (blocked()) {
    keep(parts, 0);
    return true;
  }
  char together[kWorthCopying];
  iovec whole{together, size};
  if (parts.size() > 1 && size <= kWorthCopying) {
    char* at = together;
    for (const iovec& p : parts)
      at = std::copy_n(static_cast<const char*>(p.iov_base), p.iov_len, at);
    parts = {&whole, 1};
  }
  auto put = connection_->write_now(parts, more_follows);
  if (!put && failed(put.error())) return false;
  keep(parts, put ? *put : 0);
  return true;
}

std::string Output::take_kept() {
  std::string rest = kept_.substr(kept_at_);
  kept_.clear();
  kept_at_ = 0;
  return rest;
}

// A part of its callers: see rt/system_call.h.
[[gnu::always_inline]] inline bool Output::send_now(std::string_view bytes, bool more_follows) {
  if (broken_) return false;
  sent_ += bytes.size();
  if (!blocked()) return sent_some(connection_->write_now(bytes, more_follows), bytes);
  kept_ += bytes;
  return true;
}

bool Output::send(std::string_view bytes, bool more_follows) {
  return send_now(bytes, more_follows);
}

[[gnu::always_inline]] inline bool Output::send_both(std::string_view head,
                                                     std::string_view payload, bool more_follows) {
  if (const std::string_view whole = join_in_scratch(head, payload); !whole.empty())
    return send_now(whole, more_follows);
  const iovec parts[] = {part(head), part(payload)};
  return send(parts, more_follows);
}

bool Output::flush_pipe() {
  while (pipe_.size() != 0 && connection_->io().writable()) {
    const auto put = pipe_.drain(*connection_, chunk_left_ != 0);
    if (!put && failed(put.error())) return false;
  }
  return true;
}

bool Output::flush() {
  if (broken_ || !flush_pipe()) return false;
  while (pipe_.size() == 0 && going_.empty() && blocked() && connection_->io().writable()) {
    const auto put = connection_->write_now(std::string_view(kept_).substr(kept_at_));
    if (!put && failed(put.error())) return false;
    if (put) kept_at_ += *put;
  }
  if (!blocked() && kept_at_ != 0) {
    kept_.clear();
    kept_at_ = 0;
  }
  return true;
}

bool Output::can_pull(const Input& in, bool chunked) const {
  const std::uint64_t most = in.may_pass(chunk_left_ != 0);
  return most != 0 && !(chunked && most == Input::kNoEnd) && in.connection()->io().readable();
}

bool Output::worth_splicing(const Input& in, std::uint64_t most) const {
  if (in.connection()->plain_fd() < 0 || connection_->plain_fd() < 0) return false;
  return most == Input::kNoEnd ? in_bulk_ : most >= kSplicedFrom;
}

Output::Passing Output::pull(Input& in, bool chunked) {
  Passing passing;
  const std::uint64_t most = in.may_pass(chunk_left_ != 0);
  if (chunked && chunk_left_ == 0) {
    char line[18];
    iovec size = part({line, http::write_chunk_size(most, line)});
    if (!send({&size, 1}, true)) return {0, Fill::nothing};
    chunk_left_ = most;
  }
  if (worth_splicing(in, most) && pipe_.take()) {
    passing.count = in.pass(pipe_, most, passing.how);
  } else {
    const std::span<char> room = scratch();
    passing.count = in.pass(room, most, passing.how);
    in_bulk_ = passing.count == room.size();
  }
  return passing;
}

bool Output::push(const Passing& passing, bool chunked) {
  if (chunked) chunk_left_ -= passing.count;
  if (pipe_.size() != 0) {
    sent_ += passing.count;
    if (!flush_pipe()) return false;
  } else if (!send({scratch().data(), passing.count})) {
    return false;
  }
  return !chunked || chunk_left_ != 0 || send("\r\n");
}

bool Output::send_body(std::string_view head, std::string_view payload, bool chunked, bool last,
                       const http::Headers* trailers, bool closing) {
  if (chunked) return send_chunk(head, payload, last, trailers, closing);
  if (!head.empty() && !payload.empty()) return send_both(head, payload, closing);
  const std::string_view bytes = head.empty() ? payload : head;
  return bytes.empty() || send_now(bytes, closing);
}

void Output::send_soon(std::string_view message) {
  if (broken_ || blocked() || !connection_->io().writable() || !hold_scratch(message.size())) {
    send(message);
    return;
  }
  sent_ += message.size();
  going_ = message;
  connection_->write_in_a_row(message, *this);
}

void Output::on_sent(long put) {
  const std::string_view message = std::exchange(going_, {});
  const auto taken = connection_->written(put, message.size());
  if (taken != message.size()) [[unlikely]] {
    if (!taken && failed(taken.error()))
      kept_.clear();
    else
      kept_.insert(0, message.substr(taken.value_or(0)));
  }
  let_go_of_scratch();
  if (!kept_.empty()) [[unlikely]]
    flush();
}

bool Output::send_chunk(std::string_view head, std::string_view payload, bool last,
                        const http::Headers* trailers, bool closing) {
  std::array<iovec, 5> parts;
  std::size_t count = 0;
  auto add = [&](std::string_view bytes) {
    if (!bytes.empty()) parts[count++] = part(bytes);
  };
  char size_line[18];
  std::string trailer_bytes;
  add(head);
  if (!payload.empty()) {
    add({size_line, http::write_chunk_size(payload.size(), size_line)});
    add(payload);
  }
  if (last && trailers != nullptr && !trailers->empty()) {
    trailer_bytes.resize(http::write_trailers(*trailers, {}));
    http::write_trailers(*trailers, trailer_bytes);
    add(payload.empty() ? "0\r\n" : "\r\n0\r\n");
    add(trailer_bytes);
  } else if (last) {
    add(payload.empty() ? "0\r\n\r\n" : "\r\n0\r\n\r\n");
  } else if (!payload.empty()) {
    add("\r\n");
  }
  return count == 0 || send({parts.data(), count}, closing);
}

}  // namespace wire

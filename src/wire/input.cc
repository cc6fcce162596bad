#include "wire/input.h"

#include <algorithm>
#include <cstring>

namespace wire {

void Input::attach(net::Connection* connection, Buffer&& received) {
  connection_ = connection;
  floor_ = payload_ = payload_end_ = raw_ = received.begin();
  received_ = received.size();
  buffer_ = std::move(received);
  framing_ = http::Framing::none;
  over_ = true;
  ended_ = broken_ = false;
}

Buffer Input::detach() {
  connection_ = nullptr;
  Buffer rest = std::move(buffer_);
  head_.drop();
  if (raw_ == rest.end())
    rest.drop();
  else
    rest.set(raw_, rest.end());
  floor_ = payload_ = payload_end_ = raw_ = 0;
  framing_ = http::Framing::none;
  over_ = true;  // whoever asks now finds nothing, and nothing to wait for
  return rest;
}

bool Input::enlarge(std::size_t size) {
  if (over_ || buffer_.large() || size <= buffer_size()) return false;
  const std::size_t kept = buffer_.end() - payload_;
  Buffer large;
  large.take_large(size);
  if (kept != 0) std::memcpy(large.data(), buffer_.data() + payload_, kept);
  large.set(0, kept);
  head_ = std::move(buffer_);
  buffer_ = std::move(large);
  payload_end_ -= payload_;
  raw_ -= payload_;
  payload_ = floor_ = 0;
  return true;
}

// What is left fits into a usual one, which takes its place.
void Input::give_up_large() {
  const std::size_t left = buffer_.end() - raw_;
  Buffer usual;
  usual.take();
  if (left != 0) std::memcpy(usual.data(), buffer_.data() + raw_, left);
  usual.set(0, left);
  buffer_ = std::move(usual);
  floor_ = payload_ = payload_end_ = raw_ = 0;
}

// Moves what must stay together to the floor when the room behind it runs short.
void Input::make_room() {
  if (payload_ == payload_end_) {
    payload_ = payload_end_ = raw_;
    const bool holds_head = floor_ != 0;
    if (buffer_.large() && !holds_head && buffer_.end() - raw_ <= buffer_size()) give_up_large();
  }
  if (raw_ == buffer_.end()) {  // nothing undecoded
    if (payload_ == payload_end_) {
      payload_ = payload_end_ = raw_ = floor_;
      buffer_.set(buffer_.begin(), floor_);
      return;
    }
  }
  if (buffer_.room().size() >= buffer_.capacity() / 4 || payload_ == floor_) return;
  std::size_t payload_size = payload_end_ - payload_, raw_size = buffer_.end() - raw_;
  std::memmove(buffer_.data() + floor_, buffer_.data() + payload_, payload_size);
  std::size_t raw_to = floor_ + payload_size;
  std::memmove(buffer_.data() + raw_to, buffer_.data() + raw_, raw_size);
  payload_ = floor_;
  payload_end_ = raw_ = raw_to;
  buffer_.set(buffer_.begin(), raw_to + raw_size);
}

void Input::put(std::string_view bytes) {
  buffer_.take();
  std::memcpy(buffer_.room().data(), bytes.data(), bytes.size());
  buffer_.filled(bytes.size());
  received_ += bytes.size();
}

void Input::take_raw(std::size_t count) {
  raw_ += count;
  floor_ = payload_ = payload_end_ = raw_;
}

http::Parse Input::parse(const http::ParseLimits& limits, http::RequestHead& head,
                         http::ParseError& error) {
  if (!has_bytes()) return http::Parse::need_more;
  std::size_t consumed = 0;
  http::Parse result = http::parse_request_head({buffer_.data() + raw_, buffer_.end() - raw_},
                                                limits, head, consumed, error);
  if (result == http::Parse::complete) take_raw(consumed);
  return result;
}

http::Parse Input::parse(const http::ParseLimits& limits, http::Method request_method,
                         http::ResponseHead& head, http::ParseError& error) {
  if (!has_bytes()) return http::Parse::need_more;
  std::size_t consumed = 0;
  http::Parse result = http::parse_response_head({buffer_.data() + raw_, buffer_.end() - raw_},
                                                 limits, request_method, head, consumed, error);
  if (result == http::Parse::complete) take_raw(consumed);
  return result;
}

void Input::begin_body(http::Framing framing, std::uint64_t length) {
  framing_ = framing;
  left_ = length;
  over_ = framing == http::Framing::none || (framing == http::Framing::length && length == 0);
  payload_ = payload_end_ = raw_;
  if (framing == http::Framing::chunked) chunks_.reset();
}

void Input::take_back() {
  floor_ = raw_ = payload_end_ = payload_;
  framing_ = http::Framing::none;
  over_ = true;
}

bool Input::decode_more(http::ParseError& error) {
  if (payload_ == payload_end_) payload_ = payload_end_ = raw_;
  std::size_t here = buffer_.end() - raw_;
  if (framing_ == http::Framing::until_close) {
    raw_ += here;
    payload_end_ = raw_;
    over_ = ended_;
    return true;
  }
  if (framing_ == http::Framing::length) {
    std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, here));
    raw_ += count;
    payload_end_ = raw_;
    left_ -= count;
    over_ = left_ == 0;
    return true;
  }
  while (true) {
    std::size_t consumed = 0;
    std::string_view run;
    http::Parse result =
        chunks_.step({buffer_.data() + raw_, buffer_.end() - raw_}, consumed, run, error);
    if (result == http::Parse::error) return false;
    raw_ += consumed;
    if (payload_ == payload_end_) payload_ = payload_end_ = raw_;
    if (!run.empty() && payload_end_ != raw_)
      std::memmove(buffer_.data() + payload_end_, run.data(), run.size());
    payload_end_ += run.size();
    raw_ += run.size();
    if (result == http::Parse::complete) {
      over_ = true;
      return true;
    }
    if (consumed == 0 && run.empty()) return true;
  }
}

void Input::consume(std::size_t count) { payload_ += count; }

bool Input::full() const {
  return buffer_.held() && buffer_.end() == buffer_.capacity() && payload_ == floor_;
}

bool Input::replace(std::size_t offset, std::size_t length, std::string_view with) {
  buffer_.take();
  std::size_t tail = buffer_.end() - (payload_ + offset + length);
  std::size_t grown = with.size() > length ? with.size() - length : 0;
  if (grown > buffer_.capacity() - buffer_.end()) {
    if (payload_ == floor_) return false;
    std::size_t shift = payload_ - floor_;
    std::memmove(buffer_.data() + floor_, buffer_.data() + payload_, buffer_.end() - payload_);
    payload_ -= shift;
    payload_end_ -= shift;
    raw_ -= shift;
    buffer_.set(buffer_.begin(), buffer_.end() - shift);
    if (grown > buffer_.capacity() - buffer_.end()) return false;
  }
  char* at = buffer_.data() + payload_ + offset;
  std::memmove(at + with.size(), at + length, tail);
  if (!with.empty()) std::memcpy(at, with.data(), with.size());
  std::size_t end = buffer_.end() - length + with.size();
  payload_end_ = payload_end_ - length + with.size();
  raw_ = raw_ - length + with.size();
  buffer_.set(buffer_.begin(), end);
  return true;
}

std::uint64_t Input::may_pass(bool begun) const {
  if (over_ || ended_ || broken_ || payload_ != payload_end_ || has_bytes()) return 0;
  std::uint64_t left = kNoEnd;
  if (framing_ == http::Framing::length) left = left_;
  if (framing_ == http::Framing::chunked) left = chunks_.left_in_chunk();
  return begun || left > buffer_size() ? left : 0;
}

std::size_t Input::pass(Pipe& pipe, std::uint64_t most, Fill& how) {
  return passed(pipe.fill(*connection_, most), how);
}

std::size_t Input::pass(std::span<char> into, std::uint64_t most, Fill& how) {
  if (most < into.size()) into = into.first(static_cast<std::size_t>(most));
  return passed(connection_->read_now(into), how);
}

std::size_t Input::passed(base::Result<std::size_t, net::IoError> got, Fill& how) {
  if (!got) {
    broken_ = got.error() != net::IoError::would_block;
    how = broken_ ? Fill::broken : Fill::nothing;
    return 0;
  }
  if (*got == 0) {
    ended_ = true;
    over_ = framing_ == http::Framing::until_close;
    how = Fill::end;
    return 0;
  }
  received_ += *got;
  if (framing_ == http::Framing::length) {
    left_ -= *got;
    over_ = left_ == 0;
  }
  if (framing_ == http::Framing::chunked) chunks_.skip_payload(*got);
  how = Fill::some;
  return *got;
}

void Input::next_message() {
  head_.drop();
  if (buffer_.large() && buffer_.end() - raw_ <= buffer_size()) give_up_large();
  if (!has_bytes()) {
    buffer_.set(0, 0);
    raw_ = 0;
  } else if (raw_ != 0) {
    std::size_t rest = buffer_.end() - raw_;
    std::memmove(buffer_.data(), buffer_.data() + raw_, rest);
    buffer_.set(0, rest);
    raw_ = 0;
  }
  floor_ = payload_ = payload_end_ = raw_;
  framing_ = http::Framing::none;
  over_ = true;
}

}  // namespace wire

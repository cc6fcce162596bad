// The receiving side of an HTTP/1 connection: bytes from the socket, the head of the next message,
// its body decoded where it stands. Bytes of a head stay while its message lasts, as the head views
// them; what follows the message stays for the next one. Owned by the fiber that serves it.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/h1.h"
#include "net/connection.h"
#include "wire/buffer.h"
#include "wire/pipe.h"

namespace wire {

enum class Fill : std::uint8_t { some, nothing /* would block */, end, broken, full };

class Input {
 public:
  // Binds to a connection, with what was already received from it.
  void attach(net::Connection* connection, Buffer&& received);
  void attach(net::Connection* connection) { attach(connection, {}); }
  // Lets go; gives what was received and not consumed (no block when there is nothing).
  Buffer detach();
  net::Connection* connection() const { return connection_; }

  // Asks the socket once. `end` and `broken` are told again by each later call. A part of its
  // caller: see rt/system_call.h.
  [[gnu::always_inline]] Fill fill() {
    if (broken_) return Fill::broken;
    if (ended_) return Fill::end;
    if (!connection_->io().readable()) return Fill::nothing;
    buffer_.take();
    make_room();
    const std::span<char> room = buffer_.room();
    if (room.empty()) return Fill::full;
    const auto got = connection_->read_now(room);
    if (!got) {
      if (got.error() == net::IoError::would_block) return Fill::nothing;
      broken_ = true;
      return Fill::broken;
    }
    if (*got == 0) {
      ended_ = true;
      return Fill::end;
    }
    buffer_.filled(*got);
    received_ += *got;
    return Fill::some;
  }
  bool at_end() const { return ended_ || broken_; }
  bool broken() const { return broken_; }
  bool has_bytes() const { return buffer_.held() && raw_ != buffer_.end(); }
  // Bytes received since attach().
  std::uint64_t received() const { return received_; }
  // Takes over bytes that were read elsewhere; they must fit.
  void put(std::string_view bytes);

  http::Parse parse(const http::ParseLimits& limits, http::RequestHead& head,
                    http::ParseError& error);
  http::Parse parse(const http::ParseLimits& limits, http::Method request_method,
                    http::ResponseHead& head, http::ParseError& error);
  // The bytes that could not be parsed, for error captures.
  std::string_view raw() const { return {block() + raw_, buffer_.end() - raw_}; }

  // The body behind the head that was parsed last.
  void begin_body(http::Framing framing, std::uint64_t length);
  // What was decoded and not consumed counts as not looked at: it is the start of a message.
  void take_back();
  // Decodes what has come; false when the framing is broken (`error` says how).
  bool decode(http::ParseError& error) { return over_ || decode_more(error); }
  std::string_view payload() const { return {block() + payload_, payload_end_ - payload_}; }
  void consume(std::size_t count);
  bool over() const { return over_ && payload_ == payload_end_; }  // nothing left to consume
  bool all_here() const { return over_; }                          // nothing left to come
  bool full() const;
  // Gives the body that is on its way a large buffer, where there are any; the head stays where it
  // is. Given back as soon as it is empty. False: it cannot grow.
  bool enlarge(std::size_t size);
  const http::Headers& trailers() const { return chunks_.trailers(); }
  http::Framing framing() const { return framing_; }
  // Replaces part of the payload; false when it does not fit.
  bool replace(std::size_t offset, std::size_t length, std::string_view with);

  // How many body bytes may pass without a look at them: nothing is buffered, and there are more to
  // come than the buffer holds, or a run of them has `begun`. kNoEnd where only the end tells.
  static constexpr std::uint64_t kNoEnd = UINT64_MAX;
  std::uint64_t may_pass(bool begun) const;
  // Takes at most `most` of them into `pipe`, or `into`.
  std::size_t pass(Pipe& pipe, std::uint64_t most, Fill& how);
  std::size_t pass(std::span<char> into, std::uint64_t most, Fill& how);

  // What was parsed and consumed is given up; the next message starts with what remains.
  void next_message();

 private:
  const char* block() const { return const_cast<Buffer&>(buffer_).data(); }
  void make_room();
  void give_up_large();
  void take_raw(std::size_t count);
  bool decode_more(http::ParseError& error);
  std::size_t passed(base::Result<std::size_t, net::IoError> got, Fill& how);

  net::Connection* connection_ = nullptr;
  Buffer buffer_;
  Buffer head_;  // the head of a message whose body has a large buffer
  // floor_ <= payload_ <= payload_end_ <= raw_ <= buffer_.end(): head, payload, bytes not looked
  // at.
  std::size_t floor_ = 0, payload_ = 0, payload_end_ = 0, raw_ = 0;
  std::uint64_t left_ = 0;
  std::uint64_t received_ = 0;
  http::Framing framing_ = http::Framing::none;
  bool over_ = true;
  bool ended_ = false, broken_ = false;
  http::ChunkedReader chunks_;
};

}  // namespace wire

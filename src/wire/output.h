// The sending side of a connection. What the kernel does not take at once is kept and goes first
// next time; while something is kept, whoever produces should stop. Owned by the fiber that serves
// it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "http/h1.h"
#include "net/connection.h"
#include "wire/input.h"
#include "wire/pipe.h"

namespace wire {

class Output final : rt::Sender {
 public:
  void attach(net::Connection* connection);
  void detach();
  net::Connection* connection() const { return connection_; }

  // Sends, keeping what does not go now. False once the peer is gone; later calls do nothing.
  bool send(std::span<const iovec> parts, bool more_follows = false);
  bool send(std::string_view bytes, bool more_follows = false);
  // Tries to send what was kept.
  bool flush();
  bool blocked() const { return kept_at_ != kept_.size() || pipe_.size() != 0 || !going_.empty(); }
  bool is_going() const { return !going_.empty(); }  // see send_soon()
  std::string take_kept();  // gives up what was kept, which is not in a pipe
  std::size_t kept() const { return kept_.size() - kept_at_ + pipe_.size() + going_.size(); }
  bool broken() const { return broken_; }
  std::uint64_t sent() const { return sent_; }  // bytes accepted from callers since attach()

  // A piece of a body: framed as a chunk where `chunked`. `head` goes before it in the same packet.
  // `last` ends a chunked body, with `trailers` when given. `closing`: the caller closes the
  // connection at once, and the kernel may keep the bytes back until then.
  bool send_body(std::string_view head, std::string_view payload, bool chunked, bool last,
                 const http::Headers* trailers = nullptr, bool closing = false);

  // As send(), of what join_in_scratch() has made. Other fibers may come as far first.
  // A part of its caller: see rt/system_call.h.
  [[gnu::always_inline]] bool send_in_scratch(std::string_view message, bool closing = false) {
    if (broken_ || blocked() || !hold_scratch(message.size())) return send(message, closing);
    sent_ += message.size();
    const bool sent = sent_some(connection_->write_in_a_row(message, closing), message);
    let_go_of_scratch();
    return sent;
  }
  // The same without waiting for it: it is blocked() until then. Whether the kernel took it is
  // seen later on.
  void send_soon(std::string_view message);

  // Body bytes that go through without a look at them, while nothing is kept: pull() takes them
  // from `in`, push() sends them. `chunked`: in chunks of our own.
  struct Passing {
    std::size_t count = 0;
    Fill how = Fill::nothing;
  };
  bool can_pull(const Input& in, bool chunked) const;
  Passing pull(Input& in, bool chunked);
  bool push(const Passing& passing, bool chunked);

 private:
  void on_sent(long put) override;
  void keep(std::span<const iovec> parts, std::size_t skip);
  [[gnu::always_inline]] bool sent_some(base::Result<std::size_t, net::IoError> put,
                                        std::string_view bytes) {
    if (!put && failed(put.error())) return false;
    if (put) bytes.remove_prefix(*put);
    if (!bytes.empty()) [[unlikely]]
      kept_ += bytes;
    return true;
  }
  bool send_now(std::string_view bytes, bool more_follows);
  bool send_both(std::string_view head, std::string_view payload, bool more_follows);
  bool send_chunk(std::string_view head, std::string_view payload, bool last,
                  const http::Headers* trailers, bool closing);
  bool flush_pipe();
  bool worth_splicing(const Input& in, std::uint64_t most) const;
  bool failed(net::IoError error);  // whether it is for good

  net::Connection* connection_ = nullptr;
  Pipe pipe_;               // goes before kept_
  std::string_view going_;  // in the scratch block, to be sent in a row with others; first of all
  std::string kept_;
  std::size_t kept_at_ = 0;
  std::uint64_t chunk_left_ = 0;  // of the chunk that is passing
  bool in_bulk_ = false;          // the source gave all that was asked for
  std::uint64_t sent_ = 0;
  bool broken_ = false;
};

}  // namespace wire

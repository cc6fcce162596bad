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

namespace wire {

class Output {
 public:
  void attach(net::Connection* connection);
  void detach();
  net::Connection* connection() const { return connection_; }

  // Sends, keeping what does not go now. False once the peer is gone; later calls do nothing.
  bool send(std::span<const iovec> parts, bool more_follows = false);
  bool send(std::string_view bytes);
  // Tries to send what was kept.
  bool flush();
  bool blocked() const { return kept_at_ != kept_.size(); }
  std::string take_kept();  // gives up what was kept
  std::size_t kept() const { return kept_.size() - kept_at_; }
  bool broken() const { return broken_; }
  std::uint64_t sent() const { return sent_; }  // bytes accepted from callers since attach()

  // A piece of a body: framed as a chunk where `chunked`. `head` goes before it in the same packet.
  // `last` ends a chunked body, with `trailers` when given.
  bool send_body(std::string_view head, std::string_view payload, bool chunked, bool last,
                 const http::Headers* trailers = nullptr);

 private:
  void keep(std::span<const iovec> parts, std::size_t skip);

  net::Connection* connection_ = nullptr;
  std::string kept_;
  std::size_t kept_at_ = 0;
  std::uint64_t sent_ = 0;
  bool broken_ = false;
};

}  // namespace wire

// What AppletHTTP and AppletTCP share: input that was read ahead, output that waits for the next
// pause of the script, so that a short answer leaves in one write without giving the state up.
// Lives as long as the call that runs the service.
#pragma once

#include <string>

#include "lua/call.h"

namespace lua {

class Applet : public Output {
 public:
  Applet(txn::ServiceIo& io, rt::Duration patience) : io_(io), patience_(patience) {}

  // Bytes the script sends; false when the peer has gone.
  bool send(std::string_view bytes);
  void flush() override;
  bool gone() const { return gone_; }

  // At most `size` bytes, waiting for the first; empty when it is over or, with `until`, late.
  std::string receive(std::size_t size, rt::Instant until);
  // All there is until the end.
  std::string receive_all();
  // Up to and with the next line feed, or what is left.
  std::string receive_line();
  bool over() const { return input_.empty() && io_.receive_over(); }
  // Whether more came in without waiting longer than `until`.
  bool fill(rt::Instant until);
  rt::Instant patience() const { return rt::deadline(patience_); }
  std::string take(std::size_t size);
  std::size_t buffered() const { return input_.size(); }

 protected:
  ~Applet() = default;
  virtual bool send_head() { return true; }

  txn::ServiceIo& io_;
  bool gone_ = false;
  bool head_waits_ = false;

 private:
  rt::Duration patience_;
  std::string input_, output_;
};

// A TCP service, or a command of the runtime socket.
class TcpApplet final : public Applet {
 public:
  using Applet::Applet;
};

class HttpApplet final : public Applet {
 public:
  HttpApplet(txn::ServiceIo& io, rt::Duration patience, txn::Exchange& exchange)
      : Applet(io, patience), exchange_(exchange) {
    constexpr std::size_t kUsualHeaders = 8;
    head.status = 200;
    if (exchange.request.version == http::Version{1, 0}) head.version = {1, 0};
    head.headers.reserve(kUsualHeaders);
  }
  void start() {
    started_ = true;
    head_waits_ = true;
  }
  bool started() const { return started_; }
  http::ResponseHead head;
  bool own_response = false;  // the script edits the headers itself: they are in its table

 private:
  bool send_head() override;
  txn::Exchange& exchange_;
  bool started_ = false;
};

}  // namespace lua

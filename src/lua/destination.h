// Where a script wants to connect to: an address of any kind or a name that is resolved first.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "net/address.h"
#include "net/connection.h"

namespace lua {

class Destination {
 public:
  // `port` -1: it stands in `text` ("127.0.0.1:80"), unless this is a unix socket.
  static base::Result<Destination> parse(const std::string& text, int port);
  // Waits in the fiber; tries each address that a name has, those of the family `first` before
  // others.
  base::Result<std::unique_ptr<net::Connection>, net::IoError> connect(rt::Instant until,
                                                                       int first = 0) const;

 private:
  net::Address address_;  // none: `name_`
  std::string name_;
  std::uint16_t port_ = 0;
  int family_ = 0;
};

}  // namespace lua

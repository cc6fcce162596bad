#include "admin/cli.h"

#include <unistd.h>

#include "admin/cli_session.h"
#include "rt/fiber.h"

namespace admin {

struct Cli::Listening {
  const CliSocket* socket;
  int fd = -1;
  std::unique_ptr<net::Acceptor> acceptor;
};

Cli::Cli(Environment environment) : environment_(environment) {}

Cli::~Cli() {
  stop();
  for (const auto& l : listening_)
    if (l->fd >= 0) ::close(l->fd);
}

base::Result<void> Cli::open() {
  for (const CliSocket& socket : environment_.settings.sockets) {
    for (const net::Address& address : socket.addresses) {
      auto fd = net::open_listener(address, socket.listen);
      if (!fd) return base::fail(fd.error());
      listening_.push_back(std::make_unique<Listening>());
      listening_.back()->socket = &socket;
      listening_.back()->fd = *fd;
    }
  }
  return {};
}

void Cli::start() {
  for (const auto& l : listening_) {
    const CliSocket* socket = l->socket;
    l->acceptor = std::make_unique<net::Acceptor>(
        l->fd, [this, socket](int fd, const sockaddr_storage&, socklen_t) {
          rt::spawn([this, socket, fd] {
            run_session(fd, *socket, environment_);
            if (sessions_-- == environment_.settings.maximum)
              for (const auto& waiting : listening_)
                if (waiting->acceptor) waiting->acceptor->resume();
          });
          return ++sessions_ < environment_.settings.maximum;
        });
  }
}

void Cli::stop() {
  for (const auto& l : listening_) l->acceptor.reset();
}

}  // namespace admin

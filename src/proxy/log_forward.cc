#include "proxy/log_forward.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <utility>

#include "net/connection.h"
#include "net/listener.h"
#include "obs/syslog.h"
#include "rt/fiber.h"

namespace proxy {

namespace {

constexpr std::size_t kLargestDatagram = 65536;
constexpr int kDatagramsAtOnce = 64;  // until others get their turn

// What the target shows as the host (option host).
std::string_view host_of(const LogForward& of, const obs::SyslogMessage& message,
                         std::string_view sender, std::string& buffer) {
  if (sender.empty() || of.host == LogForward::Host::keep) return message.host;
  if (message.host.empty() || of.host == LogForward::Host::replace) return sender;
  if (of.host == LogForward::Host::fill) return message.host;
  buffer = fmt::format("{},{}", message.host, sender);
  return buffer;
}

void pass_on(const LogForward& of, std::string_view bytes, std::string_view sender) {
  obs::SyslogMessage message;
  std::string host;
  if (of.parse) {
    message = obs::parse_syslog(bytes);
    message.host = host_of(of, message, sender, host);
  } else {
    while (!bytes.empty() && bytes.back() == '\n') bytes.remove_suffix(1);
    message.format = obs::LogFormatKind::raw;
    message.text = bytes;
  }
  obs::LogLine line;
  line.level = message.level;
  line.text = message.text;
  line.received = &message;
  obs::send(of.log_targets, line);
}

std::string address_text(const net::Address& address) {
  return address.is_ip() ? address.ip().text() : std::string();
}

}  // namespace

// A listening socket and the acceptor of each worker.
struct LogForwarding::Door {
  const LogForward* of = nullptr;
  int fd = -1;
  std::shared_ptr<std::atomic<std::uint32_t>> open;  // connections of the section
  std::vector<std::unique_ptr<net::Acceptor>> acceptors;

  ~Door() {
    acceptors.clear();
    if (fd >= 0) ::close(fd);
  }
  bool full() const { return of->maximum != 0 && open->load() >= of->maximum; }
  bool accept(int client, const net::Address& peer, std::size_t buffer_size);
  void serve(net::Connection& connection, const std::string& sender, std::size_t buffer_size) const;
  void make_room();
};

bool LogForwarding::Door::accept(int client, const net::Address& peer, std::size_t buffer_size) {
  open->fetch_add(1);
  rt::spawn([this, client, sender = address_text(peer), buffer_size] {
    {
      net::Connection connection(client);
      serve(connection, sender, buffer_size);
    }
    make_room();
  });
  return !full();
}

void LogForwarding::Door::make_room() {
  const bool was_full = full();
  open->fetch_sub(1);
  if (!was_full) return;
  rt::Runtime::instance()->post_all([this](rt::Worker& worker) {
    if (worker.index() < acceptors.size() && acceptors[worker.index()])
      acceptors[worker.index()]->resume();
  });
}

void LogForwarding::Door::serve(net::Connection& connection, const std::string& sender,
                                std::size_t buffer_size) const {
  std::vector<char> buffer(buffer_size);
  std::size_t used = 0;
  while (used < buffer.size()) {
    const rt::Instant deadline =
        of->client_timeout == rt::kForever ? rt::kNever : rt::now() + of->client_timeout;
    auto got = connection.read(std::span(buffer).subspan(used), deadline);
    if (!got || *got == 0) return;
    used += *got;
    std::size_t at = 0;
    std::string_view line;
    while (true) {
      std::size_t size = 0;
      const obs::Cut cut =
          obs::cut_syslog({buffer.data() + at, used - at}, of->lines_only, line, size);
      if (cut == obs::Cut::malformed) return;
      if (cut == obs::Cut::need_more) break;
      if (!line.empty()) pass_on(*of, line, sender);
      at += size;
    }
    used -= at;
    std::memmove(buffer.data(), buffer.data() + at, used);
  }
}

// A datagram socket, served by a fiber of one worker.
struct LogForwarding::Inlet {
  const LogForward* of = nullptr;
  int fd = -1;

  ~Inlet() {
    if (fd >= 0) ::close(fd);
  }
  void serve();
};

void LogForwarding::Inlet::serve() {
  rt::Descriptor io(std::exchange(fd, -1));
  std::vector<char> buffer(kLargestDatagram);
  while (io.wait_readable(rt::kNever) == rt::Wait::ready) {
    for (int i = 0; i < kDatagramsAtOnce; ++i) {
      sockaddr_storage from;
      socklen_t size = sizeof from;
      const ssize_t got = ::recvfrom(io.fd(), buffer.data(), buffer.size(), MSG_DONTWAIT,
                                     reinterpret_cast<sockaddr*>(&from), &size);
      if (got < 0) {
        io.read_drained();
        break;
      }
      if (got == 0) continue;
      pass_on(*of, {buffer.data(), static_cast<std::size_t>(got)},
              address_text(net::Address::of(reinterpret_cast<sockaddr*>(&from), size)));
    }
    rt::yield();
  }
}

LogForwarding::LogForwarding(const Config& config) : config_(config) {}
LogForwarding::~LogForwarding() = default;

bool LogForwarding::open(config::Diagnostics& diagnostics) {
  bool good = true;
  const auto report = [&](const LogForward& of, const Bind& bind, const std::string& why) {
    diagnostics.alert(bind.at, fmt::format("Starting log-forward {}: {}", of.name, why));
    good = false;
  };
  for (const auto& of : config_.log_forwards) {
    auto count = std::make_shared<std::atomic<std::uint32_t>>(0);
    for (const auto& bind : of->binds)
      for (const net::Address& address : bind->addresses) {
        net::ListenOptions options = bind->listen;
        if (options.backlog == 0) options.backlog = static_cast<int>(of->backlog);
        auto fd = net::open_listener(address, options);
        if (!fd) {
          report(*of, *bind, fd.error());
          continue;
        }
        auto door = std::make_unique<Door>();
        door->of = of.get();
        door->fd = *fd;
        door->open = count;
        doors_.push_back(std::move(door));
      }
    for (const auto& bind : of->datagram_binds)
      for (const net::Address& address : bind->addresses) {
        auto fd = net::open_datagram(address, bind->listen);
        if (!fd) {
          report(*of, *bind, fd.error());
          continue;
        }
        auto inlet = std::make_unique<Inlet>();
        inlet->of = of.get();
        inlet->fd = *fd;
        inlets_.push_back(std::move(inlet));
      }
  }
  return good;
}

void LogForwarding::start() {
  rt::Runtime& runtime = *rt::Runtime::instance();
  for (const auto& door : doors_) door->acceptors.resize(runtime.size());
  if (!doors_.empty())
    runtime.post_all([this](rt::Worker& worker) {
      for (const auto& owned : doors_) {
        Door& door = *owned;
        door.acceptors[worker.index()] = std::make_unique<net::Acceptor>(
            door.fd, [this, &door](int fd, const sockaddr_storage& peer, socklen_t size) {
              return door.accept(fd,
                                 net::Address::of(reinterpret_cast<const sockaddr*>(&peer), size),
                                 config_.buffer_size);
            });
      }
    });
  for (std::size_t i = 0; i < inlets_.size(); ++i) {
    Inlet& inlet = *inlets_[i];
    runtime.worker(static_cast<unsigned>(i % runtime.size())).post([&inlet] {
      rt::spawn([&inlet] { inlet.serve(); });
    });
  }
}

void LogForwarding::stop() {
  rt::Runtime::instance()->post_all([this](rt::Worker& worker) {
    for (const auto& door : doors_)
      if (worker.index() < door->acceptors.size()) door->acceptors[worker.index()].reset();
  });
}

}  // namespace proxy

// A backend made by hand, for this room's tests.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "config/diagnostics.h"
#include "expr/context.h"
#include "net/listener.h"
#include "rt/fiber.h"
#include "rt/worker.h"
#include "state/registry.h"
#include "upstream/check_rules.h"
#include "upstream/parse.h"

namespace upstream::testing {

struct Farm {
  explicit Farm(const std::function<void(BackendSettings&)>& change = {}) {
    auto proxy = std::make_unique<state::Proxy>();
    proxy->name = "be";
    proxy->capabilities = state::kBackend;
    backend = std::make_unique<Backend>(registry, registry.add(std::move(proxy)));
    backend->settings.balance = "roundrobin";
    if (change) change(backend->settings);
  }

  Server& add(std::string name, const std::function<void(ServerSettings&)>& change = {}) {
    auto settings = std::make_shared<ServerSettings>();
    settings->name = std::move(name);
    settings->spec = net::parse_address("127.0.0.1:1").value();
    if (change) change(*settings);
    return backend->add_server(std::move(settings), diagnostics);
  }
  void prepare() {
    EXPECT_TRUE(backend->prepare(diagnostics));
    for (const auto& message : diagnostics.messages()) ADD_FAILURE() << message.text;
  }

  state::Registry registry;
  config::Diagnostics diagnostics;
  std::unique_ptr<Backend> backend;
};

// Feeds lines of a backend section to the farm's settings.
struct Lines {
  explicit Lines(Farm& farm) : farm_(farm) {}

  bool feed(const std::string& text) {
    config::Line& line = lines_.emplace_back();
    line.file = &file_;
    line.number = static_cast<std::uint32_t>(lines_.size());
    file_.lines.push_back(text);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find(' ', at), text.size());
      line.words.push_back({unescaped(text.substr(at, end - at)), static_cast<std::uint32_t>(at)});
      at = end + 1;
    }
    std::size_t first = 0;
    const bool negated = line[0] == "no";
    if (negated) ++first;
    const std::string_view word = line[first];
    config::Arguments args(line, farm_.diagnostics, first + 1);
    if (word == "server") return parse_server(args, context_, *farm_.backend);
    if (word == "server-template") return parse_server_template(args, context_, *farm_.backend);
    BackendSettings& settings = farm_.backend->settings;
    if (word == "default-server")
      return parse_default_server(args, context_, settings, state::Mode::http);
    const bool option = word == "option";
    const auto* row =
        config::find(option ? backend_options() : backend_keywords(), option ? args.next() : word);
    if (row == nullptr) return false;
    BackendParse parse{args, context_, settings, state::Mode::http, false, negated};
    return row->parse(parse);
  }

 private:
  // "\\r\\n" and "_" for a blank, as the words of a configuration come out.
  static std::string unescaped(std::string word) {
    for (std::size_t at = 0; (at = word.find('\\', at)) != std::string::npos; ++at)
      word.replace(at, 2, word[at + 1] == 'r' ? "\r" : word[at + 1] == 'n' ? "\n" : " ");
    return word;
  }

  Farm& farm_;
  config::SourceFile file_;
  std::deque<config::Line> lines_;
  expr::Catalogue catalogue_;
  state::PatternSets patterns_;
  std::vector<std::function<void()>> deferred_;
  expr::ParseContext context_{catalogue_, farm_.registry, patterns_, farm_.diagnostics, deferred_};
};

// One request's view of a farm.
struct Request {
  explicit Request(Farm& farm) : farm_(farm) {}
  base::Result<std::unique_ptr<Slot>, NoSlot> acquire(rt::Duration patience = rt::milliseconds(0)) {
    auto slot = std::make_unique<Slot>();
    if (auto got = farm_.backend->acquire(pick, rt::precise_now() + patience, *slot); !got)
      return base::fail(got.error());
    return slot;
  }
  std::string server() {
    auto slot = acquire();
    return slot ? (*slot)->server()->state().name : "-";
  }

  Farm& farm_;
  txn::Session session;
  txn::Exchange exchange{session};
  PickContext pick{exchange};
};

// Accepts on a free port and gives each connection to `talk` in a fiber of its own.
class TinyServer {
 public:
  using Talk = std::function<void(net::Connection&)>;
  explicit TinyServer(Talk talk)
      : fd_(net::open_listener(net::Address::of(net::Ip::parse("127.0.0.1"), 0), {}).value()),
        acceptor_(fd_, [talk = std::move(talk)](int fd, const sockaddr_storage&, socklen_t) {
          rt::spawn([fd, talk] {
            net::Connection connection(fd);
            talk(connection);
          });
          return true;
        }) {}
  ~TinyServer() { ::close(fd_); }
  std::uint16_t port() const {
    sockaddr_in in{};
    socklen_t size = sizeof in;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&in), &size);
    return ntohs(in.sin_port);
  }

 private:
  int fd_;
  net::Acceptor acceptor_;
};

// Runs `body` in a fiber of a runtime with `workers` threads and waits for its end.
inline void in_fiber(unsigned workers, const std::function<void()>& body) {
  rt::Runtime runtime(workers);
  rt::spawn([&] {
    body();
    runtime.stop();
  });
  runtime.run();
}

}  // namespace upstream::testing

#include "net/connection.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "net/listener.h"
#include "net/resolver.h"
#include "rt/worker.h"

namespace net {
namespace {

rt::Instant soon() { return rt::precise_now() + std::chrono::seconds(20); }

void in_fiber(rt::Runtime& runtime, std::function<void()> body) {
  bool done = false;
  rt::spawn([&] {
    body();
    done = true;
  });
  runtime.run_until([&] { return done; });
}

std::string read_all(Connection& from) {
  std::string all;
  char buffer[1000];
  while (true) {
    const auto got = from.read(buffer, soon());
    EXPECT_TRUE(got) << describe(got.error());
    if (!got || *got == 0) return all;
    all.append(buffer, *got);
  }
}

// Answers every connection with what it sent, in capitals, once the client has said all.
struct Shouting {
  explicit Shouting(const Address& at)
      : fd(open_listener(at, {}).value()),
        address(at.is_ip() ? bound_address(fd) : at),
        acceptor(fd, [this](int client, const sockaddr_storage&, socklen_t) {
          ++accepted;
          rt::spawn([client] {
            Connection connection(client);
            std::string all = read_all(connection);
            std::transform(all.begin(), all.end(), all.begin(), ::toupper);
            EXPECT_TRUE(connection.write(all, soon()));
          });
          return keep_accepting;
        }) {}
  ~Shouting() { ::close(fd); }
  int accepted = 0;
  bool keep_accepting = true;
  int fd;
  Address address;
  Acceptor acceptor;
};

Address loopback() { return Address::of(Ip::parse("127.0.0.1"), 0); }

TEST(Connection, TalksOverEveryKindOfSocket) {
  rt::Runtime runtime(1);
  const std::string path = "/tmp/moongate-net-test-" + std::to_string(::getpid());
  for (const Address& at : {loopback(), Address::unix_socket(Address::Kind::unix_path, path),
                            Address::unix_socket(Address::Kind::abstract, path),
                            Address::unix_socket(Address::Kind::abstract_z, path)}) {
    Shouting server(at);
    in_fiber(runtime, [&] {
      auto client = connect(server.address, {}, soon());
      ASSERT_TRUE(client) << at.text() << ": " << describe(client.error());
      EXPECT_EQ((*client)->peer().kind(), at.kind());
      EXPECT_TRUE((*client)->write("hello", soon()));
      (*client)->shutdown_write();
      EXPECT_EQ(read_all(**client), "HELLO");
    });
  }
  ::unlink(path.c_str());
  EXPECT_LE(sizeof(Connection), 72U);  // what the heap gives for 64 as well
}

TEST(Connection, LargeWritesOfManyPartsArriveWhole) {
  rt::Runtime runtime(1);
  Shouting server(loopback());
  std::vector<std::string> parts;
  std::vector<iovec> vectors;
  std::string expected;
  for (int i = 0; i < 300; ++i) parts.emplace_back(i % 7 == 0 ? 0 : i * 100, 'A' + i % 26);
  for (std::string& part : parts) {
    vectors.push_back({part.data(), part.size()});
    expected += part;
  }
  in_fiber(runtime, [&] {
    auto client = connect(server.address, {}, soon());
    ASSERT_TRUE(client);
    EXPECT_TRUE((*client)->write(vectors, soon()));
    (*client)->shutdown_write();
    EXPECT_EQ(read_all(**client), expected);
  });
}

TEST(Connection, DeadlinesCancellationAndReset) {
  rt::Runtime runtime(1);
  const int fd = open_listener(loopback(), {}).value();
  std::unique_ptr<Connection> served;
  Acceptor acceptor(fd, [&](int client, const sockaddr_storage&, socklen_t) {
    served = std::make_unique<Connection>(client);
    return true;
  });
  rt::Fiber* reader = nullptr;
  in_fiber(runtime, [&] {
    auto client = connect(bound_address(fd), {}, soon());
    ASSERT_TRUE(client);
    char buffer[10];
    EXPECT_EQ((*client)->read_now(buffer).error(), IoError::would_block);
    EXPECT_EQ((*client)->read(buffer, rt::precise_now() + rt::milliseconds(3)).error(),
              IoError::timed_out);
    const std::string much(50'000'000, 'x');
    EXPECT_EQ((*client)->write(much, rt::precise_now() + rt::milliseconds(30)).error(),
              IoError::timed_out);
    bool unwound = false;
    reader = &rt::spawn([&] {
      EXPECT_EQ((*client)->read(buffer, rt::kNever).error(), IoError::cancelled);
      unwound = true;
    });
    rt::yield();
    rt::cancel(*reader);
    while (!unwound) rt::yield();
    served->reset_on_close();
    served.reset();
    EXPECT_EQ((*client)->read(buffer, soon()).error(), IoError::reset);
    EXPECT_EQ((*client)->write("x", soon()).error(), IoError::reset);
  });
  ::close(fd);
}

TEST(Connect, SaysWhyItFailed) {
  rt::Runtime runtime(1);
  const int fd = open_listener(loopback(), {}).value();
  const Address free = bound_address(fd);
  ::close(fd);
  in_fiber(runtime, [&] {
    EXPECT_EQ(connect(free, {}, soon()).error(), IoError::refused);
    EXPECT_EQ(
        connect(Address::unix_socket(Address::Kind::unix_path, "/nowhere/x"), {}, soon()).error(),
        IoError::unreachable);
    EXPECT_EQ(connect({}, {}, soon()).error(), IoError::unreachable);
  });
}

TEST(Connect, BindsTheSource) {
  rt::Runtime runtime(1);
  Shouting server(loopback());
  in_fiber(runtime, [&] {
    ConnectOptions options;
    options.source = Address::of(Ip::parse("127.0.0.9"), 0);
    options.keepalive = true;
    auto client = connect(server.address, options, soon());
    ASSERT_TRUE(client) << describe(client.error());
    EXPECT_EQ((*client)->local().ip().text(), "127.0.0.9");
    (*client)->shutdown_write();
    EXPECT_EQ(read_all(**client), "");
  });
}

TEST(Listener, SaysWhatItCouldNotBind) {
  const int first = open_listener(loopback(), {}).value();
  const Address taken = bound_address(first);
  EXPECT_EQ(open_listener(taken, {}).error(),
            "cannot bind " + taken.text() + ": Address already in use");
  EXPECT_EQ(open_listener(Address::unix_socket(Address::Kind::unix_path, "/nowhere/x"), {}).error(),
            "cannot bind unix@/nowhere/x: No such file or directory");
  EXPECT_EQ(open_listener(Address::inherited(999), {}).error(),
            "cannot adopt fd@999: Bad file descriptor");
  EXPECT_EQ(open_listener(Address::inherited(0), {}).error().substr(0, 18), "cannot adopt fd@0:");
  const int adopted = open_listener(Address::inherited(first), {}).value();
  EXPECT_NE(adopted, first);  // a copy: several lines may name one descriptor
  EXPECT_EQ(bound_address(adopted), taken);
  ::close(adopted);
  ::close(first);
}

TEST(Listener, UnixSocketTakesThePlaceOfALiveOneButOfNoFile) {
  const std::string path = "/tmp/moongate-listen-test-" + std::to_string(::getpid());
  const Address at = Address::unix_socket(Address::Kind::unix_path, path);
  ListenOptions options;
  options.unix_mode = 0640;
  const int old = open_listener(at, options).value();
  const int fresh = open_listener(at, options).value();
  struct stat status;
  ASSERT_EQ(::lstat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0640U);
  ::close(old);
  ::close(fresh);
  ::unlink(path.c_str());
  ::close(::open(path.c_str(), O_CREAT | O_WRONLY, 0600));
  EXPECT_EQ(open_listener(at, {}).error(),
            "cannot bind unix@" + path + ": the path exists and is not a socket");
  ::unlink(path.c_str());
}

TEST(Acceptor, PausesWhenToldAndWhenDescriptorsRunOut) {
  rt::Runtime runtime(1);
  const int fd = open_listener(loopback(), {}).value();
  std::vector<std::unique_ptr<Connection>> accepted;
  int troubles = 0;
  bool go_on = false;
  Acceptor acceptor(
      fd,
      [&](int client, const sockaddr_storage&, socklen_t) {
        accepted.push_back(std::make_unique<Connection>(client));
        return go_on;
      },
      [&](int error) {
        EXPECT_EQ(error, EMFILE);
        ++troubles;
      });
  in_fiber(runtime, [&] {
    std::vector<std::unique_ptr<Connection>> clients;
    for (int i = 0; i < 3; ++i) clients.push_back(connect(bound_address(fd), {}, soon()).value());
    (void)rt::sleep_for(rt::milliseconds(5));
    EXPECT_EQ(accepted.size(), 1U);
    rlimit before;
    ::getrlimit(RLIMIT_NOFILE, &before);
    rlimit low = before;
    low.rlim_cur = 3;
    ::setrlimit(RLIMIT_NOFILE, &low);
    go_on = true;
    acceptor.resume();
    (void)rt::sleep_for(rt::milliseconds(20));
    EXPECT_EQ(troubles, 1);
    EXPECT_EQ(accepted.size(), 1U);
    ::setrlimit(RLIMIT_NOFILE, &before);
    (void)rt::sleep_for(rt::milliseconds(200));
    EXPECT_EQ(accepted.size(), 3U);
  });
  ::close(fd);
}

TEST(Acceptor, WorkersShareOneSocket) {
  rt::Runtime runtime(3);
  const int fd = open_listener(loopback(), {}).value();
  std::atomic<int> ready{0}, gone{0};
  std::atomic<int> share[3] = {0, 0, 0};
  std::unique_ptr<Acceptor> acceptors[3];
  runtime.post_all([&](rt::Worker& worker) {
    acceptors[worker.index()] =
        std::make_unique<Acceptor>(fd, [&](int client, const sockaddr_storage&, socklen_t) {
          ++share[rt::worker_index()];
          ::close(client);
          return true;
        });
    ++ready;
  });
  runtime.run_until([&] { return ready == 3; });
  constexpr int kClients = 200;
  in_fiber(runtime, [&] {
    for (int i = 0; i < kClients; ++i) {
      auto client = connect(bound_address(fd), {}, soon());
      ASSERT_TRUE(client);
      EXPECT_EQ(read_all(**client), "");
    }
  });
  EXPECT_EQ(share[0] + share[1] + share[2], kClients);
  for (const auto& part : share) EXPECT_GT(part, 0);
  runtime.post_all([&](rt::Worker& worker) {
    acceptors[worker.index()].reset();
    ++gone;
  });
  runtime.run_until([&] { return gone == 3; });
  ::close(fd);
}

TEST(Resolve, NumbersLocalhostAndUnknownNames) {
  EXPECT_EQ(resolve("10.1.2.3", AF_UNSPEC, rt::kNever)->at(0).text(), "10.1.2.3");
  EXPECT_FALSE(resolve("10.1.2.3", AF_INET6, rt::kNever));
  EXPECT_EQ(resolve("localhost", AF_UNSPEC, rt::kNever)->at(0).text(), "127.0.0.1");
  EXPECT_EQ(resolve("LOCALHOST", AF_INET6, rt::kNever)->at(0).text(), "::1");
  rt::Runtime runtime(1);
  in_fiber(runtime, [&] {
    EXPECT_FALSE(resolve("does not exist", AF_UNSPEC, soon()));
    EXPECT_EQ(resolve("also does not exist", AF_UNSPEC, rt::now()).error().substr(0, 17),
              "could not resolve");
  });
}

}  // namespace
}  // namespace net

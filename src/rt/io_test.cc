#include "rt/io.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "rt/worker.h"

namespace rt {
namespace {

struct Pair {
  Pair() {
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    a = std::make_unique<Descriptor>(fds[0]);
    b = std::make_unique<Descriptor>(fds[1]);
  }
  int fds[2];
  std::unique_ptr<Descriptor> a, b;
};

Instant soon() { return precise_now() + std::chrono::seconds(20); }

std::string take(Descriptor& from) {
  char buffer[100];
  const ssize_t got = ::read(from.fd(), buffer, sizeof buffer);
  if (got < 0) {
    EXPECT_EQ(errno, EAGAIN);
    from.read_drained();
    return {};
  }
  if (got > 0) from.read_drained();
  return {buffer, static_cast<std::size_t>(got)};
}

void give(Descriptor& to, std::string_view text) {
  EXPECT_EQ(::write(to.fd(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

TEST(Descriptor, PingPongAndEnd) {
  Runtime runtime(1);
  Pair pair;
  int done = 0;
  constexpr int kRounds = 1000;
  spawn([&] {
    for (int i = 0; i < kRounds; ++i) {
      give(*pair.a, "ping");
      EXPECT_EQ(pair.a->wait_readable(soon()), Wait::ready);
      EXPECT_EQ(take(*pair.a), "pong");
    }
    pair.a->close();
    ++done;
  });
  spawn([&] {
    for (int i = 0; i < kRounds; ++i) {
      EXPECT_EQ(pair.b->wait_readable(soon()), Wait::ready);
      EXPECT_EQ(take(*pair.b), "ping");
      give(*pair.b, "pong");
    }
    EXPECT_EQ(pair.b->wait_readable(soon()), Wait::ready);
    EXPECT_TRUE(pair.b->hung_up());
    EXPECT_EQ(take(*pair.b), "");
    ++done;
  });
  runtime.run_until([&] { return done == 2; });
}

// One that nobody waits on is not asked of the kernel, and yet its end is noticed soon.
TEST(Descriptor, FreshOnesAreRegisteredWhenSomebodyWaitsOrSoon) {
  Runtime runtime(1);
  int fds[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
  struct : Watcher {
    void on_ready() override { ++calls; }
    int calls = 0;
  } watcher;
  bool done = false;
  spawn([&] {
    const std::uint32_t before = runtime.open_descriptors();
    Descriptor waits, parked;
    waits.open_fresh(fds[0]);
    parked.open_fresh(fds[1]);
    EXPECT_EQ(runtime.open_descriptors(), before);
    EXPECT_TRUE(waits.readable());
    EXPECT_EQ(take(waits), "");  // nothing there after all
    give(parked, "bytes");
    EXPECT_EQ(waits.wait_readable(soon()), Wait::ready);
    EXPECT_EQ(runtime.open_descriptors(), before + 1);
    EXPECT_EQ(take(waits), "bytes");
    EXPECT_EQ(take(parked), "");
    parked.park_unhurried(&watcher);
    waits.close();
    while (watcher.calls == 0 && precise_now() < soon()) (void)sleep_for(milliseconds(1));
    EXPECT_TRUE(parked.hung_up());
    parked.close();
    Descriptor short_lived;
    short_lived.open_fresh(::dup(STDERR_FILENO));
    short_lived.close();
    EXPECT_EQ(runtime.open_descriptors(), before);
    done = true;
  });
  runtime.run_until([&] { return done; });
  EXPECT_EQ(watcher.calls, 1);
}

TEST(Descriptor, TimeoutThenBytesThenCancel) {
  Runtime runtime(1);
  Pair pair;
  bool done = false;
  Fiber& reader = spawn([&] {
    EXPECT_EQ(pair.a->wait_readable(precise_now() + milliseconds(5)), Wait::timed_out);
    EXPECT_EQ(pair.a->wait_readable(soon()), Wait::ready);
    EXPECT_EQ(take(*pair.a), "late");
    EXPECT_EQ(pair.a->wait_readable(kNever), Wait::cancelled);
    done = true;
  });
  spawn([&] {
    (void)sleep_for(milliseconds(10));
    wake(reader);  // not what it waits for
    yield();
    give(*pair.b, "late");
    (void)sleep_for(milliseconds(5));
    cancel(reader);
  });
  runtime.run_until([&] { return done; });
}

TEST(Descriptor, WritersWaitForRoom) {
  Runtime runtime(1);
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
  Descriptor out(ends[1]), in(ends[0]);
  constexpr std::size_t kTotal = 3'000'000;
  std::size_t received = 0;
  spawn([&] {
    const std::string block(7777, 'x');
    for (std::size_t sent = 0; sent < kTotal;) {
      const ssize_t n = ::write(out.fd(), block.data(), std::min(block.size(), kTotal - sent));
      if (n < 0) {
        ASSERT_EQ(errno, EAGAIN);
        out.write_blocked();
        ASSERT_EQ(out.wait_writable(soon()), Wait::ready);
      } else {
        sent += static_cast<std::size_t>(n);
      }
    }
    out.close();
  });
  bool done = false;
  spawn([&] {
    char buffer[5000];
    while (true) {
      ASSERT_EQ(in.wait_readable(soon()), Wait::ready);
      const ssize_t n = ::read(in.fd(), buffer, sizeof buffer);
      if (n == 0) break;
      if (n < 0)
        in.read_drained();
      else
        received += static_cast<std::size_t>(n);
    }
    done = true;
  });
  runtime.run_until([&] { return done; });
  EXPECT_EQ(received, kTotal);
}

TEST(Descriptor, ClosingEndsTheWaitAndMayDestroy) {
  Runtime runtime(1);
  auto pair = std::make_unique<Pair>();
  bool done = false;
  spawn([&] {
    EXPECT_EQ(pair->a->wait_any(soon()), Wait::ready);
    EXPECT_EQ(pair, nullptr);
    done = true;
  });
  spawn([&] {
    (void)sleep_for(milliseconds(2));
    pair.reset();
  });
  runtime.run_until([&] { return done; });
}

struct Parked final : Watcher {
  explicit Parked(std::function<void()> f) : then(std::move(f)) {}
  void on_ready() override {
    EXPECT_EQ(current(), nullptr);
    ++calls;
    then();
  }
  int calls = 0;
  std::function<void()> then;
};

TEST(Descriptor, ParkedHearsOfBytesAndEndOnly) {
  Runtime runtime(1);
  Pair pair;
  std::string heard;
  Parked parked([&] {
    pair.a->park(nullptr);
    spawn([&] {
      const std::string text = take(*pair.a);
      heard += text.empty() ? "." : text;
      if (!text.empty()) pair.a->park(&parked);
    });
  });
  pair.a->park(&parked);
  spawn([&] {
    (void)sleep_for(milliseconds(3));
    EXPECT_EQ(parked.calls, 0);
    give(*pair.b, "1");
    (void)sleep_for(milliseconds(3));
    give(*pair.b, "2");
    (void)sleep_for(milliseconds(3));
    pair.b->close();
  });
  runtime.run_until([&] { return heard == "12."; });
  EXPECT_EQ(parked.calls, 3);
}

TEST(Descriptor, ParkedWhileReadableIsCalledSoon) {
  Runtime runtime(1);
  Pair pair;
  Parked parked([&] { pair.a->park(nullptr); });
  Parked gone([] {});
  Pair other;
  spawn([&] {
    pair.a->assume_readable();
    pair.a->park(&parked);
    other.a->assume_readable();
    other.a->park(&gone);
    other.a->close();
    EXPECT_EQ(parked.calls, 0);
  });
  runtime.run_until([&] { return parked.calls == 1; });
  EXPECT_EQ(gone.calls, 0);
}

// All are readable in one batch of events; the first watcher destroys all the others.
TEST(Descriptor, DestroyedInTheBatchThatReportsThem) {
  Runtime runtime(1);
  std::vector<std::unique_ptr<Pair>> pairs;
  std::vector<std::unique_ptr<Parked>> watchers;
  int calls = 0;
  for (int i = 0; i < 50; ++i) {
    pairs.push_back(std::make_unique<Pair>());
    watchers.push_back(std::make_unique<Parked>([&] {
      ++calls;
      pairs.clear();
    }));
    pairs.back()->a->park(watchers.back().get());
  }
  spawn([&] {
    (void)sleep_for(milliseconds(2));  // the first edges, of room to write, are over
    for (auto& pair : pairs) give(*pair->b, "x");
  });
  runtime.run_until([&] { return calls == 1 && pairs.empty(); });
  bool later = false;
  spawn([&] {
    (void)sleep_for(milliseconds(2));
    later = true;
  });
  runtime.run_until([&] { return later; });
  EXPECT_EQ(calls, 1);
}

TEST(SharedDescriptor, EveryEventIsTakenOnceByOneOfTheWorkers) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
  std::atomic<int> taken{0};
  constexpr int kBytes = 500;
  {
    Runtime runtime(3);
    struct Taker final : Watcher {
      void on_ready() override {
        char byte;
        if (::read(fd, &byte, 1) == 1) ++*count;
      }
      int fd;
      std::atomic<int>* count;
    } takers[3];
    std::unique_ptr<SharedDescriptor> shared[3];
    runtime.post_all([&](Worker& worker) {
      Taker& taker = takers[worker.index()];
      taker.fd = ends[0];
      taker.count = &taken;
      shared[worker.index()] = std::make_unique<SharedDescriptor>(ends[0], taker);
      shared[worker.index()]->pause();
      shared[worker.index()]->resume();
      EXPECT_FALSE(shared[worker.index()]->paused());
    });
    std::thread writer([&] {
      for (int i = 0; i < kBytes; ++i) {
        EXPECT_EQ(::write(ends[1], "x", 1), 1);
        if (i % 50 == 0) std::this_thread::sleep_for(milliseconds(1));
      }
    });
    runtime.run_until([&] { return taken == kBytes; });
    writer.join();
    std::atomic<int> dropped{0};
    runtime.post_all([&](Worker& worker) {
      shared[worker.index()].reset();
      ++dropped;
    });
    runtime.run_until([&] { return dropped == 3; });
  }
  ::close(ends[0]);
  ::close(ends[1]);
}

// All have done their work before the first one's bytes are sent; an end of the peer and a cancel()
// meanwhile are no different from those of a send at once.
TEST(Descriptor, SendsInARow) {
  Runtime runtime(1);
  Pair pairs[4];
  std::string order;
  int done = 0;
  pairs[2].b->close();
  Fiber* cancelled = nullptr;
  for (int i = 0; i < 3; ++i) {
    Fiber& fiber = spawn([&, i] {
      order += static_cast<char>('a' + i);
      const long put = pairs[i].a->send_in_a_row(std::string_view("abc", 3), MSG_NOSIGNAL);
      order += static_cast<char>('A' + i);
      EXPECT_EQ(put, i == 2 ? -EPIPE : 3);
      EXPECT_EQ(rt::cancelled(), i == 1);
      ++done;
    });
    if (i == 1) cancelled = &fiber;
  }
  spawn([&] {
    cancel(*cancelled);
    EXPECT_EQ(take(*pairs[0].b), "");
    order += '-';
    ++done;
  });
  runtime.run_until([&] { return done == 4; });
  EXPECT_EQ(order, "abc-ABC");
  EXPECT_EQ(take(*pairs[0].b), "abc");
  EXPECT_EQ(take(*pairs[1].b), "abc");

  done = 0;
  spawn([&] {  // nobody else: at once
    EXPECT_EQ(pairs[3].a->send_in_a_row("x", MSG_NOSIGNAL), 1);
    EXPECT_EQ(take(*pairs[3].b), "x");
    done = 1;
  });
  runtime.run_until([&] { return done == 1; });
}

struct Heard final : Sender {
  void on_sent(long put) override { answers.push_back(put); }
  std::vector<long> answers;
};

// A sender does not wait: its fiber goes on, and hears later of what has become of it.
TEST(Descriptor, SendersGoOnMeanwhile) {
  Runtime runtime(1);
  Pair pairs[3];
  Heard heard[3];
  pairs[1].b->close();
  bool sent = false, others = false;
  spawn([&] {
    for (int i = 0; i < 3; ++i) pairs[i].a->send_in_a_row("abc", MSG_NOSIGNAL, heard[i]);
    EXPECT_TRUE(heard[0].answers.empty());
    EXPECT_EQ(take(*pairs[0].b), "");
    Descriptor::take_back(heard[2]);
    sent = true;
  });
  spawn([&] { others = true; });
  runtime.run_until([&] { return sent && others; });
  EXPECT_EQ(heard[0].answers, std::vector<long>{3});
  EXPECT_EQ(heard[1].answers, std::vector<long>{-EPIPE});
  EXPECT_TRUE(heard[2].answers.empty());
  EXPECT_EQ(take(*pairs[0].b), "abc");
  EXPECT_EQ(take(*pairs[2].b), "");

  sent = false;
  spawn([&] {  // nobody else: at once
    pairs[2].a->send_in_a_row("x", MSG_NOSIGNAL, heard[2]);
    EXPECT_EQ(heard[2].answers, std::vector<long>{1});
    sent = true;
  });
  runtime.run_until([&] { return sent; });
}

// What watchers send goes out when those of all events have been called, before any fiber runs.
TEST(Descriptor, WatchersSendInARow) {
  Runtime runtime(1);
  Pair pairs[2];
  struct Echo final : Watcher, Sender {
    void on_ready() override {
      if (!from->readable()) return;
      EXPECT_EQ(take(*from), "hello");
      order += 'r';
      from->send_in_a_row("again", MSG_NOSIGNAL, *this);
      rt::spawn([this] { order += 'f'; });
    }
    void on_sent(long put) override {
      EXPECT_EQ(put, 5);
      order += 's';
    }
    Echo(Descriptor& d, std::string& o) : from(&d), order(o) { from->park(this); }
    Descriptor* from;
    std::string& order;
  };
  std::string order;
  Echo first(*pairs[0].a, order), second(*pairs[1].a, order);
  give(*pairs[0].b, "hello");
  give(*pairs[1].b, "hello");
  runtime.run_until([&] { return order.size() == 6; });
  EXPECT_EQ(order, "rrssff");
  EXPECT_EQ(take(*pairs[0].b), "again");
  EXPECT_EQ(take(*pairs[1].b), "again");
}

// More than stand in a row are sent, each once.
TEST(Descriptor, ARowHasAnEnd) {
  constexpr std::size_t kPairs = 10, kSends = 1000;
  Runtime runtime(1);
  Pair pairs[kPairs];
  Heard heard;
  bool done = false;
  spawn([&] {
    for (std::size_t i = 0; i < kSends; ++i)
      pairs[i % kPairs].a->send_in_a_row("z", MSG_NOSIGNAL, heard);
    done = true;
  });
  spawn([] {});
  runtime.run_until([&] { return done; });
  EXPECT_EQ(heard.answers, std::vector<long>(kSends, 1));
  for (Pair& pair : pairs) EXPECT_EQ(take(*pair.b), std::string(kSends / kPairs, 'z'));
}

// A fiber that goes on and sends again and again does not keep the others from theirs.
TEST(Descriptor, RowsFollowEachOther) {
  Runtime runtime(1);
  Pair pairs[2];
  int done = 0;
  for (Pair& pair : pairs)
    spawn([&] {
      for (int i = 0; i < 3000; ++i) {
        ASSERT_EQ(pair.a->send_in_a_row("y", MSG_NOSIGNAL), 1);
        ASSERT_EQ(take(*pair.b), "y");
      }
      ++done;
    });
  runtime.run_until([&] { return done == 2; });
}

}  // namespace
}  // namespace rt

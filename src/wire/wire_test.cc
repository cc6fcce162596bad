#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "rt/worker.h"
#include "wire/input.h"
#include "wire/output.h"

namespace wire {
namespace {

// A connection and the far end of it, in a fiber of a worker.
struct Pair {
  Pair() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) != 0) std::abort();
    near = std::make_unique<net::Connection>(ends[0]);
    far = ends[1];
  }
  ~Pair() { ::close(far); }
  void give(std::string_view bytes) const {
    ASSERT_EQ(::write(far, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  std::string take() const {
    char room[100000];
    const ssize_t got = ::read(far, room, sizeof room);
    return {room, got > 0 ? static_cast<std::size_t>(got) : 0};
  }
  void await() const {
    ASSERT_EQ(near->io().wait_readable(rt::precise_now() + std::chrono::seconds(5)),
              rt::Wait::ready);
  }
  std::unique_ptr<net::Connection> near;
  int far;
};

void in_fiber(const std::function<void()>& body) {
  rt::Runtime runtime(1);
  bool done = false;
  rt::spawn([&] {
    body();
    done = true;
  });
  runtime.run_until([&] { return done; });
}

// All payload of the message whose head is next, read as it comes.
std::string read_body(Input& in, Pair& pair) {
  std::string all;
  http::ParseError error;
  while (!in.over()) {
    EXPECT_TRUE(in.decode(error)) << error.what;
    all += in.payload();
    in.consume(in.payload().size());
    if (in.over()) break;
    if (in.fill() == Fill::nothing) pair.await();
  }
  return all;
}

TEST(Input, ReadsMessagesBehindEachOther) {
  in_fiber([] {
    Pair pair;
    Input in;
    in.attach(pair.near.get());
    pair.give(
        "POST /1 HTTP/1.1\r\nContent-Length: 5\r\n\r\nhelloPOST /2 HTTP/1.1\r\nTransfer-Enco");
    pair.give(
        "ding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nT: x\r\n\r\nGET /3 HTTP/1.1\r\n\r\n");
    http::RequestHead head;
    http::ParseError error;
    const auto next_head = [&] {
      while (in.parse({}, head, error) == http::Parse::need_more)
        if (in.fill() == Fill::nothing) pair.await();
      in.begin_body(head.framing, head.content_length);
    };
    next_head();
    EXPECT_EQ(read_body(in, pair), "hello");
    in.next_message();
    next_head();
    EXPECT_EQ(read_body(in, pair), "abcde");
    EXPECT_EQ(in.trailers().size(), 1u);
    EXPECT_EQ(head.target, "/2");
    in.next_message();
    next_head();
    EXPECT_EQ(head.target, "/3");
    EXPECT_TRUE(in.over());
    in.next_message();
    EXPECT_FALSE(in.has_bytes());
    EXPECT_FALSE(in.detach().held());
  });
}

TEST(Input, KeepsTheHeadWhileALargeBodyPasses) {
  in_fiber([] {
    Pair pair;
    Input in;
    in.attach(pair.near.get());
    const std::string piece(40000, 'x');
    pair.give("POST /kept HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    http::RequestHead head;
    http::ParseError error;
    pair.await();
    ASSERT_EQ(in.fill(), Fill::some);
    ASSERT_EQ(in.parse({}, head, error), http::Parse::complete);
    in.begin_body(head.framing, 0);
    std::string all;
    for (int i = 0; i < 4; ++i) {
      pair.give("9C40\r\n" + piece + "\r\n");
      for (std::size_t got = 0; got < piece.size();) {
        if (in.fill() == Fill::nothing) pair.await();
        ASSERT_TRUE(in.decode(error)) << error.what;
        got += in.payload().size();
        all += in.payload();
        in.consume(in.payload().size());
      }
    }
    EXPECT_EQ(all, piece + piece + piece + piece);
    EXPECT_EQ(head.target, "/kept");
  });
}

TEST(Input, ReplacesPayload) {
  in_fiber([] {
    Pair pair;
    Input in;
    in.attach(pair.near.get());
    pair.give("POST / HTTP/1.1\r\nContent-Length: 6\r\n\r\nabcdefGET");
    pair.await();
    in.fill();
    http::RequestHead head;
    http::ParseError error;
    ASSERT_EQ(in.parse({}, head, error), http::Parse::complete);
    in.begin_body(head.framing, head.content_length);
    ASSERT_TRUE(in.decode(error));
    ASSERT_TRUE(in.replace(1, 2, "12345"));
    EXPECT_EQ(in.payload(), "a12345def");
    EXPECT_EQ(in.raw(), "GET");
    ASSERT_TRUE(in.replace(0, 9, ""));
    EXPECT_EQ(in.payload(), "");
    EXPECT_EQ(in.raw(), "GET");
    EXPECT_FALSE(in.replace(0, 0, std::string(buffer_size(), 'x')));
  });
}

TEST(Output, FramesAndKeepsWhatDoesNotGo) {
  in_fiber([] {
    Pair pair;
    Output out;
    out.attach(pair.near.get());
    http::Headers trailers;
    trailers.add_parsed({"t", "x", http::HeaderId::other});
    EXPECT_TRUE(out.send_body("head\r\n\r\n", "abc", true, false));
    EXPECT_TRUE(out.send_body({}, "de", true, true, &trailers));
    EXPECT_EQ(pair.take(), "head\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nt: x\r\n\r\n");
    EXPECT_TRUE(out.send_body({}, {}, true, true));
    EXPECT_EQ(pair.take(), "0\r\n\r\n");

    const std::string large(3'000'000, 'y');
    EXPECT_TRUE(out.send(large));
    EXPECT_TRUE(out.blocked());
    std::size_t got = 0;
    while (got < large.size()) {
      const std::string piece = pair.take();
      got += piece.size();
      if (piece.empty()) {
        ASSERT_EQ(pair.near->io().wait_writable(rt::precise_now() + std::chrono::seconds(5)),
                  rt::Wait::ready);
      }
      ASSERT_TRUE(out.flush());
    }
    EXPECT_FALSE(out.blocked());
    ::shutdown(pair.far, SHUT_RDWR);
    for (int i = 0; i < 3 && out.send("z"); ++i) rt::yield();
    EXPECT_TRUE(out.broken());
  });
}

// What fibers keep in the scratch block until all of them send does not get mixed up, and the block
// is whole again afterwards.
TEST(Output, MessagesOfManyFibersStandInOneBlock) {
  constexpr int kFibers = 100;  // more than the block holds of these
  rt::Runtime runtime(1);
  std::vector<std::unique_ptr<Pair>> pairs;
  int done = 0, written = 0, most_written = 0;
  const std::size_t whole = scratch().size();
  for (int i = 0; i < kFibers; ++i) {
    pairs.push_back(std::make_unique<Pair>());
    rt::spawn([&, i] {
      Output out;
      out.attach(pairs[static_cast<std::size_t>(i)]->near.get());
      const std::string head(900, static_cast<char>('A' + i % 26)), payload(700 + i, 'p');
      std::copy(head.begin(), head.end(), scratch().begin());
      most_written = std::max(most_written, ++written);
      const std::string_view message = join_in_scratch({scratch().data(), head.size()}, payload);
      ASSERT_EQ(message.size(), head.size() + payload.size());
      EXPECT_TRUE(out.send_in_scratch(message));
      --written;
      EXPECT_EQ(pairs[static_cast<std::size_t>(i)]->take(), head + payload);
      EXPECT_EQ(out.sent(), head.size() + payload.size());
      ++done;
    });
  }
  runtime.run_until([&] { return done == kFibers; });
  EXPECT_GT(most_written, 30);
  EXPECT_EQ(scratch().size(), whole);
}

// Puts `message` into the scratch block, as a head is written.
std::string_view in_scratch(std::string_view message) {
  std::copy(message.begin(), message.end(), scratch().begin());
  return {scratch().data(), message.size()};
}

// Runs `body` in a fiber beside another, so that sends in a row are put off.
void beside_another(const std::function<void()>& body) {
  rt::Runtime runtime(1);
  int done = 0;
  rt::spawn([&] {
    body();
    ++done;
  });
  rt::spawn([&] { ++done; });
  runtime.run_until([&] { return done == 2; });
}

TEST(Output, SendsSoonWithoutWaiting) {
  beside_another([] {
    Pair pair;
    Output out;
    out.attach(pair.near.get());
    const std::size_t whole = scratch().size();
    out.send_soon(in_scratch("first, "));
    EXPECT_TRUE(out.blocked());
    EXPECT_EQ(out.kept(), 7u);
    EXPECT_EQ(pair.take(), "");
    EXPECT_TRUE(out.send("second"));  // behind it
    rt::yield();
    EXPECT_FALSE(out.blocked());
    EXPECT_EQ(pair.take(), "first, second");
    EXPECT_EQ(out.sent(), 13u);
    EXPECT_EQ(scratch().size(), whole);
  });
}

TEST(Output, WhatIsNotSentYetIsTakenBack) {
  beside_another([] {
    Pair pair;
    const std::size_t whole = scratch().size();
    Output out;
    out.attach(pair.near.get());
    out.send_soon(in_scratch("never"));
    out.detach();
    EXPECT_EQ(scratch().size(), whole);
    rt::yield();
    EXPECT_EQ(pair.take(), "");
  });
}

TEST(Output, KeepsWhatTheKernelDoesNotTakeSoon) {
  beside_another([] {
    Pair pair;
    const int small = 1;
    ::setsockopt(pair.near->io().fd(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    Output out;
    out.attach(pair.near.get());
    const std::string message(60000, 'm');
    out.send_soon(in_scratch(message));
    rt::yield();
    ASSERT_TRUE(out.blocked());
    EXPECT_LT(out.kept(), message.size());
    EXPECT_TRUE(out.send("!"));
    std::string got;
    while (out.blocked()) {
      got += pair.take();
      ASSERT_EQ(pair.near->io().wait_writable(rt::precise_now() + std::chrono::seconds(5)),
                rt::Wait::ready);
      ASSERT_TRUE(out.flush());
    }
    EXPECT_EQ(got + pair.take(), message + '!');
  });
}

TEST(Output, APeerThatIsGoneIsSeenLaterOn) {
  beside_another([] {
    Pair pair;
    ::shutdown(pair.far, SHUT_RDWR);
    Output out;
    out.attach(pair.near.get());
    out.send_soon(in_scratch("for nobody"));
    EXPECT_FALSE(out.broken());
    rt::yield();
    EXPECT_TRUE(out.broken());
    EXPECT_FALSE(out.blocked());
  });
}

}  // namespace
}  // namespace wire

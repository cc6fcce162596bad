#include "upstream/per_worker.h"
#include "upstream/testing.h"

namespace upstream {
namespace {

using rt::milliseconds;
using testing::Farm;
using testing::in_fiber;
using testing::Lines;
using testing::Request;
using testing::TinyServer;

// Keeps connections open until it is told to close one by a byte.
void hold(net::Connection& connection) {
  char byte;
  (void)connection.read({&byte, 1}, rt::now() + milliseconds(2000));
}

struct Bench {
  explicit Bench(std::uint16_t port, const std::string& settings = "") {
    Lines lines(farm);
    EXPECT_TRUE(lines.feed("server s1 127.0.0.1:" + std::to_string(port) + settings));
    farm.prepare();
  }
  ServerLink connect(Request& request, std::uint64_t session = 0, Reuse reuse = Reuse::any) {
    ServerLink link;
    EXPECT_TRUE(
        server().connect(request.exchange, session, reuse, rt::now() + milliseconds(1000), link));
    return link;
  }
  Server& server() { return *farm.backend->find("s1"); }
  Farm farm;
};

TEST(Pool, ReusesTheLatestOfTheSameKey) {
  in_fiber(1, [] {
    TinyServer tiny(hold);
    Bench bench(tiny.port());
    Request request(bench.farm);
    ServerLink a = bench.connect(request), b = bench.connect(request),
               other = bench.connect(request, 7);
    EXPECT_FALSE(a.reused);
    const net::Connection* const b_connection = b.connection.get();
    EXPECT_EQ(bench.server().state().used_connections.load(), 3u);
    bench.server().release(std::move(a));
    bench.server().release(std::move(b));
    bench.server().release(std::move(other));
    EXPECT_EQ(bench.server().state().idle.load(), 3u);
    EXPECT_EQ(bench.server().state().used_connections.load(), 0u);
    ServerLink again = bench.connect(request);
    EXPECT_TRUE(again.reused);
    EXPECT_EQ(again.uses, 2u);
    EXPECT_EQ(again.connection.get(), b_connection);
    EXPECT_FALSE(bench.connect(request, 8).reused);
    EXPECT_FALSE(bench.connect(request, 0, Reuse::none).reused);
    EXPECT_EQ(bench.server().state().idle.load(), 2u);
  });
}

TEST(Pool, DropsWhatTheServerClosesAndWhatIsTooMuchOrTooOld) {
  in_fiber(1, [] {
    TinyServer tiny(hold);
    Bench bench(tiny.port(), " pool-max-conn 2 pool-purge-delay 60ms max-reuse 1");
    Request request(bench.farm);
    ServerLink a = bench.connect(request), b = bench.connect(request), c = bench.connect(request);
    ASSERT_TRUE(
        a.connection->write("x", rt::now() + milliseconds(100)).has_value());  // closes soon
    bench.server().release(std::move(c));
    bench.server().release(std::move(a));
    bench.server().release(std::move(b));  // one too many
    EXPECT_EQ(bench.server().state().idle.load(), 2u);
    EXPECT_FALSE(bench.connect(request, 0, Reuse::proven).reused);
    (void)rt::sleep_for(milliseconds(15));
    EXPECT_EQ(bench.server().state().idle.load(), 1u);
    ServerLink used = bench.connect(request);
    EXPECT_TRUE(used.reused);
    bench.server().release(std::move(used));  // it carried two requests: one reuse is allowed
    EXPECT_EQ(bench.server().state().idle.load(), 0u);
    bench.server().release(bench.connect(request));
    for (int i = 0; i < 100 && bench.server().idle_everywhere() != 0; ++i)
      (void)rt::sleep_for(milliseconds(10));
    EXPECT_EQ(bench.server().idle_everywhere(), 0u);
    EXPECT_EQ(bench.server().state().needed_connections.load(), 0u);
  });
}

TEST(Pool, KeepsNoMoreThanWereNeededAtOnce) {
  in_fiber(1, [] {
    TinyServer tiny(hold);
    Bench bench(tiny.port());
    Request request(bench.farm);
    bench.server().release(bench.connect(request));
    ServerLink second = bench.connect(request, 0, Reuse::none);
    bench.server().release(std::move(second));
    EXPECT_EQ(bench.server().idle_everywhere(), 1u);
    ServerLink a = bench.connect(request), b = bench.connect(request);
    bench.server().release(std::move(a));
    bench.server().release(std::move(b));
    EXPECT_EQ(bench.server().idle_everywhere(), 2u);
  });
}

TEST(Pool, ForgetsWhatASessionOwned) {
  in_fiber(1, [] {
    TinyServer tiny(hold);
    Bench bench(tiny.port());
    Request request(bench.farm);
    bench.server().release(bench.connect(request, 5));
    EXPECT_FALSE(bench.connect(request).reused);
    EXPECT_TRUE(bench.connect(request, 5).reused);
    bench.server().release(bench.connect(request, 6));
    bench.server().drop_idle_of(6);
    EXPECT_FALSE(bench.connect(request, 6).reused);
  });
}

// Those of one client and those of all wait in lists of their own.
TEST(Pool, GivesUpTheLongestIdleOfAll) {
  in_fiber(1, [] {
    TinyServer tiny(hold);
    for (const std::uint64_t oldest : {0, 5}) {
      Bench bench(tiny.port(), " maxconn 3 strict-maxconn");
      Request request(bench.farm);
      ServerLink a = bench.connect(request, oldest), b = bench.connect(request, 5 - oldest),
                 c = bench.connect(request, 6);
      bench.server().release(std::move(a));
      bench.server().release(std::move(b));
      bench.server().release(std::move(c));
      EXPECT_EQ(bench.server().idle_everywhere(), 3u);
      const ServerLink fresh = bench.connect(request, 0, Reuse::none);
      EXPECT_EQ(bench.server().idle_everywhere(), 2u);
      EXPECT_TRUE(bench.connect(request, 5 - oldest).reused);
      EXPECT_TRUE(bench.connect(request, 6).reused);
      EXPECT_FALSE(bench.connect(request, oldest).reused);
    }
  });
}

TEST(Pool, HandsConnectionsToOtherWorkers) {
  in_fiber(2, [] {
    TinyServer tiny([](net::Connection& connection) {
      char byte;
      while (connection.read({&byte, 1}, rt::now() + milliseconds(2000)).value_or(0) == 1)
        (void)connection.write({&byte, 1}, rt::now() + milliseconds(2000));
    });
    Bench bench(tiny.port());
    Request request(bench.farm);
    bench.server().release(bench.connect(request));
    bool reused = false, alone = true;
    char answer = 0;
    std::atomic<bool> done{false};
    rt::Runtime::instance()->worker(1).post([&] {
      rt::spawn([&] {
        Request theirs(bench.farm);
        alone = bench.connect(theirs, 9).reused;
        ServerLink link = bench.connect(theirs);
        reused = link.reused;
        (void)link.connection->write("x", rt::now() + milliseconds(500));
        (void)link.connection->read({&answer, 1}, rt::now() + milliseconds(500));
        bench.server().release(std::move(link));
        done = true;
      });
    });
    while (!done) (void)rt::sleep_for(milliseconds(1));
    EXPECT_TRUE(reused);
    EXPECT_FALSE(alone);
    EXPECT_EQ(answer, 'x');
    EXPECT_FALSE(bench.server().has_idle());
    EXPECT_EQ(bench.server().state().idle_safe.load(), 1u);
    ServerLink back = bench.connect(request);
    EXPECT_TRUE(back.reused);
    EXPECT_EQ(back.uses, 3u);
  });
}

TEST(Connect, MapsPortsAndSendsProxyHeaders) {
  in_fiber(1, [] {
    std::string heard;
    TinyServer tiny([&](net::Connection& connection) {
      char bytes[256];
      const auto got = connection.read(bytes, rt::now() + milliseconds(500));
      if (got) heard.assign(bytes, *got);
    });
    Farm farm;
    Lines lines(farm);
    ASSERT_TRUE(lines.feed("server s1 127.0.0.1:-1 send-proxy"));
    farm.prepare();
    Request request(farm);
    request.session.source = net::Address::of(net::Ip::parse("10.0.0.1"), 1000);
    request.session.destination =
        net::Address::of(net::Ip::parse("10.0.0.2"), static_cast<std::uint16_t>(tiny.port() + 1));
    ServerLink link;
    ASSERT_TRUE(farm.backend->find("s1")->connect(request.exchange, 0, Reuse::any,
                                                  rt::now() + milliseconds(500), link));
    (void)rt::sleep_for(milliseconds(10));
    EXPECT_EQ(heard,
              "PROXY TCP4 10.0.0.1 10.0.0.2 1000 " + std::to_string(tiny.port() + 1) + "\r\n");
  });
}

TEST(Connect, FollowsAChangedAddress) {
  in_fiber(1, [] {
    TinyServer tiny(hold);
    Bench bench(1);
    Request request(bench.farm);
    const auto connect = [&] {
      ServerLink link;
      const rt::Instant deadline = rt::now() + milliseconds(500);
      return bench.server().connect(request.exchange, 0, Reuse::any, deadline, link).has_value();
    };
    EXPECT_FALSE(connect());
    ASSERT_TRUE(control::set_address(bench.server(), "127.0.0.1", std::to_string(tiny.port())));
    EXPECT_TRUE(connect());
    EXPECT_FALSE(control::set_address(bench.server(), "nowhere", ""));
  });
}

}  // namespace
}  // namespace upstream

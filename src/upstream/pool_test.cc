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
  ServerLink connect(Request& request, std::uint64_t key = 0, Reuse reuse = Reuse::any) {
    auto link = server().connect(request.exchange, key, reuse, rt::now() + milliseconds(1000));
    EXPECT_TRUE(link.has_value());
    return link ? std::move(*link) : ServerLink();
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
    bench.server().release(std::move(c));                                      // the oldest goes
    bench.server().release(std::move(a));
    bench.server().release(std::move(b));
    EXPECT_EQ(bench.server().state().idle.load(), 2u);
    EXPECT_FALSE(bench.connect(request, 0, Reuse::proven).reused);
    (void)rt::sleep_for(milliseconds(15));
    EXPECT_EQ(bench.server().state().idle.load(), 1u);
    ServerLink used = bench.connect(request);
    EXPECT_TRUE(used.reused);
    bench.server().release(std::move(used));  // it carried two requests: one reuse is allowed
    EXPECT_EQ(bench.server().state().idle.load(), 0u);
    bench.server().release(bench.connect(request));
    (void)rt::sleep_for(milliseconds(90));
    EXPECT_EQ(bench.server().state().idle.load(), 0u);
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
    auto link = farm.backend->find("s1")->connect(request.exchange, 0, Reuse::any,
                                                  rt::now() + milliseconds(500));
    ASSERT_TRUE(link.has_value());
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
    EXPECT_FALSE(
        bench.server().connect(request.exchange, 0, Reuse::any, rt::now() + milliseconds(500)));
    ASSERT_TRUE(control::set_address(bench.server(), "127.0.0.1", std::to_string(tiny.port())));
    EXPECT_TRUE(
        bench.server().connect(request.exchange, 0, Reuse::any, rt::now() + milliseconds(500)));
    EXPECT_FALSE(control::set_address(bench.server(), "nowhere", ""));
  });
}

}  // namespace
}  // namespace upstream

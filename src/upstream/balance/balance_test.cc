#include "upstream/balance/balance.h"

#include <map>
#include <thread>

#include "upstream/hash.h"
#include "upstream/testing.h"

namespace upstream {
namespace {

using testing::Farm;
using testing::Request;

std::string many(Farm& farm, int requests) {
  std::string out;
  for (int i = 0; i < requests; ++i) out += Request(farm).server().back();
  return out;
}

TEST(RoundRobin, TurnsFollowWeightsSmoothly) {
  Farm farm;
  farm.add("s1", [](ServerSettings& s) { s.weight = 2; });
  farm.add("s2");
  farm.prepare();
  EXPECT_EQ(many(farm, 6), "121121");
  ASSERT_TRUE(control::set_weight(*farm.backend->find("s1"), "0").has_value());
  EXPECT_EQ(many(farm, 3), "222");
  EXPECT_FALSE(control::set_weight(*farm.backend->find("s1"), "257").has_value());
}

TEST(RoundRobin, FullServersArePassedOverAndRetriesGoElsewhere) {
  Farm farm;
  farm.add("s1", [](ServerSettings& s) { s.maximum = 1; });
  Server& second = farm.add("s2");
  farm.prepare();
  auto held = Request(farm).acquire();
  ASSERT_TRUE(held && (*held)->server()->state().name == "s1");
  EXPECT_EQ(many(farm, 3), "222");
  (*held)->free();
  Request again(farm);
  again.pick.tried.push_back(&second);
  EXPECT_EQ(again.server(), "s1");
}

TEST(Backup, FirstOneAloneUnlessAllAreAskedFor) {
  for (const bool all : {false, true}) {
    Farm farm([all](BackendSettings& s) { s.all_backups = all; });
    Server& active = farm.add("s1");
    farm.add("s2", [](ServerSettings& s) { s.backup = true; });
    farm.add("s3", [](ServerSettings& s) { s.backup = true; });
    farm.prepare();
    EXPECT_EQ(many(farm, 2), "11");
    ASSERT_TRUE(control::set_state(active, "maint").has_value());
    EXPECT_EQ(many(farm, 4), all ? "2323" : "2222");
    ASSERT_TRUE(control::set_state(*farm.backend->find("s2"), "maint").has_value());
    ASSERT_TRUE(control::set_state(*farm.backend->find("s3"), "maint").has_value());
    EXPECT_EQ(Request(farm).acquire().error(), NoSlot::no_server);
  }
}

TEST(LeastConnections, ExactOverThreads) {
  constexpr unsigned kThreads = 4, kEach = 300;
  Farm farm([](BackendSettings& s) { s.balance = "leastconn"; });
  for (int i = 1; i <= 5; ++i) farm.add("s" + std::to_string(i));
  farm.add("s6", [](ServerSettings& s) { s.weight = 5; });
  farm.prepare();
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < kThreads; ++t)
    threads.emplace_back([&farm] {
      Request request(farm);
      for (unsigned i = 0; i < kEach; ++i) {
        request.pick.taken = false;
        ASSERT_NE(farm.backend->balancer().pick(request.pick), nullptr);
      }
    });
  for (auto& thread : threads) thread.join();
  for (const auto& server : farm.backend->servers())
    EXPECT_EQ(server->state().served.load(), kThreads * kEach / 10 * server->settings().weight);
}

TEST(First, FillsTheLowestId) {
  Farm farm([](BackendSettings& s) { s.balance = "first"; });
  farm.add("s1", [](ServerSettings& s) {
    s.maximum = 2;
    s.id = 9;
  });
  farm.add("s2", [](ServerSettings& s) {
    s.maximum = 1;
    s.id = 3;
  });
  farm.prepare();
  std::vector<std::unique_ptr<Slot>> held;
  std::string order;
  for (int i = 0; i < 3; ++i) {
    held.push_back(std::move(*Request(farm).acquire()));
    order += held.back()->server()->state().name.back();
  }
  EXPECT_EQ(order, "211");
}

TEST(Random, FollowsWeightsRoughly) {
  Farm farm([](BackendSettings& s) { s.balance = "random"; });
  farm.add("s1", [](ServerSettings& s) { s.weight = 3; });
  farm.add("s2");
  farm.prepare();
  const std::string order = many(farm, 4000);
  EXPECT_NEAR(std::count(order.begin(), order.end(), '1'), 3000, 150);
}

// Answers of the reference for the same keys, weights and settings.
std::string by_uri(bool consistent, HashFunction function, bool mixed) {
  Farm farm([&](BackendSettings& s) {
    s.balance = "uri";
    s.hash_consistent = consistent;
    s.hash_function = function;
    s.hash_avalanche = mixed;
  });
  for (int i = 1; i <= 5; ++i) farm.add("s" + std::to_string(i));
  farm.prepare();
  std::string out;
  for (int i = 0; i < 30; ++i) {
    Request request(farm);
    const std::string target = "/path" + std::to_string(i) + "/x" + std::to_string(i * 7) + "?q=1";
    request.exchange.is_http = true;
    request.exchange.request.target = target;
    out += request.server().back();
  }
  return out;
}

TEST(Hash, ChoosesTheServersOfTheReference) {
  EXPECT_EQ(by_uri(false, HashFunction::sdbm, false), "235455555551111242411412524241");
  EXPECT_EQ(by_uri(false, HashFunction::djb2, false), "544534534542342144252253314424");
  EXPECT_EQ(by_uri(false, HashFunction::wt6, false), "251343534234311252525433431242");
  EXPECT_EQ(by_uri(false, HashFunction::crc32, false), "533212153451244444232113551333");
  EXPECT_EQ(by_uri(false, HashFunction::sdbm, true), "155124353345423243131335311215");
  EXPECT_EQ(by_uri(true, HashFunction::sdbm, true), "154354115424235113245135311224");
  EXPECT_EQ(by_uri(true, HashFunction::djb2, false), "225555555544422311115522551324");
  EXPECT_EQ(by_uri(true, HashFunction::crc32, true), "511534341113314315511211351441");
}

TEST(Hash, MapOfUnequalWeightsIsThatOfTheReference) {
  Farm farm([](BackendSettings& s) {
    s.balance = "source";
    s.hash_function = HashFunction::sdbm;
  });
  for (const unsigned weight : {5u, 1u, 1u, 10u})
    farm.add("s" + std::to_string(farm.backend->servers().size() + 1),
             [weight](ServerSettings& s) { s.weight = weight; });
  farm.prepare();
  std::string map;
  for (std::uint32_t i = 0; i < 17; ++i) {
    Request request(farm);
    in_addr address{};
    address.s_addr = htonl(17 * 1000 + i);
    request.session.source = net::Address::of(net::Ip::from(address), 1);
    map += request.server().back();
  }
  EXPECT_EQ(map, "14241441434414144");
}

TEST(Hash, KeylessRequestsGoInTurnsAndAServerKeepsItsKeys) {
  Farm farm([](BackendSettings& s) {
    s.balance = "hdr";
    s.balance_name = "host";
    s.hash_consistent = s.hash_avalanche = true;
  });
  for (int i = 1; i <= 4; ++i) farm.add("s" + std::to_string(i));
  farm.prepare();
  EXPECT_EQ(many(farm, 4), "1234");
  const auto by_host = [&](int i) {
    Request request(farm);
    request.exchange.is_http = true;
    const std::string host = "h" + std::to_string(i);
    request.exchange.request.headers.add("host", host, request.exchange.arena);
    return request.server();
  };
  std::map<int, std::string> before;
  for (int i = 0; i < 200; ++i) before[i] = by_host(i);
  ASSERT_TRUE(control::set_state(*farm.backend->find("s3"), "maint").has_value());
  for (int i = 0; i < 200; ++i) {
    const std::string now = by_host(i);
    if (before[i] != "s3") {
      EXPECT_EQ(now, before[i]);
    }
    EXPECT_NE(now, "s3");
  }
}

}  // namespace
}  // namespace upstream

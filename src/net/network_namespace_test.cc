#include "net/network_namespace.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace net {
namespace {

TEST(SocketPlace, TakesNamespaceAndInterfaceApart) {
  EXPECT_EQ(socket_place("lo").interface, "lo");
  EXPECT_EQ(socket_place("lo").network, "");
  EXPECT_EQ(socket_place("blue/lo").interface, "lo");
  EXPECT_EQ(socket_place("blue/lo").network, "blue");
  EXPECT_EQ(socket_place("*/").interface, "");
  EXPECT_EQ(socket_place("*/").network, kNamespaceOfClient);
}

TEST(SocketPlace, ChangesOneAndKeepsTheOther) {
  std::string place;
  set_network(place, "blue");
  EXPECT_EQ(place, "blue/");
  set_interface(place, "lo");
  EXPECT_EQ(place, "blue/lo");
  set_network(place, "red");
  EXPECT_EQ(place, "red/lo");
  set_interface(place, "");
  EXPECT_EQ(place, "red/");
  set_interface(place, "eth0");
  set_network(place, "");
  EXPECT_EQ(place, "eth0");
  set_interface(place, "");
  EXPECT_EQ(place, "");
}

TEST(NetworkNamespace, UnknownNamesOpenNothing) {
  for (const char* name : {"", ".", "..", "../netns", "nobody-has-it", "*"}) {
    EXPECT_FALSE(open_namespace(name)) << name;
    EXPECT_FALSE(knows_namespace(name)) << name;
  }
  errno = 0;
  EXPECT_EQ(socket_in("nobody-has-it", AF_INET, SOCK_STREAM, 0), -1);
  EXPECT_EQ(errno, ENONET);
}

TEST(NetworkNamespace, NoNameIsTheOwnOne) {
  const int fd = socket_in("", AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_GE(fd, 0);
  EXPECT_EQ(namespace_of_socket(fd), "");
  ::close(fd);
}

}  // namespace
}  // namespace net

#include "net/network_namespace.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace net {
namespace {

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

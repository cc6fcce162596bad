/* Answers every piece of input on a unix socket with one line, a fixed time after it came: what scripts wait for in
 * scripts.py. One epoll loop; as the delay is the same for all, answers are due in the order of the questions. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { kDue = 1 << 16, kEvents = 512 };
static struct { long at; int fd; unsigned generation; } due[kDue];
static unsigned first, last, generations[1 << 16];

static long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000L + t.tv_nsec;
}

static int listen_at(const char* path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (fd < 0 || bind(fd, (struct sockaddr*)&address, sizeof address) || listen(fd, 4096)) {
    perror(path);
    exit(1);
  }
  return fd;
}

static void read_question(int fd, long delay) {
  char bytes[256];
  ssize_t size = read(fd, bytes, sizeof bytes);
  if (size <= 0) {
    ++generations[fd];
    close(fd);
  } else if (last - first < kDue) {
    due[last % kDue].at = now() + delay;
    due[last % kDue].fd = fd;
    due[last++ % kDue].generation = generations[fd];
  }
}

static void answer_due(void) {
  for (; first != last && due[first % kDue].at <= now(); ++first)
    if (generations[due[first % kDue].fd] == due[first % kDue].generation &&
        send(due[first % kDue].fd, "ok\n", 3, MSG_NOSIGNAL) < 0)
      continue;
}

int main(int count, char** words) {
  if (count != 3) return fprintf(stderr, "usage: slow_server PATH MICROSECONDS\n"), 1;
  const long delay = atol(words[2]) * 1000;
  const int listener = listen_at(words[1]), loop = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[kEvents];
  epoll_ctl(loop, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    long left = first == last ? 1000000000L : due[first % kDue].at - now();
    struct timespec patience = {0, left < 0 ? 0 : left > 999999999L ? 999999999L : left};
    int found = epoll_pwait2(loop, events, kEvents, &patience, NULL);
    for (int i = 0; i < found; ++i) {
      if (events[i].data.fd != listener) {
        read_question(events[i].data.fd, delay);
        continue;
      }
      for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
        event.data.fd = fd;
        epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event);
      }
    }
    answer_due();
  }
}

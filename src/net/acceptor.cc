#include <unistd.h>

#include <cerrno>
#include <exception>
#include <new>
#include <system_error>
#include <utility>

#include "net/listener.h"
#include "rt/io.h"
#include "rt/timer.h"

namespace net {

namespace {

constexpr rt::Duration kRest = rt::milliseconds(100);
constexpr int kAlone = 64;     // connections to accept in a turn of the loop
constexpr int kAmongMany = 8;  // ... where other workers may take the next ones
// The kernel wakes the worker that registered first; after this many it is another's turn.
constexpr int kBeforeStepBack = 16;

bool concerns_one_connection(int error) {
  return error == ECONNABORTED || error == EINTR || error == EPROTO || error == EPERM ||
         error == ETIMEDOUT || error == ENETDOWN || error == EHOSTUNREACH || error == ENETUNREACH;
}

}  // namespace

struct Acceptor::State final : rt::Watcher, rt::Timer {
  State(int listen_fd, Acceptor::Callback connection, Trouble t)
      : rt::Timer([](rt::Timer& timer) { static_cast<State&>(timer).go_on(); }),
        fd(listen_fd),
        on_connection(std::move(connection)),
        on_trouble(std::move(t)),
        shared(listen_fd, *this) {}

  void go_on() {
    if (!paused) resume_watching();
  }

  void resume_watching() {
    try {
      shared.resume();
    } catch (const std::system_error& error) {
      rest(error.code().value());
    }
  }

  void rest(int error) {
    shared.pause();
    arm(rt::now() + kRest);
    if (on_trouble) on_trouble(error);
  }

  // The errno of what stands in the way of accepting more; 0 for nothing.
  int accept_one() {
    sockaddr_storage peer;
    socklen_t size = sizeof peer;
    const int client =
        ::accept4(fd, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client < 0) return concerns_one_connection(errno) ? 0 : errno;
    ++since_step_back;
    try {
      if (!on_connection(client, peer, size)) {
        paused = true;
        shared.pause();
      }
    } catch (const std::system_error& error) {  // no room in epoll
      return error.code().value();
    } catch (const std::bad_alloc&) {
      return ENOMEM;
    }
    return 0;
  }

  void on_ready() override {
    const bool alone = rt::worker_count() == 1;
    for (int left = alone ? kAlone : kAmongMany; left > 0 && !paused; --left) {
      const int error = accept_one();
      if (error == EAGAIN) break;
      if (error != 0) return rest(error);
    }
    if (alone || paused || since_step_back < kBeforeStepBack) return;
    since_step_back = 0;
    shared.pause();
    resume_watching();
  }

  int fd;
  Acceptor::Callback on_connection;
  Trouble on_trouble;
  bool paused = false;
  int since_step_back = 0;
  rt::SharedDescriptor shared;
};

Acceptor::Acceptor(int listen_fd, Callback on_connection, Trouble on_trouble)
    : state_(std::make_unique<State>(listen_fd, std::move(on_connection), std::move(on_trouble))) {}

Acceptor::~Acceptor() = default;

void Acceptor::pause() {
  state_->paused = true;
  state_->shared.pause();
}

void Acceptor::resume() {
  if (!std::exchange(state_->paused, false)) return;
  if (!state_->armed()) state_->resume_watching();
}

}  // namespace net

#include "app/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <thread>

#include "rt/io.h"
#include "rt/memory.h"

namespace app {

namespace {

std::string because(std::string_view what) {
  return fmt::format("{}: {}", what, std::strerror(errno));
}

// The reference's default of fd-hard-limit, when the system allows more.
constexpr std::int64_t kDescriptorCeiling = 1048576;

bool keep_capabilities(const std::vector<std::string>& names) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  for (const std::string& name : names) {
    const int bit = name == "cap_net_raw"            ? CAP_NET_RAW
                    : name == "cap_net_admin"        ? CAP_NET_ADMIN
                    : name == "cap_net_bind_service" ? CAP_NET_BIND_SERVICE
                                                     : CAP_SYS_ADMIN;
    data[bit / 32].effective |= 1u << (bit % 32);
  }
  for (auto& half : data) half.permitted = half.effective;
  return ::syscall(SYS_capset, &header, data) == 0;
}

// An empty directory that is removed before it becomes the root: nobody finds it, nor can anything
// be made in it.
bool enter_nameless_jail() {
  char name[] = "/tmp/jail-XXXXXX";
  return ::mkdtemp(name) != nullptr && ::chdir(name) == 0 && ::rmdir(name) == 0 &&
         ::chroot(".") == 0;
}

}  // namespace

base::Result<std::int64_t> raise_limits(const GlobalSettings& settings, std::int64_t maximum,
                                        std::int64_t others, std::vector<std::string>& warnings) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const std::int64_t ceiling =
      settings.descriptor_hard_limit > 0 ? settings.descriptor_hard_limit : kDescriptorCeiling;
  const std::int64_t hard = std::min(ceiling, limit.rlim_max == RLIM_INFINITY
                                                  ? ceiling
                                                  : static_cast<std::int64_t>(limit.rlim_max));
  std::int64_t wanted = settings.descriptors;
  if (wanted == 0) wanted = maximum > 0 ? maximum * 2 + others : hard;
  if (maximum == 0) maximum = std::max<std::int64_t>((wanted - others) / 2, 1);

  rlimit raised = limit;
  if (static_cast<rlim_t>(wanted) > raised.rlim_cur || settings.descriptors > 0)
    raised.rlim_cur = static_cast<rlim_t>(wanted);
  raised.rlim_max = std::max(raised.rlim_max, raised.rlim_cur);
  if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) return maximum;

  raised.rlim_cur = raised.rlim_max = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &raised);
  std::string text = fmt::format(
      "Cannot raise FD limit to {}, limit is {}. This will fail in production environments: lower "
      "maxconn or raise the limit.",
      wanted, limit.rlim_max);
  if (settings.strict_limits) return base::fail(std::move(text));
  warnings.push_back(std::move(text));
  return maximum;
}

base::Result<void> limit_memory(std::int64_t megabytes) {
  std::size_t pages = 0, resident = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%zu %zu", &pages, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  const std::size_t most = static_cast<std::size_t>(megabytes) * 1048576;
  const std::size_t taken = resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  if (taken >= most)
    return base::fail(
        fmt::format("{} MB of memory are too few: {} MB are in use before any traffic", megabytes,
                    taken / 1048576 + 1));
  rt::set_memory_limit(most - taken);
  return {};
}

Daemon Daemon::fork_now() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    std::perror("pipe");
    ::_exit(1);
  }
  const pid_t child = ::fork();
  if (child < 0) {
    std::perror("fork");
    ::_exit(1);
  }
  if (child == 0) {
    ::close(ends[0]);
    Daemon daemon;
    daemon.pipe_ = ends[1];
    return daemon;
  }
  ::close(ends[1]);
  char byte = 0;
  ssize_t n = 0;
  while ((n = ::read(ends[0], &byte, 1)) < 0 && errno == EINTR) {
  }
  if (n == 1) ::_exit(0);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  ::_exit(WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : 1);
}

Daemon::~Daemon() {
  if (pipe_ >= 0) ::close(pipe_);
}

void Daemon::started() {
  if (pipe_ < 0) return;
  ::setsid();
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null >= 0) {
    for (int fd = 0; fd <= 2; ++fd) ::dup2(null, fd);
    if (null > 2) ::close(null);
  }
  const char byte = 1;
  [[maybe_unused]] const ssize_t n = ::write(pipe_, &byte, 1);
  ::close(std::exchange(pipe_, -1));
}

base::Result<void> write_pidfile(const std::string& path) {
  ::unlink(path.c_str());
  const int fd = ::open(path.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0)
    return base::fail(fmt::format("Cannot create pidfile {} ({})", path, std::strerror(errno)));
  const std::string text = fmt::format("{}\n", ::getpid());
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(fd);
  if (!written) return base::fail(fmt::format("Cannot write pidfile {}", path));
  return {};
}

base::Result<void> drop_privileges(const GlobalSettings& settings,
                                   std::vector<std::string>& warnings) {
  if (!settings.chroot.empty()) {
    const bool own = settings.chroot == "auto";
    if (!(own ? enter_nameless_jail() : ::chroot(settings.chroot.c_str()) == 0) ||
        ::chdir("/") != 0)
      return base::fail(because(fmt::format("Cannot chroot({})", settings.chroot)));
  } else if (::geteuid() == 0 && settings.uid == 0) {
    // The reference tells the same; it does not count as a warning of the configuration.
    warnings.emplace_back(
        "the process runs as root without 'chroot': consider 'user', 'group' and 'chroot'.");
  }
  const bool keep = settings.uid != 0 && !settings.capabilities.empty();
  if (keep) ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
  if (settings.gid != 0) {
    if (::geteuid() == 0 && ::setgroups(0, nullptr) != 0)
      warnings.emplace_back("Failed to drop supplementary groups.");
    if (::setgid(static_cast<gid_t>(settings.gid)) != 0)
      return base::fail(fmt::format("Cannot set gid {}: {}", settings.gid, std::strerror(errno)));
  }
  if (settings.uid != 0 && ::setuid(static_cast<uid_t>(settings.uid)) != 0)
    return base::fail(fmt::format("Cannot set uid {}: {}", settings.uid, std::strerror(errno)));
  if (keep && !keep_capabilities(settings.capabilities))
    return base::fail(because("Cannot keep the capabilities of 'setcap'"));
  if (auto found = settings.numbers.find("set-dumpable");
      found != settings.numbers.end() && found->second != 0)
    ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  if (!settings.insecure_setuid) ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return {};
}

namespace {

int signal_pipe[2] = {-1, -1};

void note_signal(int signal) {
  const int saved = errno;
  const auto byte = static_cast<unsigned char>(signal);
  [[maybe_unused]] const ssize_t n = ::write(signal_pipe[1], &byte, 1);
  errno = saved;
}

constexpr int kWatched[] = {SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGHUP, SIGTTOU, SIGTTIN};

bool ends_process(int signal) { return signal == SIGTERM || signal == SIGINT; }

void note(int signal) {
  struct sigaction action {};
  action.sa_handler = note_signal;
  action.sa_flags = SA_RESTART;
  ::sigaction(signal, &action, nullptr);
}

// ThreadSanitizer notes a signal with the fiber that it interrupts and calls the handler when that
// fiber runs again, which may be never. There, a thread of their own takes them. (Elsewhere all
// threads do: what workers start would inherit the mask.)
void leave_signals_to_a_thread() {
#if defined(__SANITIZE_THREAD__)
  static sigset_t set;
  ::sigemptyset(&set);
  for (int signal : kWatched) ::sigaddset(&set, signal);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::thread([] {
    for (int signal = 0; ::sigwait(&set, &signal) == 0;) note_signal(signal);
  }).detach();
#endif
}

void tell_signals(const std::function<void(int)>& on_signal) {
  rt::Descriptor noted(signal_pipe[0]);
  while (!rt::cancelled() && noted.wait_readable(rt::kNever) == rt::Wait::ready) {
    unsigned char byte = 0;
    const ssize_t n = ::read(noted.fd(), &byte, 1);
    if (n == 1) {
      on_signal(byte);
      rt::yield();  // however many come, the work goes on
    } else if (n < 0 && errno == EAGAIN) {
      noted.read_drained();
    } else if (n == 0 || errno != EINTR) {
      return;
    }
  }
}

}  // namespace

void hold_signals() {
  if (::pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0) return;
  for (int signal : kWatched)
    if (!ends_process(signal)) note(signal);
}

void watch_signals(std::function<void(int)> on_signal) {
  ::signal(SIGPIPE, SIG_IGN);
  if (signal_pipe[0] < 0) return;
  rt::spawn([on_signal = std::move(on_signal)] { tell_signals(on_signal); });
  for (int signal : kWatched) note(signal);
  leave_signals_to_a_thread();
}

void stop_watching_signals() {
  for (int signal : kWatched) ::signal(signal, ends_process(signal) ? SIG_DFL : SIG_IGN);
}

void die_by(int signal) {
  ::signal(signal, SIG_DFL);
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, signal);
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  ::raise(signal);
  ::_exit(128 + signal);
}

std::string host_name() {
  char name[256] = "localhost";
  ::gethostname(name, sizeof name - 1);
  return name;
}

void signal_processes(const std::vector<std::int32_t>& processes, int signal) {
  for (std::int32_t pid : processes) ::kill(pid, signal);
}

}  // namespace app

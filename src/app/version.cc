#include "app/version.h"

#include <fmt/format.h>
#include <lua.h>
#include <sys/utsname.h>

#include <array>
#include <cstdint>
#include <thread>

#include "base/text.h"

namespace app {

namespace {

constexpr bool kTls = false;

// As the reference names them; what is not there yet is not claimed, so that .if feature(…) works.
constexpr Feature kFeatures[] = {
    {"51DEGREES", false},
    {"ACCEPT4", true},
    {"ACME", false},
    {"BACKTRACE", false},
    {"CLOSEFROM", false},
    {"CPU_AFFINITY", false},
    {"CRYPT_H", true},
    {"DEVICEATLAS", false},
    {"DL", true},
    {"ECH", false},
    {"ENGINE", false},
    {"EPOLL", true},
    {"EVPORTS", false},
    {"FCGI", false},
    {"GETADDRINFO", true},
    {"H2", false},
    {"HAVE_TCP_MD5SIG", true},
    {"KQUEUE", false},
    {"KTLS", false},
    {"LIBATOMIC", false},
    {"LIBCRYPT", true},
    {"LINUX_CAP", true},
    {"LINUX_SPLICE", true},
    {"LINUX_TPROXY", true},
    {"LUA", true},
    {"MATH", true},
    {"MEMORY_PROFILING", false},
    {"NETFILTER", true},
    {"NS", false},
    {"OBSOLETE_LINKER", false},
    {"OPENSSL", true},  // its libcrypto; TLS itself is not there yet and "ssl" is refused
    {"OPENSSL_AWSLC", false},
    {"OPENSSL_WOLFSSL", false},
    {"PCRE", false},
    {"PCRE2", true},
    {"PCRE2_JIT", true},
    {"PCRE_JIT", false},
    {"POLL", false},
    {"PRCTL", true},
    {"PROCCTL", false},
    {"PROMEX", false},
    {"PTHREAD_EMULATION", false},
    {"QUIC", false},
    {"QUIC_OPENSSL_COMPAT", false},
    {"RT", true},
    {"SHM_OPEN", false},
    {"SLZ", false},
    {"SPOE", false},
    {"SSL", kTls},
    {"STATIC_PCRE", false},
    {"STATIC_PCRE2", false},
    {"TFO", true},
    {"THREAD", true},
    {"THREAD_DUMP", false},
    {"TPROXY", true},
    {"TRACE", false},
    {"WURFL", false},
    {"ZLIB", false},
};

// The parts of "3.5-dev5-12abcd": what is missing or no number is zero. A release is newer than its
// candidates, those newer than its development versions.
std::array<std::int64_t, 5> version_parts(std::string_view text) {
  std::array<std::int64_t, 5> parts{};
  auto number = [&text] {
    std::int64_t value = 0;
    std::size_t n = 0;
    while (n < text.size() && base::is_digit(text[n]))
      value = std::min<std::int64_t>(value * 10 + (text[n++] - '0'), INT32_MAX);
    text.remove_prefix(n);
    return value;
  };
  for (std::size_t i = 0; i < 3; ++i) {
    parts[i] = number();
    if (!text.starts_with('.')) break;
    text.remove_prefix(1);
  }
  constexpr std::int64_t kRelease = 1'000'000, kCandidate = 1'000;
  parts[3] = kRelease;
  if (text.starts_with("-dev")) {
    text.remove_prefix(4);
    parts[3] = number();
  } else if (text.starts_with("-rc")) {
    text.remove_prefix(3);
    parts[3] = kCandidate + number();
  }
  if (text.starts_with('-')) {
    text.remove_prefix(1);
    parts[4] = number();
  }
  return parts;
}

int answer(const Switches& switches, std::string_view name, std::span<const std::string> args,
           std::string& error) {
  const std::string_view word = args.empty() ? std::string_view() : std::string_view(args[0]);
  if (name == "feature") {
    for (const Feature& feature : kFeatures)
      if (feature.name == word) return feature.present;
    return word == "HAVE_WORKING_TCP_MD5SIG";
  }
  if (name == "version_atleast") return compare_versions(kCompatibleVersion, word) >= 0;
  if (name == "version_before") return compare_versions(kCompatibleVersion, word) < 0;
  if (name == "enabled") {
    if (word == "EPOLL") return 1;
    if (word == "SPLICE") return switches.splice;
    if (word == "GETADDRINFO") return switches.getaddrinfo;
    if (word == "REUSEPORT") return switches.reuse_port;
    if (word == "FAST-FORWARD") return switches.fast_forward;
    if (word == "SERVER-SSL-VERIFY-NONE") return !switches.verify_servers;
    return 0;
  }
  if (name.starts_with("awslc_api_")) {
    error =
        fmt::format("invalid argument to conditional expression predicate '{}': '{}'", name, word);
    return -1;
  }
  // openssl_version_*, ssllib_name_startswith, fips_mode: there is no TLS library to ask.
  return 0;
}

}  // namespace

int compare_versions(std::string_view a, std::string_view b) {
  const auto left = version_parts(a), right = version_parts(b);
  return left < right ? -1 : left > right ? 1 : 0;
}

config::Predicates make_predicates(const Switches& switches) {
  return {[switches](std::string_view name, std::span<const std::string> args, std::string& error) {
    return answer(switches, name, args, error);
  }};
}

std::string version_text() {
  utsname system{};
  ::uname(&system);
  // Tools read the version from the first of these lines.
  return fmt::format(
      "HAProxy version {} {} - https://www.haproxy.org/\n"
      "That is the release whose configurations, scripts and commands are understood.\n"
      "{} {}, a load balancer and reverse proxy.\n"
      "Running on: {} {} {} {}\n",
      kCompatibleVersion, kCompatibleDate, kName, kVersion, system.sysname, system.release,
      system.version, system.machine);
}

std::string build_text() {
  std::string out = version_text();
  out += "Build options :\n  TARGET  = linux-glibc\n";
  out += fmt::format("  CC      = {}\n\nFeature list :", __VERSION__);
  for (const Feature& feature : kFeatures)
    out += fmt::format(" {}{}", feature.present ? '+' : '-', feature.name);
  out += "\nDetected feature list : +HAVE_WORKING_TCP_MD5SIG\n";
  out += "\nDefault settings :\n  bufsize = 16384, maxrewrite = 1024\n\n";
  out += fmt::format("Built with multi-threading support (MAX_THREADS=1024, default={}).\n",
                     std::max(1u, std::thread::hardware_concurrency()));
  out += fmt::format("Built with Lua version : Lua {}.{}.{}\n", LUA_VERSION_MAJOR,
                     LUA_VERSION_MINOR, LUA_VERSION_RELEASE);
  out += "\nAvailable polling systems :\n      epoll : pref=300,  test result OK\n";
  out += "Total: 1 (1 usable), will use epoll.\n\nAvailable multiplexer protocols :\n";
  out += "  <default> : mode=HTTP  side=FE|BE  mux=H1    flags=HTX\n";
  out += "  <default> : mode=TCP   side=FE|BE  mux=PASS  flags=\n";
  return out;
}

}  // namespace app

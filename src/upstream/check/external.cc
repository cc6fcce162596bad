#include "upstream/check/external.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <vector>

#include "rt/io.h"
#include "upstream/checker.h"

namespace upstream {

namespace {

class ExternalRules final : public CheckRules {
 public:
  ExternalRules(std::string command, std::string path, bool keep_environment)
      : command_(std::move(command)), path_(std::move(path)), keep_environment_(keep_environment) {}

  CheckOutcome probe(Checker& checker) const override {
    const std::vector<std::string> environment = make_environment(checker);
    const std::vector<std::string> arguments = make_arguments(checker);
    pid_t child = 0;
    if (const int error = start(arguments, environment, child); error != 0)
      return found(state::CheckStatus::process_error, -1, std::strerror(error));
    rt::Descriptor finished(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
    const std::int64_t configured = checker.server().backend().settings.check_timeout_ms;
    const std::int64_t ms = configured != 0 ? configured : checker.probe().inter_ms;
    const rt::Wait how = finished.wait_readable(rt::now() + rt::milliseconds(ms));
    if (how != rt::Wait::ready) kill(child, SIGKILL);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (how != rt::Wait::ready) return found(state::CheckStatus::process_timeout, 0, {});
    if (WIFSIGNALED(status)) return found(state::CheckStatus::process_error, WTERMSIG(status), {});
    const int code = WEXITSTATUS(status);
    return found(code == 0 ? state::CheckStatus::process_ok : state::CheckStatus::process_error,
                 code, {});
  }

 private:
  static CheckOutcome found(state::CheckStatus status, int code, std::string text) {
    CheckOutcome outcome;
    outcome.verdict = status == state::CheckStatus::process_ok ? CheckOutcome::Verdict::passed
                                                               : CheckOutcome::Verdict::failed;
    outcome.status = status;
    outcome.code = code;
    outcome.text = std::move(text);
    return outcome;
  }

  // <proxy address> <proxy port> <server address> <server port> (manual, "external-check command").
  std::vector<std::string> make_arguments(Checker& checker) const {
    const net::Address server = checker.server().address();
    const bool ip = server.is_ip();
    return {command_, "NOT_USED", "NOT_USED", ip ? server.ip().text() : std::string(server.path()),
            ip ? fmt::to_string(server.port()) : "NOT_USED"};
  }

  std::vector<std::string> make_environment(Checker& checker) const {
    const net::Address address = checker.server().address();
    const state::Server& st = checker.server().state();
    std::vector<std::string> out;
    if (keep_environment_)
      for (char** at = environ; *at != nullptr; ++at) out.emplace_back(*at);
    const auto add = [&out](std::string_view name, std::string value) {
      out.push_back(fmt::format("{}={}", name, value));
    };
    add("PATH", path_);
    add("HAPROXY_PROXY_NAME", st.proxy->name);
    add("HAPROXY_PROXY_ID", fmt::to_string(st.proxy->id));
    add("HAPROXY_PROXY_ADDR", {});
    add("HAPROXY_PROXY_PORT", {});
    add("HAPROXY_SERVER_NAME", st.name);
    add("HAPROXY_SERVER_ID", fmt::to_string(st.id));
    add("HAPROXY_SERVER_CURCONN", fmt::to_string(st.sessions.load()));
    add("HAPROXY_SERVER_MAXCONN", fmt::to_string(st.maximum.load()));
    add("HAPROXY_SERVER_ADDR", address.is_ip() ? address.ip().text() : std::string(address.path()));
    add("HAPROXY_SERVER_PORT", address.is_ip() ? fmt::to_string(address.port()) : std::string());
    add("HAPROXY_SERVER_SSL", "0");
    add("HAPROXY_SERVER_PROTO", st.proxy->mode == state::Mode::http ? "h1" : "tcp");
    return out;
  }

  static int start(const std::vector<std::string>& arguments,
                   const std::vector<std::string>& environment, pid_t& child) {
    std::vector<char*> argv, envp;
    for (const std::string& word : arguments) argv.push_back(const_cast<char*>(word.c_str()));
    for (const std::string& word : environment) envp.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    // The proxy's signal mask is not the program's.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none, usual;
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    const int error = posix_spawn(&child, argv[0], nullptr, &attributes, argv.data(), envp.data());
    posix_spawnattr_destroy(&attributes);
    return error;
  }

  std::string command_, path_;
  bool keep_environment_;
};

}  // namespace

std::shared_ptr<const CheckRules> make_external_rules(const BackendSettings& settings) {
  return std::make_shared<ExternalRules>(settings.external_command, settings.external_path,
                                         settings.external_preserve_env);
}

}  // namespace upstream

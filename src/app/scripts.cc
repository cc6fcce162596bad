#include "app/scripts.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include "app/version.h"
#include "lua/engine.h"
#include "lua/http_exchange.h"
#include "obs/log.h"

namespace app {

namespace {

lua::Settings settings_of(const LuaSettings& from) {
  using std::chrono::milliseconds;
  lua::Settings to;
  to.maximum_memory = static_cast<std::size_t>(from.maximum_memory);
  to.burst_timeout = milliseconds(from.burst_timeout_ms);
  to.session_timeout = milliseconds(from.session_timeout_ms);
  to.service_timeout = milliseconds(from.service_timeout_ms);
  to.task_timeout = milliseconds(from.task_timeout_ms);
  to.forced_yield = static_cast<std::uint32_t>(from.forced_yield_set ? from.forced_yield : 0);
  to.booleans_as_integers = from.bools_are_integers;
  to.libraries = from.open_libraries;
  to.log_to_loggers = from.log_loggers;
  to.log_to_stderr = from.log_stderr == "on"    ? lua::LogToStderr::on
                     : from.log_stderr == "off" ? lua::LogToStderr::off
                                                : lua::LogToStderr::automatic;
  to.blocking = from.blocking_io == "allow"  ? lua::BlockingCalls::allow
                : from.blocking_io == "deny" ? lua::BlockingCalls::deny
                                             : lua::BlockingCalls::offload;
  return to;
}

void set_http_client(const GlobalSettings& from) {
  lua::ClientSettings to;
  to.retries = static_cast<unsigned>(from.number("httpclient.retries", to.retries));
  if (const auto ms = from.number("httpclient.timeout.connect", 0); ms > 0)
    to.connect_timeout = std::chrono::milliseconds(ms);
  if (const auto prefer = from.texts.find("httpclient.resolvers.prefer");
      prefer != from.texts.end())
    to.first_family = prefer->second == "ipv4" ? AF_INET : AF_INET6;
  lua::set_client(to);
}

lua::Environment environment_of(Generation& generation) {
  lua::Environment environment{generation.registry,
                               generation.patterns,
                               generation.expressions,
                               generation.actions,
                               {},
                               {},
                               {},
                               {},
                               {}};
  proxy::Config* config = &generation.config;
  environment.log = [config](const state::Proxy* proxy, obs::Level level, std::string_view text) {
    const proxy::Proxy* settings = proxy != nullptr ? config->of(proxy) : nullptr;
    const auto& targets = settings != nullptr ? settings->log_targets : config->log_targets;
    if (targets.empty()) return false;
    const std::string& tag =
        settings != nullptr && !settings->log_tag.empty() ? settings->log_tag : config->log_tag;
    obs::LogLine line;
    line.level = level;
    line.tag = tag;
    line.text = text;
    line.host = config->log_send_hostname;
    obs::send(targets, line);
    return true;
  };
  environment.backend = [config](const state::Proxy& proxy) -> upstream::Backend* {
    const proxy::Proxy* settings = config->of(&proxy);
    return settings != nullptr ? settings->backend.get() : nullptr;
  };
  environment.version = kCompatibleVersion;
  environment.node = generation.settings.node;
  return environment;
}

// What a script's command writes to: the session of the runtime socket.
class CommandIo final : public txn::ServiceIo {
 public:
  explicit CommandIo(admin::Call& call) : call_(call) {}
  std::string_view receive(std::size_t, rt::Instant) override { return {}; }
  bool receive_over() const override { return true; }
  bool start(const http::ResponseHead&) override { return true; }
  bool send(std::string_view bytes) override { return alive_ = alive_ && call_.print(bytes); }
  bool finished_sending() const override { return !alive_; }

 private:
  admin::Call& call_;
  bool alive_ = true;
};

constexpr std::string_view kAmbiguousBooleans =
    "config : hlua: please set \"tune.lua.bool-sample-conversion\" tunable to either \"normal\" or "
    "\"pre-3.1-bug\" explicitly to avoid ambiguities. This must be set before any \"lua-load\" or "
    "\"lua-load-per-thread\" directive. Defaulting to \"pre-3.1-bug\".";

bool is_load(const LuaStep& step) {
  return step.kind == LuaStep::Kind::load || step.kind == LuaStep::Kind::load_per_thread;
}

base::Result<void> run_step(lua::Engine& engine, const LuaStep& step) {
  if (!is_load(step))
    return engine.prepend_path(step.words[0],
                               step.kind == LuaStep::Kind::prepend_path ? "path" : "cpath");
  return engine.load(step.words[0], {step.words.begin() + 1, step.words.end()},
                     step.kind == LuaStep::Kind::load_per_thread);
}

}  // namespace

struct Scripts::State {
  lua::Engine engine;
};

Scripts::Scripts(Generation& generation)
    : state_(new State{{environment_of(generation), settings_of(generation.settings.lua)}}) {
  set_http_client(generation.settings);
}
Scripts::~Scripts() = default;

std::unique_ptr<Scripts> Scripts::load(Generation& generation, DefaultPath& path,
                                       config::Diagnostics& diagnostics) {
  std::unique_ptr<Scripts> scripts(new Scripts(generation));
  bool warned = generation.settings.lua.bool_sample_conversion_set;
  for (const LuaStep& step : generation.settings.lua.steps) {
    path.enter(step.at.file);
    if (is_load(step) && !std::exchange(warned, true))
      diagnostics.warning({}, std::string(kAmbiguousBooleans));
    auto done = run_step(scripts->state_->engine, step);
    if (!done) diagnostics.alert(step.at, done.error());
  }
  return scripts;
}

base::Result<void> Scripts::run_init() { return state_->engine.run_init(); }
void Scripts::start_tasks() { state_->engine.start_tasks(); }

namespace {

void show_lua(admin::Call& call, const lua::Engine& engine) {
  call.print(
      "# name kind calls errors time_us waits wait_us lock_waits lock_wait_us bytes_allocated\n");
  for (const lua::UsageLine& line : engine.usage())
    call.print(fmt::format("{} {} {} {} {} {} {} {} {} {}\n", line.name, line.kind, line.calls,
                           line.errors, line.time_us, line.waits, line.wait_us, line.lock_waits,
                           line.lock_wait_us, line.allocated));
  call.print("# state memory_bytes memory_limit_bytes\n");
  for (const lua::MemoryLine& line : engine.memory())
    call.print(fmt::format("{} {} {}\n", line.state, line.bytes, line.limit));
}

}  // namespace

void Scripts::add_commands(admin::Catalogue& commands) {
  lua::Engine* engine = &state_->engine;
  if (!engine->empty()) {
    auto added = commands.add("show lua", "", admin::Access::operator_,
                              [engine](admin::Call& call) { show_lua(call, *engine); });
    if (!added) obs::report(obs::Level::warning, added.error());
  }
  for (const lua::CliCommand& command : engine->commands()) {
    std::string words;
    for (const std::string& word : command.words) words += (words.empty() ? "" : " ") + word;
    auto added = commands.add(words, command.usage, admin::Access::user,
                              [engine, &command](admin::Call& call) {
                                std::vector<std::string> all = command.words;
                                all.insert(all.end(), call.args.begin(), call.args.end());
                                CommandIo io(call);
                                engine->run_command(command, all, io);
                              });
    if (!added) obs::report(obs::Level::warning, added.error());
  }
}

Generation::Generation() = default;
Generation::~Generation() = default;

}  // namespace app

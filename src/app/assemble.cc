#include "app/assemble.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/default_path.h"
#include "app/process.h"
#include "app/scripts.h"
#include "app/sections/other.h"
#include "app/sections/proxies.h"
#include "app/sections/section.h"
#include "expr/expression.h"
#include "expr/jwe.h"
#include "expr/log_format.h"
#include "expr/variables.h"
#include "obs/ring_config.h"
#include "rt/cost.h"
#include "state/variable_limits.h"
#include "upstream/checker.h"

namespace app {

namespace {

// set-var and set-var-fmt of the global section.
void set_variables(Assembly& assembly) {
  Generation& generation = assembly.generation;
  for (const config::Line& line : assembly.settings().set_var_lines) {
    config::Arguments args(line, assembly.diagnostics);
    expr::ParseContext where{generation.expressions, generation.registry, generation.patterns,
                             assembly.diagnostics, assembly.deferred};
    where.available = expr::kConfig | expr::kInternal;
    where.place = "global 'set-var'";
    const auto name = state::parse_variable(args.next());
    if (!name) {
      args.error_at_previous(fmt::format("'{}' : invalid variable name.", line[0]));
      continue;
    }
    base::Arena arena;
    expr::Context context{generation.registry, arena};
    expr::Value value;
    if (line[0] == "set-var-fmt") {
      auto format = expr::LogFormat::parse(args.peek(), where, args.here(), expr::FormatUse::raw);
      if (format == nullptr) continue;
      value = expr::Value::str(format->text(context));
    } else {
      auto expression = expr::Expression::parse(args.peek(), where, args.here());
      if (!expression) {
        args.error(fmt::format("'set-var' : {}", expression.error()));
        continue;
      }
      if (!(*expression)->evaluate(context, value)) {
        args.error("'set-var' : the expression has no value while the configuration is read.");
        continue;
      }
    }
    args.next();
    if (args.expect_end()) expr::set_variable(context, *name, value);
  }
}

bool read_other(const config::Section& section, Assembly& assembly) {
  const std::string_view kind = section.head[0];
  if (kind == "http-errors")
    read_http_errors(section, assembly);
  else if (kind == "mailers")
    read_mailers(section, assembly);
  else if (kind == "namespace_list")
    read_namespaces(section, assembly);
  else if (kind == "userlist")
    read_user_list(section, assembly);
  else if (kind == "log-profile")
    read_log_profile(section, assembly);
  else if (kind == "log-forward")
    read_log_forward(section, assembly);
  else if (kind == "healthcheck")
    read_health_check(section, assembly);
  else if (kind == "ring")
    obs::read_ring(section, assembly.diagnostics);
  else
    return false;
  return true;
}

using Statuses = std::bitset<1000>;

// As configured, else a range without some.
Statuses statuses(const std::vector<bool>& configured, std::pair<unsigned, unsigned> range,
                  std::initializer_list<unsigned> without) {
  Statuses set;
  if (configured.empty()) {
    for (unsigned status = range.first; status <= range.second; ++status) set.set(status);
    for (unsigned status : without) set.reset(status);
  }
  for (std::size_t status = 0; status < configured.size(); ++status)
    set[status] = configured[status];
  return set;
}

void freeze(Assembly& assembly) {
  Generation& generation = assembly.generation;
  const GlobalSettings& settings = generation.settings;
  proxy::Config& config = generation.config;
  config.registry = &generation.registry;
  config.log_targets = settings.log.targets;
  config.log_tag = settings.log_tag;
  config.log_send_hostname = settings.log_hostname;
  config.buffer_size = static_cast<std::size_t>(settings.buffer_size);
  const auto glitches = [&](std::string_view of) {
    return static_cast<std::uint32_t>(settings.number(of, 0));
  };
  config.glitches = {.client = glitches("tune.h1.fe.glitches-threshold"),
                     .server = glitches("tune.h1.be.glitches-threshold"),
                     .load = glitches("tune.glitches.kill.cpu-usage")};
  config.accept_any_payload = settings.number("h1-accept-payload-with-any-method", 0) != 0;
  config.rewrite_reserve =
      static_cast<std::size_t>(std::min(settings.rewrite_reserve, settings.buffer_size / 2));
  config.max_headers = static_cast<std::size_t>(settings.max_headers);
  config.error_statuses = statuses(settings.error_statuses, {400, 499}, {});
  config.failure_statuses = statuses(settings.failure_statuses, {500, 599}, {501, 505});
  for (const CaseAdjustment& one : settings.case_adjustments)
    config.header_cases.insert_or_assign(one.from, one.to);
  config.reject_privileged_ports = settings.number("harden.reject-privileged-ports.tcp", 0) != 0;
  net::SocketTuning datagrams;
  datagrams.send_buffer = static_cast<int>(settings.number("tune.sndbuf.backend", 0));
  datagrams.receive_buffer = static_cast<int>(settings.number("tune.rcvbuf.backend", 0));
  obs::set_datagram_tuning(datagrams);
  config.keep_insecure_connections =
      settings.number("h1-do-not-close-on-insecure-transfer-encoding", 0) != 0;
  rt::set_profiling(static_cast<rt::Profiling>(settings.number("profiling.tasks", 0)));
  config.cookie_length = static_cast<std::size_t>(settings.cookie_length);
  config.close_spread_ms = settings.close_spread_ms;
  const auto algorithms = [&](std::string_view of, expr::AlgorithmSet usual) {
    return static_cast<expr::AlgorithmSet>(settings.number(of, usual));
  };
  expr::allow_in_tokens(algorithms("jwt.decrypt_alg_list", expr::kUsualKeyManagement),
                        algorithms("jwt.decrypt_enc_list", expr::kUsualContentEncryption));
  generation.registry.process().log_uri_length =
      static_cast<std::uint32_t>(settings.log_uri_length);
  config.maximum_connections = static_cast<std::uint32_t>(settings.maximum);
  for (auto& draft : assembly.proxies) config.proxies.push_back(std::move(draft->proxy));
  config.freeze();
}

}  // namespace

namespace {

state::VariableLimits variable_limits(const GlobalSettings& settings) {
  const auto size = [&](std::string_view scope) {
    return static_cast<std::size_t>(
        settings.number(fmt::format("tune.vars.{}-max-size", scope), 0));
  };
  return {.all = size("global"),
          .process = size("proc"),
          .session = size("sess"),
          .transaction = size("txn"),
          .message = size("reqres"),
          .check = size("check")};
}

void check_large_buffers(GlobalSettings& settings, config::Diagnostics& diagnostics) {
  const std::int64_t size = settings.number("tune.bufsize.large", 0);
  if (size != 0 && size < settings.buffer_size) {
    diagnostics.warning(
        {}, fmt::format("tune.bufsize.large ({}) is lower than tune.bufsize ({}). large buffers "
                        "support is disabled. Please fix either value to remove this warning.",
                        size, settings.buffer_size));
    settings.numbers["tune.bufsize.large"] = 0;
  }
}

}  // namespace

GlobalSettings read_settings(const config::Tree& tree, const CommandLine& line,
                             config::Diagnostics& diagnostics) {
  GlobalSettings settings;
  for (const config::Section& section : tree.sections)
    if (section.head[0] == "global") read_global(section, settings, diagnostics);
  check_large_buffers(settings, diagnostics);
  obs::link_targets(settings.log, diagnostics);
  if (!line.peer.empty()) settings.local_peer = line.peer;
  if (!line.pidfile.empty()) settings.pidfile = line.pidfile;
  if (line.maximum > 0) settings.maximum = line.maximum;
  settings.daemon = (settings.daemon || line.daemon) && !line.foreground;
  settings.quiet = (settings.quiet || line.quiet) && !line.verbose;
  settings.zero_warning = settings.zero_warning || line.zero_warning;
  settings.insecure_fork = settings.insecure_fork || line.insecure_fork;
  settings.reuse_port = line.switches.reuse_port && settings.number("noreuseport", 0) == 0;
  if (settings.log_send_hostname && settings.log_hostname.empty())
    settings.log_hostname = host_name();
  return settings;
}

void assemble(Generation& generation, const CommandLine&, config::Diagnostics& diagnostics) {
  state::limit_variables(variable_limits(generation.settings));
  upstream::limit_probes(
      static_cast<unsigned>(generation.settings.number("tune.max-checks-per-thread", 0)));
  generation.registry.process().large_buffer_size =
      static_cast<std::size_t>(generation.settings.number("tune.bufsize.large", 0));
  expr::add_builtin(generation.expressions);
  rules::add_builtin(generation.actions);
  Assembly assembly{generation, diagnostics};
  DefaultPath path(generation.settings, diagnostics);
  if (!generation.settings.lua.steps.empty())
    generation.scripts = Scripts::load(generation, path, diagnostics);
  generation.registry.tables().counters =
      static_cast<unsigned>(generation.settings.number("tune.stick-counters", 3));
  declare_proxies(assembly);
  const auto& sections = generation.tree.sections;
  for (const config::Section& section : sections) {
    path.enter(section.head.file);
    const std::string_view kind = section.head[0];
    if (kind == "global" || kind == "traces" || is_proxy_section(kind) ||
        read_other(section, assembly))
      continue;
    diagnostics.alert(section.head.at(), fmt::format("section '{}' is not supported yet.", kind));
  }
  set_variables(assembly);
  for (const config::Section& section : sections) {
    path.enter(section.head.file);
    if (is_proxy_section(section.head[0])) read_proxy(section, assembly);
  }
  for (const config::Section& section : sections)
    if (section.head[0] == "traces") read_traces(section, assembly);
  complete_proxies(assembly);
  complete_log_forwards(assembly);
  link_log_backends(assembly);
  freeze(assembly);
}

}  // namespace app

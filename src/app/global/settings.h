// What the `global` section says, with the reference's defaults. Filled on the loading thread, then
// read only. Settings whose feature reads them by name (tuning of rooms) are in `numbers` and
// `texts`.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "admin/cli.h"
#include "config/source.h"
#include "obs/log_config.h"

namespace app {

// lua-load, lua-load-per-thread and lua-prepend-path act in the order they are written.
struct LuaStep {
  enum class Kind : std::uint8_t { load, load_per_thread, prepend_path, prepend_cpath } kind;
  std::vector<std::string> words;  // the file and its arguments, or the path
  config::Position at;
};

struct LuaSettings {
  std::vector<LuaStep> steps;
  bool bool_sample_conversion_set = false;
  bool bools_are_integers = true;  // tune.lua.bool-sample-conversion pre-3.1-bug
  std::int64_t burst_timeout_ms = 1000;
  std::int64_t session_timeout_ms = 4000;
  std::int64_t service_timeout_ms = 4000;
  std::int64_t task_timeout_ms = 0;
  std::int64_t forced_yield = 10000;
  bool forced_yield_set = false;
  std::int64_t maximum_memory = 0;  // bytes
  std::string open_libraries = "all";
  bool log_loggers = true;
  std::string log_stderr = "auto";
  std::string blocking_io = "offload";
};

struct StatsSocketSettings {
  std::vector<admin::CliSocket> sockets;
  std::int64_t timeout_ms = 10000;
  std::int64_t maximum = 10;
};

struct UnixBindSettings {
  std::string prefix;
  int mode = -1;
  int uid = -1;
  int gid = -1;
};

struct CaseAdjustment {
  std::string from, to;
};

struct GlobalSettings {
  // process
  bool daemon = false;
  bool quiet = false;
  bool zero_warning = false;
  bool strict_limits = true;
  bool external_check = false;
  bool external_check_keeps_environment = false;
  bool insecure_fork = false;
  bool insecure_setuid = false;
  bool experimental = false;
  bool deprecated = false;
  bool master_worker = false;
  bool reuse_port = true;  // neither noreuseport nor -dR
  std::string pidfile;
  std::string chroot;
  int uid = 0;
  int gid = 0;
  std::vector<std::string> capabilities;  // setcap
  std::string default_path_mode = "current";
  std::string default_path_origin;
  std::string node;
  std::string description;
  std::string local_peer;
  std::string log_tag = "haproxy";
  bool log_send_hostname = false;
  std::string log_hostname;
  obs::LogSettings log;
  std::vector<config::Line> set_var_lines;  // set-var and set-var-fmt
  std::int64_t hard_stop_after_ms = 0;      // 0: never
  std::int64_t grace_ms = 0;
  std::int64_t close_spread_ms = 0;  // -1: "infinite"
  StatsSocketSettings stats;
  UnixBindSettings unix_bind;
  std::string server_state_base;
  std::string server_state_file;
  std::string stats_file;

  // limits
  std::int64_t threads = 0;  // 0: one a core
  std::int64_t thread_hard_limit = 0;
  std::map<unsigned, std::vector<unsigned>> processors;  // cpu-map, by worker
  std::int64_t maximum = 0;                              // maxconn; 0: from the descriptor limit
  std::int64_t descriptors = 0;                          // ulimit-n; 0: from maxconn
  std::int64_t descriptor_hard_limit = 0;
  std::int64_t connection_rate = 0;
  std::int64_t session_rate = 0;
  std::int64_t spread_checks = 0;
  std::int64_t max_spread_checks_ms = 0;

  // http
  std::int64_t buffer_size = 16384;
  std::int64_t rewrite_reserve = 1024;
  std::int64_t max_headers = 101;
  std::int64_t log_uri_length = 1024;
  std::int64_t cookie_length = 64;
  std::vector<CaseAdjustment> case_adjustments;
  std::vector<bool> error_statuses;    // http-err-codes, by status; empty: the default set
  std::vector<bool> failure_statuses;  // http-fail-codes

  LuaSettings lua;

  std::map<std::string, std::int64_t, std::less<>> numbers;
  std::map<std::string, std::string, std::less<>> texts;
  std::int64_t number(std::string_view name, std::int64_t otherwise) const {
    auto found = numbers.find(name);
    return found == numbers.end() ? otherwise : found->second;
  }
};

}  // namespace app

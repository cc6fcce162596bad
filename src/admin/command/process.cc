// What concerns the process as a whole: show info, version, env, errors, threads, activity.
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "admin/cli.h"
#include "admin/clock.h"
#include "admin/command/families.h"
#include "admin/field.h"
#include "base/text.h"
#include "proxy/config.h"
#include "rt/watchdog.h"
#include "rt/worker.h"
#include "state/registry.h"

extern char** environ;

namespace admin {
namespace {

struct InfoRow {
  std::string_view name, tag;
  FieldType type;
  std::string_view doc;
};
constexpr InfoRow kRows[] = {
#define INFO(name, tag, type, doc) {name, tag, FieldType::type, doc},
#include "admin/info_fields.inc"
#undef INFO
};
constexpr std::size_t kRowCount = std::size(kRows);

// The values of "show info", by name.
class Info {
 public:
  void set(std::string_view name, std::uint64_t number) {
    Field& field = at(name);
    field.number = static_cast<std::int64_t>(number);
  }
  void set(std::string_view name, std::string_view text) { at(name).text = text; }
  Field& at(std::string_view name) {
    for (std::size_t i = 0; i < kRowCount; ++i) {
      if (kRows[i].name != name) continue;
      fields[i].type = kRows[i].type;
      return fields[i];
    }
    std::abort();
  }
  std::array<Field, kRowCount> fields;
};

std::uint64_t open_limit() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

// Bytes of memory that are resident, from /proc/self/statm.
std::uint64_t resident_bytes() {
  std::uint64_t total = 0, resident = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "re")) {
    if (std::fscanf(file, "%lu %lu", &total, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void fill_process(Info& info, Call& call) {
  const CliSettings& settings = call.env.settings;
  state::Process& process = call.env.registry.process();
  std::int64_t up = std::max<std::int64_t>(0, wall_us() / 1000 - process.start_wall_ms) / 1000;
  info.set("Name", settings.product.name);
  info.set("Version", settings.product.version);
  info.set("Release_date", settings.product.date);
  info.set("Build info", settings.product.build);
  info.set("Nbthread", rt::worker_count());
  info.set("Nbproc", 1);
  info.set("Process_num", 1);
  info.set("Pid", static_cast<std::uint64_t>(::getpid()));
  info.set("Uptime",
           fmt::format("{}d {}h{:02}m{:02}s", up / 86400, up / 3600 % 24, up / 60 % 60, up % 60));
  info.set("Uptime_sec", static_cast<std::uint64_t>(up));
  info.set("Start_time_sec", static_cast<std::uint64_t>(process.start_wall_ms / 1000));
  info.set("Memmax_MB", 0);
  std::uint64_t megabytes = resident_bytes() >> 20;
  info.set("PoolAlloc_MB", megabytes);
  info.set("PoolUsed_MB", megabytes);
  info.set("PoolFailed", 0);
  info.set("Ulimit-n", open_limit());
  info.set("Maxsock", open_limit());
  info.set("Tasks", process.tasks.load());
  info.set("Run_queue", 0);
  info.set("Idle_pct", 100 - rt::load_of_all());
  info.set("node", process.node);
  if (!process.description.empty()) info.set("description", process.description);
  info.set("Stopping", process.stopping.load());
  info.set("DroppedLogs", obs::dropped_lines());
  info.set("TotalWarnings", settings.warnings);
  info.set("BootTime_ms", static_cast<std::uint64_t>(settings.boot_ms));
}

template <class RateMember, class HighestMember>
void fill_rate(Info& info, const state::Process& process, std::string_view name,
               std::string_view limit, std::string_view highest, RateMember rate,
               HighestMember seen, const std::atomic<std::uint32_t>& allowed) {
  std::uint64_t now = 0, most = 0;
  process.counters.each([&](const state::ProcessCounters& c) {
    now += (c.*rate).per_second(obs::rate_clock_ms());
    most = std::max(most, (c.*seen).get());
  });
  info.set(name, now);
  info.set(limit, allowed.load());
  info.set(highest, std::max(now, most));
}

void fill_traffic(Info& info, Call& call) {
  using P = state::ProcessCounters;
  state::Process& process = call.env.registry.process();
  info.set("Maxconn", process.maximum_connections.load());
  info.set("Hard_maxconn", process.hard_maximum_connections);
  info.set("CurrConns", process.connections.load());
  info.set("CumConns", process.counters.sum(&P::connections));
  info.set("CumReq", process.counters.sum(&P::requests));
  for (std::string_view none :
       {"MaxSslConns", "CurrSslConns", "CumSslConns", "Maxpipes", "PipesUsed", "PipesFree"})
    info.set(none, 0);
  fill_rate(info, process, "ConnRate", "ConnRateLimit", "MaxConnRate", &P::connection_rate,
            &P::connection_rate_max, process.connection_rate_limit);
  fill_rate(info, process, "SessRate", "SessRateLimit", "MaxSessRate", &P::session_rate,
            &P::session_rate_max, process.session_rate_limit);
  std::uint64_t bytes = 0, listeners = 0;
  for (const auto& proxy : call.env.registry.proxies()) {
    bytes += proxy->frontend.sum(&state::ProxyCounters::bytes_out);
    if (!proxy->disabled.load()) listeners += proxy->listeners.size();
  }
  info.set("TotalBytesOut", bytes);
  info.set("Listeners", listeners);
  info.set("Jobs", process.connections.load() + listeners);
}

std::string info_json(const Info& info, bool docs) {
  std::string out = "[";
  for (std::size_t i = 0; i < kRowCount; ++i) {
    if (!info.fields[i].present()) continue;
    if (out.size() > 1) out.push_back(',');
    out += fmt::format("{{\"field\":{{\"pos\":{},\"name\":\"{}\"}},\"processNum\":1,\"tags\":", i,
                       kRows[i].name);
    append_json_tags(out, kRows[i].tag);
    if (docs) out += fmt::format(",\"desc\":\"{}\"", kRows[i].doc);
    out += ",\"value\":";
    append_json(out, info.fields[i]);
    out.push_back('}');
  }
  return out + "]\n";
}

std::string info_lines(const Info& info, bool typed, bool docs) {
  std::string out;
  for (std::size_t i = 0; i < kRowCount; ++i) {
    if (!info.fields[i].present()) continue;
    if (typed) {
      out += fmt::format("{}.{}.1:", i, kRows[i].name);
      append_typed(out, kRows[i].tag, info.fields[i]);
    } else {
      out += fmt::format("{}: ", kRows[i].name);
      append(out, info.fields[i]);
    }
    if (docs) out += fmt::format(":\"{}\"", kRows[i].doc);
    out.push_back('\n');
  }
  return out;
}

void show_info(Call& call) {
  bool as_json = false, as_typed = false, docs = false, real = false;
  for (const std::string& word : call.args) {
    as_json |= word == "json";
    as_typed |= word == "typed";
    docs |= word == "desc";
    real |= word == "float";
  }
  Info info;
  fill_process(info, call);
  fill_traffic(info, call);
  if (real) {
    std::int64_t start = call.env.registry.process().start_wall_ms;
    for (auto [name, ms] :
         {std::pair{"Uptime_sec", wall_us() / 1000 - start}, std::pair{"Start_time_sec", start}}) {
      Field& field = info.at(name);
      field.type = FieldType::flt;
      field.real = static_cast<double>(ms) / 1000;
    }
  }
  call.print(as_json ? info_json(info, docs) : info_lines(info, as_typed, docs));
}

void show_version(Call& call) { call.notice(call.env.settings.product.version); }

void show_env(Call& call) {
  std::string_view wanted = call.arg(0);
  bool found = false;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    std::string_view text = *entry;
    if (!wanted.empty() && text.substr(0, text.find('=')) != wanted) continue;
    found = true;
    if (!call.print(fmt::format("{}\n", text))) return;
  }
  if (!found && !wanted.empty()) call.error("Variable not found");
}

void show_threads(Call& call) {
  std::string out;
  for (unsigned i = 0; i < rt::worker_count(); ++i) {
    const rt::Activity is = rt::activity_of(i);
    out += fmt::format("{} Thread {:<2}: act={} loops={} load={}%\n             cpu_ns: now={}\n",
                       i == rt::worker_index() ? "*" : " ", i + 1, is.asleep ? 0 : 1, is.steps,
                       is.load, is.on_cpu.count());
  }
  call.print(out);
}

void show_activity(Call& call) {
  std::int64_t now = wall_us();
  std::int64_t up = now - call.env.registry.process().start_wall_ms * 1000;
  std::string accepted;
  std::uint64_t total = 0;
  call.env.registry.process().counters.each([&](const state::ProcessCounters& c) {
    accepted += fmt::format(" {}", c.connections.get());
    total += c.connections.get();
  });
  call.print(
      fmt::format("thread_id: {} (1..{})\ndate_now: {}.{:06}\nuptime_now: {}.{:06}\n"
                  "accepted: {} [{} ]\n",
                  rt::worker_index() + 1, rt::worker_count(), now / 1000000, now % 1000000,
                  up / 1000000, up % 1000000, total, accepted));
}

void debug_dev_log(Call& call) {
  std::string text;
  for (const std::string& word : call.args) text += (text.empty() ? "" : " ") + word;
  obs::LogLine line;
  line.level = obs::Level::info;
  line.tag = call.env.config.log_tag;
  line.host = call.env.config.log_send_hostname;
  line.text = text;
  obs::send(call.env.config.log_targets, line);
}

constexpr Command kCommands[] = {
    {{"show info", "[desc|json|typed|float]*", "report information about the running process"},
     Access::user,
     show_info},
    {{"show version", "", "print the version of this process"}, Access::user, show_version},
    {{"show env", "[var]", "print the environment variables of the process"},
     Access::operator_,
     show_env},
    {{"show threads", "", "tell whether each worker is busy, and its time on a processor"},
     Access::operator_,
     show_threads},
    {{"show activity", "[-1|0|thread_num]", "print counters of each worker thread"},
     Access::operator_,
     show_activity},
    {{"debug dev log", "[msg] ...", "send a message to the global logs"},
     Access::admin,
     debug_dev_log,
     kExpert},
};

}  // namespace

std::span<const Command> process_commands() { return kCommands; }

}  // namespace admin

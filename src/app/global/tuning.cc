// Tuning (the manual's section 3.2). Much of it turns screws of one implementation; such rows check
// their arguments, change nothing and say why with -dD.
#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include "app/global/keyword.h"
#include "base/text.h"
#include "rt/cost.h"

namespace app {

namespace {

using Settings = GlobalSettings;

constexpr std::string_view kOwnLoop = "the event loop schedules by itself";
constexpr std::string_view kRelay = "data is relayed without needless copies already";
constexpr std::string_view kBuffers = "idle connections hold no buffers";
constexpr std::string_view kNoHttp2 = "HTTP/2 is not available yet";
constexpr std::string_view kResolver = "getaddrinfo() resolves names at the start";

bool one_of(GlobalContext& context, std::initializer_list<std::string_view> words) {
  const std::string_view word = context.args.peek();
  if (std::find(words.begin(), words.end(), word) != words.end()) return take_text(context);
  std::string list;
  for (std::string_view choice : words) {
    if (!list.empty()) list += ", ";
    list += fmt::format("'{}'", choice);
  }
  return context.args.error(
      fmt::format("'{}' expects one of {}, got '{}'", context.row.name, list, word));
}

bool idle_pool(GlobalContext& context) { return one_of(context, {"full", "on", "off", "auto"}); }
bool shards(GlobalContext& context) {
  return one_of(context, {"by-process", "by-thread", "by-group"});
}
bool multi_queue(GlobalContext& context) { return one_of(context, {"on", "fair", "off"}); }

bool takeover(GlobalContext& context) {
  if (!context.settings.deprecated)
    context.args.diagnostics().warning(
        context.args.line().at(),
        "'tune.takeover-other-tg-connections' is deprecated and will be removed in version 3.7. "
        "Please use 'tune.idle-pool.shared'");
  return one_of(context, {"none", "restricted", "full"});
}

bool busy_polling(GlobalContext& context) {
  context.settings.numbers["busy-polling"] = context.negated ? 0 : 1;
  return true;
}

bool experimental(GlobalContext& context) {
  return context.settings.experimental ||
         context.args.error_at_previous(
             fmt::format("'{}' directive is experimental, must be allowed via a global "
                         "'expose-experimental-directives'",
                         context.row.name));
}
bool experimental_on_off(GlobalContext& context) {
  return experimental(context) && take_on_off(context);
}
bool experimental_text(GlobalContext& context) {
  return experimental(context) && one_of(context, {"shared", "per-thread-group"});
}

bool profiling(GlobalContext& context) {
  static constexpr std::string_view kWords[] = {"on",      "auto",   "off",      "lock",
                                                "no-lock", "memory", "no-memory"};
  while (!context.args.done()) {
    if (std::find(std::begin(kWords), std::end(kWords), context.args.peek()) == std::end(kWords))
      return context.args.error(fmt::format(
          "'profiling.tasks' expects a combination of either 'on', 'auto', 'off', 'lock', "
          "'no-lock', 'memory', or 'no-memory', but got '{}'.",
          context.args.peek()));
    const std::string_view word = context.args.next();
    const auto choose = [&](rt::Profiling mode) {
      context.settings.numbers["profiling.tasks"] = static_cast<std::int64_t>(mode);
    };
    if (word == "on") choose(rt::Profiling::on);
    if (word == "auto") choose(rt::Profiling::automatic);
    if (word == "off") choose(rt::Profiling::off);
  }
  return true;
}

bool purge(GlobalContext& context) {
  static constexpr std::string_view kWords[] = {"all", "none", "defaults", "default-server"};
  std::string_view rest = context.args.next();
  do {
    const std::size_t comma = rest.find(',');
    const std::string_view word = rest.substr(0, comma);
    if (std::find(std::begin(kWords), std::end(kWords), word) == std::end(kWords))
      return context.args.error_at_previous(
          fmt::format("'tune.defaults.purge' unknown directive '{}'.", word));
    rest.remove_prefix(comma == rest.npos ? rest.size() : comma + 1);
  } while (!rest.empty());
  return true;
}

bool buffer_size(GlobalContext& context) {
  auto value = context.args.size("tune.bufsize");
  if (!value) return false;
  if (*value > 268435456)
    return context.args.error_at_previous("'tune.bufsize' must be below 256 MB.");
  // Message heads of the runtime socket and of errors need some room.
  context.settings.buffer_size = std::max<std::int64_t>(static_cast<std::int64_t>(*value), 1024);
  return true;
}

bool max_headers(GlobalContext& context) {
  auto value = base::parse_int<std::int64_t>(context.args.peek());
  if (!value || *value < 1 || *value > 32767)
    return context.args.error("'tune.http.maxhdr' expects a numeric value between 1 and 32767");
  context.args.next();
  context.settings.max_headers = *value;
  return true;
}

// The reference reads these with atol(): what is no number is zero.
bool loose_number(GlobalContext& context) {
  if (context.args.done())
    return context.args.error(fmt::format("'{}' expects an integer argument.", context.row.name));
  const auto value = base::parse_int<std::int64_t>(context.args.next());
  if (!value) context.args.diagnostics().diagnostic(context.args.previous(), "this is no number");
  if (context.row.number != nullptr && value && *value > 0)
    context.settings.*context.row.number = *value;
  return true;
}
bool log_uri(GlobalContext& context) { return loose_number(context); }

bool max_accept(GlobalContext& context) {
  auto value = base::parse_int<std::int64_t>(context.args.peek());
  if (!value || *value < -1 || *value > INT32_MAX)
    return context.args.error("'tune.maxaccept' expects -1 or an integer from 0 to INT_MAX.");
  context.args.next();
  return true;
}

bool number_and_words(GlobalContext& context) {
  if (!take_number(context)) return false;
  while (!context.args.done()) context.args.next();
  return true;
}

bool renice(GlobalContext& context) {
  auto value = context.args.number(context.row.name, -20, 19);
  if (value) context.settings.numbers[std::string(context.row.name)] = *value;
  return value.has_value();
}

// clang-format off
constexpr GlobalKeyword kTable[] = {
    {{"busy-polling", "", "Never sleeps in the poller: workers keep their processors busy."}, busy_polling, nullptr, 0, 1, {}, true},
    {{"noepoll", "", "Avoids one of the pollers."}, take_flag, nullptr, 0, 1, "epoll is the only poller"},
    {{"noevports", "", "Avoids one of the pollers."}, take_flag, nullptr, 0, 1, "epoll is the only poller"},
    {{"nokqueue", "", "Avoids one of the pollers."}, take_flag, nullptr, 0, 1, "epoll is the only poller"},
    {{"nopoll", "", "Avoids one of the pollers."}, take_flag, nullptr, 0, 1, "epoll is the only poller"},
    {{"nogetaddrinfo", "", "Resolves names without getaddrinfo()."}, take_flag, nullptr, 0, 1, kResolver},
    {{"noreuseport", "", "Does not share listening ports."}, take_flag, nullptr, 0, INT32_MAX, {}},
    {{"nosplice", "", "Does not splice."}, take_flag, nullptr, 0, 1, {}},
    {{"profiling.tasks", "auto|on|off|lock|no-lock|memory|no-memory", "Measures what fibers cost: always, never, or (auto) where cpu_ns_avg and the like ask."}, profiling, nullptr, 0, 1, {}},
    {{"tune.applet.zero-copy-forwarding", "on|off", "Forwards what services write without copying."}, take_on_off, nullptr, 0, 1, kRelay},
    {{"tune.buffers.limit", "<number>", "The most buffers."}, take_number, nullptr, 0, INT32_MAX, kBuffers},
    {{"tune.buffers.reserve", "<number>", "Buffers kept for emergencies."}, take_number, nullptr, 0, INT32_MAX, kBuffers},
    {{"tune.bufsize", "<size>", "The size of a buffer and so of the largest message head."}, buffer_size, nullptr, 0, INT32_MAX, {}},
    {{"tune.bufsize.large", "<size>", "The size of the buffers that 'wait-for-body use-large-buffer' may take."}, take_size, nullptr, 0, 268435456, {}},
    {{"tune.bufsize.small", "<size>", "The size of small buffers, which nothing needs."}, take_size, nullptr, 0, INT32_MAX, kBuffers},
    {{"tune.chksize", "<size>", "Deprecated: checks use ordinary buffers."}, take_size, nullptr, 0, INT32_MAX, kBuffers},
    {{"tune.cli.max-payload-size", "<size>", "The largest payload of a runtime command."}, take_size, nullptr, 0, INT32_MAX, {}},
    {{"tune.comp.maxlevel", "<number>", "The highest compression level."}, take_number, nullptr, 1, 9, "compression is not available yet"},
    {{"tune.defaults.purge", "all|none|<element[,...]>", "Default sections forgotten after reading."}, purge, nullptr, 0, 1, "defaults sections are kept; they are small"},
    {{"tune.disable-fast-forward", "", "Wakes streams for all data."}, take_flag, nullptr, 0, 1, kRelay},
    {{"tune.disable-zero-copy-forwarding", "", "Copies all data."}, take_flag, nullptr, 0, 1, kRelay},
    {{"tune.epoll.mask-events", "<event[,...]>", "Events of epoll to ignore."}, take_text, nullptr, 0, 1, kOwnLoop},
    {{"tune.events.max-events-at-once", "<number>", "Events handled at once."}, take_number, nullptr, 1, 10000, kOwnLoop},
    {{"tune.fail-alloc", "<number>", "The share of allocations that fail."}, take_number, nullptr, 0, 100, "it only serves the debugging of another implementation"},
    {{"tune.fd.edge-triggered", "on|off", "Edge-triggered polling."}, experimental_on_off, nullptr, 0, 1, "polling is always edge-triggered"},
    {{"tune.fd.tables", "shared|per-thread-group", "Where descriptors are known."}, experimental_text, nullptr, 0, 1, kOwnLoop},
    {{"tune.glitches.kill.cpu-usage", "<number>", "How busy a worker must be, in percent, to close connections at their glitches threshold."}, take_number, nullptr, 0, 100, {}},
    {{"tune.h1.be.glitches-threshold", "<number>", "Glitches after three quarters of which a server connection is not used again."}, take_number, nullptr, 0, INT32_MAX, {}},
    {{"tune.h1.fe.glitches-threshold", "<number>", "Glitches after which a client connection is closed unanswered; three quarters end it with the answer."}, take_number, nullptr, 0, INT32_MAX, {}},
    {{"tune.h1.zero-copy-fwd-recv", "on|off", "Receives HTTP/1 without copying."}, take_on_off, nullptr, 0, 1, kRelay},
    {{"tune.h1.zero-copy-fwd-send", "on|off", "Sends HTTP/1 without copying."}, take_on_off, nullptr, 0, 1, kRelay},
    {{"tune.h2.be.glitches-threshold", "<number>", "Glitches after which an HTTP/2 connection is closed."}, take_number, nullptr, 0, INT32_MAX, kNoHttp2},
    {{"tune.h2.be.initial-window-size", "<number>", "The window of an HTTP/2 stream."}, take_number, nullptr, 0, INT32_MAX, kNoHttp2},
    {{"tune.h2.be.max-concurrent-streams", "<number>", "Streams of an HTTP/2 connection."}, take_number, nullptr, 0, INT32_MAX, kNoHttp2},
    {{"tune.h2.be.max-frames-at-once", "<number>", "HTTP/2 frames handled at once."}, take_number, nullptr, 0, INT32_MAX, kNoHttp2},
    {{"tune.h2.be.rxbuf", "<size>", "Bytes an HTTP/2 connection may receive ahead."}, take_size, nullptr, 0, INT32_MAX, kNoHttp2},
    {{"tune.h2.fe.glitches-threshold", "<number>", "Glitches after which an HTTP/2 connection is closed."}, take_number, nullptr, 0, INT32_MAX, kNoHttp2},
    {{"tune.h2.fe.initial-window-size", "<number>", "The window of an HTTP/2 stream."}, take_number, nullptr, 0, INT32_MAX, kNoHttp2},
    {{"tune.h2.fe.max-concurrent-streams", "<number>", "Streams of an HTTP/2 connection."}, number_and_words, nullptr, 0, INT32_MAX, kNoHttp2},
    {{"tune.h2.fe.max-frames-at-once", "<number>", "HTTP/2 frames handled at once."}, take_number, nullptr, 0, INT32_MAX, kNoHttp2},
    {{"tune.h2.fe.rxbuf", "<size>", "Bytes an HTTP/2 connection may receive ahead."}, take_size, nullptr, 0, INT32_MAX, kNoHttp2},
    {{"tune.h2.fe.max-rst-at-once", "<number>", "HTTP/2 resets handled at once."}, take_number, nullptr, 0, INT32_MAX, kNoHttp2},
    {{"tune.h2.fe.max-total-streams", "<number>", "Streams after which an HTTP/2 connection ends."}, take_number, nullptr, 0, INT32_MAX, kNoHttp2},
    {{"tune.h2.header-table-size", "<number>", "The HTTP/2 header table."}, take_number, nullptr, 0, 65535, kNoHttp2},
    {{"tune.h2.initial-window-size", "<number>", "The window of an HTTP/2 stream."}, take_number, nullptr, 0, INT32_MAX, kNoHttp2},
    {{"tune.h2.log-errors", "none|connection|stream", "Which HTTP/2 errors are logged."}, take_text, nullptr, 0, INT32_MAX, kNoHttp2},
    {{"tune.h2.max-concurrent-streams", "<number>", "Streams of an HTTP/2 connection."}, take_number, nullptr, 0, INT32_MAX, kNoHttp2},
    {{"tune.h2.max-frame-size", "<number>", "The largest HTTP/2 frame."}, take_number, nullptr, 16384, 16777215, kNoHttp2},
    {{"tune.h2.zero-copy-fwd-send", "on|off", "Sends HTTP/2 without copying."}, take_on_off, nullptr, 0, 1, kNoHttp2},
    {{"tune.http.cookielen", "<number>", "The longest captured cookie."}, take_number, &Settings::cookie_length, 0, INT32_MAX, {}},
    {{"tune.http.logurilen", "<number>", "The longest URI in a log line."}, log_uri, &Settings::log_uri_length, 0, INT32_MAX, {}},
    {{"tune.http.maxhdr", "<number>", "The most headers of a message."}, max_headers, nullptr, 0, INT32_MAX, {}},
    {{"tune.idle-pool.shared", "full|on|off", "Whether workers share idle server connections."}, idle_pool, nullptr, 0, INT32_MAX, {}},
    {{"tune.idletimer", "<timeout>", "When a stream counts as idle."}, take_time, nullptr, 0, 65535, kOwnLoop},
    {{"tune.listener.default-shards", "by-process|by-thread|by-group", "Sockets of a bind line."}, shards, nullptr, 0, INT32_MAX, "one socket is shared by all workers"},
    {{"tune.listener.multi-queue", "on|fair|off", "How connections spread over workers."}, multi_queue, nullptr, 0, INT32_MAX, "the kernel spreads them over the workers"},
    {{"tune.max-checks-per-thread", "<number>", "The most health checks that a worker makes at once; others wait for their turn."}, take_number, nullptr, 0, INT32_MAX, {}},
    {{"tune.max-rules-at-once", "<number>", "Rules after which others run."}, take_number, nullptr, 0, INT32_MAX, kOwnLoop},
    {{"tune.maxaccept", "<number>", "Connections accepted at once."}, max_accept, nullptr, -1, INT32_MAX, kOwnLoop},
    {{"tune.maxpollevents", "<number>", "Events taken from the poller at once."}, loose_number, nullptr, 0, INT32_MAX, kOwnLoop},
    {{"tune.maxrewrite", "<number>", "Bytes of a buffer kept free for rewriting."}, loose_number, &Settings::rewrite_reserve, 0, INT32_MAX, {}},
    {{"tune.memory.hot-size", "<number>", "Memory each thread keeps."}, take_size, nullptr, 0, INT32_MAX, "the allocator keeps what it needs"},
    {{"tune.notsent-lowat.client", "<size>", "Unsent bytes kept in the kernel for clients."}, take_size, nullptr, 0, INT32_MAX, {}},
    {{"tune.notsent-lowat.server", "<size>", "Unsent bytes kept in the kernel for servers."}, take_size, nullptr, 0, INT32_MAX, {}},
    {{"tune.pattern.cache-size", "<number>", "Remembered results of pattern look-ups."}, take_number, nullptr, 0, INT32_MAX, "look-ups are indexed and need no cache"},
    {{"tune.peers.max-updates-at-once", "<number>", "Table updates sent to peers at once."}, take_number, nullptr, 0, INT32_MAX, "peers are not available yet"},
    {{"tune.pipesize", "<size>", "The size of pipes used to splice."}, take_size, nullptr, 0, INT32_MAX, {}},
    {{"tune.pool-high-fd-ratio", "<number>", "The share of descriptors above which idle connections close."}, take_number, nullptr, 0, 100, {}},
    {{"tune.pool-low-fd-ratio", "<number>", "The share of descriptors below which idle connections are kept."}, take_number, nullptr, 0, 100, {}},
    {{"tune.pt.zero-copy-forwarding", "on|off", "Forwards TCP without copying."}, take_on_off, nullptr, 0, 1, kRelay},
    {{"tune.rcvbuf.backend", "<size>", "The kernel's receive buffer, backend side."}, take_size, nullptr, 0, INT32_MAX, {}},
    {{"tune.sndbuf.backend", "<size>", "The kernel's send buffer, backend side."}, take_size, nullptr, 0, INT32_MAX, {}},
    {{"tune.rcvbuf.client", "<size>", "The kernel's receive buffer, client side."}, take_size, nullptr, 0, INT32_MAX, {}},
    {{"tune.sndbuf.client", "<size>", "The kernel's send buffer, client side."}, take_size, nullptr, 0, INT32_MAX, {}},
    {{"tune.rcvbuf.frontend", "<size>", "The kernel's receive buffer, frontend side."}, take_size, nullptr, 0, INT32_MAX, {}},
    {{"tune.sndbuf.frontend", "<size>", "The kernel's send buffer, frontend side."}, take_size, nullptr, 0, INT32_MAX, {}},
    {{"tune.rcvbuf.server", "<size>", "The kernel's receive buffer, server side."}, take_size, nullptr, 0, INT32_MAX, {}},
    {{"tune.sndbuf.server", "<size>", "The kernel's send buffer, server side."}, take_size, nullptr, 0, INT32_MAX, {}},
    {{"tune.recv_enough", "<size>", "Bytes after which reading pauses."}, take_size, nullptr, 0, INT32_MAX, kOwnLoop},
    {{"tune.renice.runtime", "<number>", "The priority of the running process."}, renice, nullptr, -20, 19, {}},
    {{"tune.renice.startup", "<number>", "The priority during the start."}, renice, nullptr, -20, 19, "the start is short"},
    {{"tune.ring.queues", "<number>", "Queues of a ring."}, take_number, nullptr, 0, 64, "a ring has one queue"},
    {{"tune.runqueue-depth", "<number>", "Tasks run at once."}, take_number, nullptr, 0, INT32_MAX, kOwnLoop},
    {{"tune.sched.low-latency", "on|off", "Has busy workers ask for events at once; as a rule they rest 50 microseconds where that lets a turn handle several."}, take_on_off, nullptr, 0, 1, {}},
    {{"tune.stick-counters", "<number>", "How many entries of stick tables can be tracked at once."}, take_number, nullptr, 0, 100, {}},
    {{"tune.streams-elasticity", "<number>", "How streams of a connection shrink under load."}, take_number, nullptr, 0, INT32_MAX, kNoHttp2},
    {{"tune.takeover-other-tg-connections", "none|restricted|full", "Deprecated name of tune.idle-pool.shared."}, takeover, nullptr, 0, INT32_MAX, "workers are not grouped"},
    {{"tune.vars.check-max-size", "<size>", "The most memory of a check's variables."}, take_number, nullptr, 0, INT32_MAX, {}},
    {{"tune.vars.global-max-size", "<size>", "The most memory of all variables."}, take_number, nullptr, 0, INT32_MAX, {}},
    {{"tune.vars.proc-max-size", "<size>", "The most memory of the process's variables and all finer ones."}, take_number, nullptr, 0, INT32_MAX, {}},
    {{"tune.vars.reqres-max-size", "<size>", "The most memory of the variables of a request or a response."}, take_number, nullptr, 0, INT32_MAX, {}},
    {{"tune.vars.sess-max-size", "<size>", "The most memory of a session's variables and all finer ones."}, take_number, nullptr, 0, INT32_MAX, {}},
    {{"tune.vars.txn-max-size", "<size>", "The most memory of a transaction's variables and all finer ones."}, take_number, nullptr, 0, INT32_MAX, {}},
};
// clang-format on

}  // namespace

std::span<const GlobalKeyword> tuning_keywords() { return kTable; }

}  // namespace app

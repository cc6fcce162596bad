// How much the process takes: connections, rates, threads, descriptors, checks.
#include <fmt/format.h>

#include "app/global/keyword.h"
#include "base/text.h"

namespace app {

namespace {

using Settings = GlobalSettings;

// The first "maxconn" counts; the reference tells about a second one and goes on.
bool maximum(GlobalContext& context) {
  auto value = context.args.number("maxconn", INT32_MIN, INT32_MAX);
  if (!value) return false;
  if (context.settings.maximum != 0)
    context.args.diagnostics().notice(context.args.line().at(),
                                      "'maxconn' already specified. Continuing.");
  else
    context.settings.maximum = *value > 0 ? *value : 0;
  return true;
}

// As the reference's: what does not start as a number is zero.
bool lenient_number(GlobalContext& context) {
  if (context.args.done())
    return context.args.error(fmt::format("'{}' expects an integer argument.", context.row.name));
  std::string_view word = context.args.next();
  std::int64_t value = 0;
  std::size_t n = 0;
  while (n < word.size() && base::is_digit(word[n]) && value < INT32_MAX)
    value = value * 10 + (word[n++] - '0');
  if (n != word.size())
    context.args.diagnostics().diagnostic(
        context.args.previous(), fmt::format("'{}' is no number, {} is used.", word, value));
  if (context.row.number != nullptr)
    context.settings.*context.row.number = value;
  else
    context.settings.numbers[std::string(context.row.name)] = value;
  return true;
}

bool threads(GlobalContext& context) {
  auto value = base::parse_int<std::int64_t>(context.args.peek());
  if (!value)
    return context.args.error(fmt::format(
        "'nbthread' passed a missing or unparsable integer value in '{}'", context.args.peek()));
  if (*value < 1 || *value > 1024)
    return context.args.error(
        fmt::format("'nbthread' value must be between 1 and 1024 (was {})", *value));
  context.args.next();
  context.settings.threads = *value;
  return true;
}

bool thread_hard_limit(GlobalContext& context) {
  auto value = base::parse_int<std::int64_t>(context.args.peek());
  if (!value || *value < 1)
    return context.args.error(
        fmt::format("'thread-hard-limit' passed a missing or unparsable integer value in '{}'",
                    context.args.peek()));
  context.args.next();
  context.settings.thread_hard_limit = *value;
  return true;
}

bool spread_checks(GlobalContext& context) {
  auto value = base::parse_int<std::int64_t>(context.args.peek());
  if (!value || *value < 0 || *value > 50)
    return context.args.error("'spread-checks' needs a positive value in range 0..50.");
  context.args.next();
  context.settings.spread_checks = *value;
  return true;
}

constexpr std::string_view kNoCompression = "compression is not available yet";

constexpr GlobalKeyword kTable[] = {
    {{"fd-hard-limit", "<number>", "Never asks for more descriptors than this."},
     lenient_number,
     &Settings::descriptor_hard_limit},
    {{"max-spread-checks", "<delay>", "The longest time between the first checks of two servers."},
     take_time,
     &Settings::max_spread_checks_ms},
    {{"maxcompcpuusage", "<number>", "Stops compressing above this share of a processor."},
     take_number,
     nullptr,
     0,
     100,
     kNoCompression},
    {{"maxcomprate", "<number>", "Limits the bytes compressed in a second."},
     lenient_number,
     nullptr,
     0,
     INT32_MAX,
     kNoCompression},
    {{"maxconn", "<number>", "The most connections the process accepts at once."}, maximum},
    {{"maxconnrate", "<number>", "The most connections the process accepts in a second."},
     lenient_number,
     &Settings::connection_rate},
    {{"maxpipes", "<number>", "The most pipes used to splice."},
     lenient_number,
     nullptr,
     0,
     INT32_MAX,
     {}},
    {{"maxsessrate", "<number>", "The most sessions the process begins in a second."},
     lenient_number,
     &Settings::session_rate},
    {{"maxsslconn", "<number>", "The most TLS connections at once."},
     lenient_number,
     nullptr,
     0,
     INT32_MAX,
     "TLS is not available yet"},
    {{"maxsslrate", "<number>", "The most TLS handshakes in a second."},
     lenient_number,
     nullptr,
     0,
     INT32_MAX,
     "TLS is not available yet"},
    {{"maxzlibmem", "<number>", "The most memory compression may use."},
     lenient_number,
     nullptr,
     0,
     INT32_MAX,
     kNoCompression},
    {{"nbthread", "<number>", "The number of worker threads; one a core by default."}, threads},
    {{"prealloc-fd", "", "Prepares the table of descriptors for its full size."},
     take_flag,
     nullptr,
     0,
     0,
     "the kernel grows the table by itself"},
    {{"spread-checks", "<0..50, in percent>", "Moves health checks by a random share."},
     spread_checks},
    {{"thread-hard-limit", "<number>", "The most threads when their number is chosen."},
     thread_hard_limit},
    {{"ulimit-n", "<number>", "The number of descriptors to ask the system for."},
     lenient_number,
     &Settings::descriptors},
};

}  // namespace

std::span<const GlobalKeyword> limit_keywords() { return kTable; }

}  // namespace app

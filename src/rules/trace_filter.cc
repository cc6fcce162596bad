#include "rules/trace_filter.h"

#include <fmt/format.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <random>

#include "base/text.h"
#include "http/message.h"
#include "obs/descriptor_sink.h"

namespace rules {

namespace {

using txn::Direction;

// What is held back goes on with the next turns of the loop.
constexpr rt::Duration kPause = rt::milliseconds(1);
constexpr std::size_t kColumns = 16;

class TraceFilter final : public Filter {
 public:
  explicit TraceFilter(TraceFilterSettings settings)
      : settings_(std::move(settings)), stderr_(obs::DescriptorSink::of(STDERR_FILENO)) {}

  const TraceFilterSettings& settings() const { return settings_; }
  void ready(std::string_view proxy) override;
  bool attach(expr::Context& context, std::unique_ptr<FilterRun>& run) override;

  // One write for each message, so that those of two workers do not mix.
  void print(std::string_view text) const {
    const iovec part{const_cast<char*>(text.data()), text.size()};
    (void)stderr_->write({&part, 1});
  }
  // "1795743019.698701 [NAME/proxy           ] ".
  std::string prefix() const {
    using std::chrono::microseconds;
    const auto now = std::chrono::duration_cast<microseconds>(
        std::chrono::system_clock::now().time_since_epoch());
    return fmt::format("{}.{:06} [{:<20}] ", now.count() / 1000000, now.count() % 1000000, label_);
  }

 private:
  TraceFilterSettings settings_;
  std::shared_ptr<obs::DescriptorSink> stderr_;
  std::string label_;  // NAME/proxy
};

void TraceFilter::ready(std::string_view proxy) {
  label_ = fmt::format("{}/{}", settings_.name, proxy);
  if (settings_.quiet) return;
  print(prefix() + fmt::format("filter initialized [quiet=false - fwd random={} - hexdump={} - max "
                               "fwd={}]\n",
                               settings_.random_forwarding, settings_.hexdump, settings_.most));
}

// Sixteen bytes a line: place, digits, characters.
std::string hexdump(std::string_view bytes) {
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += kColumns) {
    const std::string_view row = bytes.substr(at, kColumns);
    out += fmt::format("\t0x{:06x}: ", at);
    for (std::size_t i = 0; i < kColumns; ++i) {
      out += i < row.size() ? fmt::format("{:02x} ", static_cast<unsigned char>(row[i])) : "   ";
      if (i + 1 == kColumns / 2) out += "  ";
    }
    out += "  |";
    for (const char c : row) out += c >= 0x20 && c < 0x7f ? c : '.';
    out += "|\n";
  }
  return out;
}

class TraceRun final : public FilterRun {
 public:
  TraceRun(const TraceFilter& filter, const expr::Context& context);
  TraceRun(const TraceRun&) = delete;
  TraceRun& operator=(const TraceRun&) = delete;
  ~TraceRun() override;

  void backend_chosen(FilterCall& at) override {
    say("trace_stream_set_backend",
        fmt::format(": backend={}", at.context.exchange->backend->name));
  }
  Filtered start(FilterCall& at) override {
    say_channel(at, "trace_chn_start_analyze");
    return Filtered::go_on;
  }
  Filtered headers(FilterCall& at) override;
  std::optional<std::size_t> payload(FilterCall& at) override;
  Filtered end(FilterCall& at) override {
    say_channel(at, "trace_http_end");
    return Filtered::go_on;
  }
  void finish(FilterCall& at) override { say_channel(at, "trace_chn_end_analyze"); }

 private:
  std::string head() const { return filter_.prefix() + stream_; }
  void say(std::string_view what, std::string_view more) const {
    if (filter_.settings().quiet) return;
    filter_.print(head() + fmt::format("{:<25}{}\n", what, more));
  }
  void say_channel(const FilterCall& at, std::string_view what, std::string_view more = {}) const {
    if (!filter_.settings().quiet) say(what, channel(at) + std::string(more));
  }
  static std::string channel(const FilterCall& at);
  std::size_t share(std::size_t length);

  const TraceFilter& filter_;
  std::string stream_;
  std::string_view kind_;
  rt::Instant passed_[2] = {};  // when a part went on last
};

TraceRun::TraceRun(const TraceFilter& filter, const expr::Context& context) : filter_(filter) {
  const txn::Exchange& e = *context.exchange;
  stream_ = fmt::format("[strm {}({:x})] ", static_cast<const void*>(&e), e.id);
  kind_ = context.proxy == e.frontend ? "frontend" : "backend";
  take_payload(Direction::request, true);
  take_payload(Direction::response, true);
  say("trace_attach", fmt::format(": filter-type={}", kind_));
  if (kind_ == "frontend") say("trace_stream_start", {});
}

TraceRun::~TraceRun() {
  if (kind_ == "frontend") say("trace_stream_stop", {});
  say("trace_detach", fmt::format(": filter-type={}", kind_));
}

std::string TraceRun::channel(const FilterCall& at) {
  const txn::Exchange& e = *at.context.exchange;
  return fmt::format(": channel={:<10} - mode={:<5} ({})",
                     at.context.direction == Direction::request ? "REQUEST" : "RESPONSE",
                     e.is_http ? "HTTP" : "TCP", e.backend == nullptr ? "frontend" : "backend");
}

Filtered TraceRun::headers(FilterCall& at) {
  if (filter_.settings().quiet) return Filtered::go_on;
  const txn::Exchange& e = *at.context.exchange;
  const bool request = at.context.direction == Direction::request;
  const std::string before = head();
  const std::string line =
      request ? fmt::format("{} {} HTTP/{}.{}", e.request.method_text, e.request.target,
                            e.request.version.major, e.request.version.minor)
              : fmt::format("HTTP/{}.{} {} {}", e.response.version.major, e.response.version.minor,
                            e.response.status, e.response.reason);
  std::string text =
      before + fmt::format("{:<25}{}\t{}\n", "trace_http_headers", channel(at), line);
  const http::Headers& headers = request ? e.request.headers : e.response.headers;
  for (const http::Field& field : headers)
    text += fmt::format("{}\t{}: {}\n", before, base::to_lower(field.name), field.value);
  filter_.print(text);
  return Filtered::go_on;
}

std::size_t TraceRun::share(std::size_t length) {
  const TraceFilterSettings& s = filter_.settings();
  if (s.random_forwarding && length != 0) {
    thread_local std::minstd_rand generator{std::random_device{}()};
    length = std::uniform_int_distribution<std::size_t>(0, length)(generator);
  }
  return s.most == 0 ? length : std::min<std::size_t>(length, s.most);
}

// One part in a turn of the loop: what is asked for again at once has to wait.
std::optional<std::size_t> TraceRun::payload(FilterCall& at) {
  const std::string_view data = at.channel().data();
  rt::Instant& passed = passed_[at.context.direction == Direction::request ? 0 : 1];
  const bool again = passed == rt::now();
  const std::size_t forward = again ? 0 : share(data.size());
  if (forward < data.size()) {
    passed = rt::now();
    wake_at = std::min(wake_at, rt::now() + kPause);
  }
  if (again) return 0;
  const char* what = at.context.exchange->is_http ? "trace_http_payload" : "trace_tcp_payload";
  say_channel(at, what,
              fmt::format(" - offset={} - len={} - forward={}", at.channel().output(), data.size(),
                          forward));
  if (filter_.settings().hexdump && forward != 0) filter_.print(hexdump(data.substr(0, forward)));
  return forward;
}

bool TraceFilter::attach(expr::Context& context, std::unique_ptr<FilterRun>& run) {
  run = std::make_unique<TraceRun>(*this, context);
  return true;
}

std::shared_ptr<Filter> parse(config::Arguments& args, const FilterRow&) {
  TraceFilterSettings settings;
  while (!args.done()) {
    const std::string_view word = args.next();
    if (word == "quiet") {
      settings.quiet = true;
    } else if (word == "random-forwarding") {
      settings.random_forwarding = true;
    } else if (word == "hexdump") {
      settings.hexdump = true;
    } else if (word == "name" || word == "max-fwd") {
      if (args.done()) {
        args.error(fmt::format("'filter' : 'trace' : '{}' option without value", word));
        return nullptr;
      }
      if (word == "name") {
        settings.name = args.next();
        continue;
      }
      const auto number = base::parse_int<std::uint32_t>(args.next());
      if (!number) {
        args.error_at_previous(
            "'filter' : 'trace' : 'max-fwd' expect unsigned integer (0 to 4294967295 expected)");
        return nullptr;
      }
      settings.most = *number;
    } else if (word != "random-parsing") {  // as the reference, which has dropped it
      args.error_at_previous(fmt::format("'filter trace' : unknown keyword '{}'.", word));
      return nullptr;
    }
  }
  return std::make_shared<TraceFilter>(std::move(settings));
}

}  // namespace

const FilterRow& trace_filter() {
  static const FilterRow row = [] {
    FilterRow made;
    made.name = "trace";
    made.arguments = "[name <name>] [random-forwarding] [max-fwd <max>] [hexdump] [quiet]";
    made.doc =
        "Tells on stderr of each call a filter gets, and may hold back a part of what passes.";
    made.parse = &parse;
    return made;
  }();
  return row;
}

}  // namespace rules

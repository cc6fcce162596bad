#include "rules/bandwidth.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "expr/stick.h"
#include "state/registry.h"

namespace rules {

namespace {

class BandwidthRun;

// The limiters of the exchanges that this worker serves, so that rules find theirs.
std::unordered_multimap<const txn::Exchange*, BandwidthRun*>& running() {
  thread_local std::unordered_multimap<const txn::Exchange*, BandwidthRun*> runs;
  return runs;
}

class BandwidthRun final : public FilterRun {
 public:
  BandwidthRun(const BandwidthFilter& filter, const txn::Exchange& exchange)
      : filter_(filter), exchange_(exchange) {
    running().emplace(&exchange_, this);
  }
  ~BandwidthRun() override {
    const auto [first, last] = running().equal_range(&exchange_);
    running().erase(std::find_if(first, last, [this](auto& item) { return item.second == this; }));
  }
  BandwidthRun(const BandwidthRun&) = delete;
  BandwidthRun& operator=(const BandwidthRun&) = delete;

  const BandwidthFilter& filter() const { return filter_; }
  void enable(expr::Context& context, std::int64_t limit, std::int64_t period_ms);
  std::optional<std::size_t> payload(FilterCall& call) override;

 private:
  std::uint64_t passed_lately(std::int64_t now) const;
  void count(std::uint64_t bytes, std::int64_t now);

  const BandwidthFilter& filter_;
  const txn::Exchange& exchange_;
  std::uint32_t limit_ = 0, period_ms_ = 0;
  state::StickRate own_;
  state::StickRef entry_;  // of all streams with the key
};

state::StickData rate_of(txn::Direction direction) {
  return direction == txn::Direction::request ? state::StickData::bytes_in_rate
                                              : state::StickData::bytes_out_rate;
}

void BandwidthRun::enable(expr::Context& context, std::int64_t limit, std::int64_t period_ms) {
  const auto chosen = [](std::int64_t value, std::uint32_t own) {
    return value <= 0 ? own : static_cast<std::uint32_t>(std::min<std::int64_t>(value, UINT32_MAX));
  };
  limit_ = chosen(limit, filter_.limit);
  period_ms_ = chosen(period_ms, filter_.period_ms);
  if (filter_.shared()) {
    expr::Value sample;
    std::string_view key;
    if (filter_.table == nullptr || !filter_.key->evaluate(context, sample) ||
        !expr::stick_key(context, sample, *filter_.table, key))
      return;
    entry_ = filter_.table->open(key, state::stick_clock_ms());
    if (!entry_) return;
    period_ms_ = filter_.table->settings().column(rate_of(filter_.direction)).period_ms;
  }
  take_payload(filter_.direction, true);
}

std::uint64_t BandwidthRun::passed_lately(std::int64_t now) const {
  if (!filter_.shared()) return own_.read(static_cast<std::uint32_t>(now), period_ms_);
  return entry_.get(rate_of(filter_.direction), 0, now).value_or(0);
}

void BandwidthRun::count(std::uint64_t bytes, std::int64_t now) {
  if (!filter_.shared())
    return own_.add(static_cast<std::uint32_t>(now), period_ms_, static_cast<std::uint32_t>(bytes));
  entry_.count(filter_.direction == txn::Direction::request ? state::StickEvent::bytes_in
                                                            : state::StickEvent::bytes_out,
               bytes, now);
}

std::optional<std::size_t> BandwidthRun::payload(FilterCall& call) {
  const std::size_t here = call.channel().data().size();
  if (here == 0) return 0;
  const std::int64_t now = state::stick_clock_ms();
  const std::uint64_t lately = passed_lately(now);
  std::uint64_t room = limit_ > lately ? limit_ - lately : 0;
  if (filter_.shared()) room = room / std::max(1u, entry_.references());
  // A share that is too small to be worth a packet is made larger, and waited for longer.
  if (room != 0) room = std::max<std::uint64_t>(room, filter_.least);
  const std::size_t passing = std::min<std::uint64_t>(here, room);
  if (passing != 0) count(passing, now);
  if (passing < here) {
    const std::uint64_t awaited = std::max<std::uint64_t>(
        1, std::min<std::uint64_t>(here - passing,
                                   std::max<std::uint64_t>(filter_.least, limit_ / 50)));
    const std::uint64_t ms =
        std::max<std::uint64_t>(1, awaited * period_ms_ / std::max(1u, limit_));
    wake_at = rt::now() + rt::milliseconds(static_cast<std::int64_t>(
                              std::min<std::uint64_t>(ms, std::max(1u, period_ms_))));
  }
  return passing;
}

// Those of the configurations that are loaded.
struct Declared {
  std::mutex mutex;
  std::vector<std::weak_ptr<BandwidthFilter>> all;
};
Declared& declared() {
  static Declared filters;
  return filters;
}

bool number_of(config::Arguments& args, std::string_view what, std::uint32_t& out) {
  const auto size = args.size(what);
  if (!size) return false;
  if (*size == 0 || *size > UINT32_MAX)
    return args.error_at_previous(fmt::format("'{}' expects a size from 1 to 4g", what));
  out = static_cast<std::uint32_t>(*size);
  return true;
}

struct Words {
  bool limit = false, default_limit = false, default_period = false;
  std::string table;
};

bool read_key(config::Arguments& args, expr::ParseContext& context, BandwidthFilter& filter) {
  const config::Position at = args.here();
  const auto text = args.text("key");
  if (!text) return false;
  auto parsed = expr::Expression::parse(*text, context, at);
  if (!parsed) return args.error_at_previous(fmt::format("'key' : {}", parsed.error()));
  filter.key = std::move(*parsed);
  return true;
}

bool read_word(config::Arguments& args, expr::ParseContext& context, BandwidthFilter& filter,
               Words& words) {
  if (args.accept("limit")) return words.limit = true, number_of(args, "limit", filter.limit);
  if (args.accept("default-limit"))
    return words.default_limit = true, number_of(args, "default-limit", filter.limit);
  if (args.accept("min-size")) return number_of(args, "min-size", filter.least);
  if (args.accept("key")) return read_key(args, context, filter);
  if (args.accept("table")) {
    const auto name = args.text("table");
    if (name) words.table = std::string(*name);
    return name.has_value();
  }
  if (args.accept("default-period")) {
    const auto ms = args.time_ms("default-period");
    if (!ms) return false;
    if (*ms < 1 || *ms > INT32_MAX)
      return args.error_at_previous("'default-period' expects a time above zero");
    filter.period_ms = static_cast<std::uint32_t>(*ms);
    return words.default_period = true;
  }
  return args.error(fmt::format("unexpected argument '{}'", args.peek()),
                    "expected limit, key, table, default-limit, default-period or min-size");
}

std::string_view problem_with(const BandwidthFilter& filter, const Words& words) {
  if (words.limit || filter.shared() || !words.table.empty()) {
    if (words.default_limit || words.default_period)
      return "a filter shares a limit with 'limit' and 'key', or has 'default-limit' and "
             "'default-period' for each stream";
    if (!filter.shared()) return "'key' is missing";
    return words.limit ? "" : "'limit' is missing";
  }
  if (!words.default_limit) return "'default-limit' is missing";
  return words.default_period ? "" : "'default-period' is missing";
}

// The table may be declared below, or by another proxy.
void find_table_later(expr::ParseContext& context, BandwidthFilter& filter, std::string name,
                      config::Position at) {
  if (name.empty() && filter.proxy != nullptr) name = filter.proxy->name;
  context.deferred.push_back([&filter, name = std::move(name), at, &registry = context.registry,
                              &diagnostics = context.diagnostics] {
    const auto fail = [&](std::string_view why) {
      diagnostics.alert(
          at, fmt::format("bandwidth filter '{}': table '{}' {}.", filter.label, name, why));
    };
    filter.table = registry.tables().find(name);
    if (filter.table == nullptr) return fail("is not known");
    if (!expr::castable(filter.key->type(), filter.table->settings().key))
      return fail("has a type that the key cannot become");
    if (filter.table->settings().column(rate_of(filter.direction)).elements == 0)
      return fail(filter.direction == txn::Direction::request ? "must store bytes_in_rate"
                                                              : "must store bytes_out_rate");
  });
}

}  // namespace

bool BandwidthFilter::attach(expr::Context& context, std::unique_ptr<FilterRun>& run) {
  if (context.exchange != nullptr) run = std::make_unique<BandwidthRun>(*this, *context.exchange);
  return true;
}

void BandwidthFilter::enable(expr::Context& context, std::int64_t own_limit,
                             std::int64_t own_period_ms) const {
  const auto [first, last] = running().equal_range(context.exchange);
  for (auto at = first; at != last; ++at)
    if (&at->second->filter() == this) at->second->enable(context, own_limit, own_period_ms);
}

bool is_bandwidth_filter(std::string_view keyword) {
  return keyword == "bwlim-in" || keyword == "bwlim-out";
}

std::shared_ptr<BandwidthFilter> parse_bandwidth_filter(config::Arguments& args,
                                                        expr::ParseContext& context,
                                                        std::string_view keyword) {
  const config::Position at = args.previous();
  auto filter = std::make_shared<BandwidthFilter>();
  filter->proxy = context.proxy;
  if (keyword == "bwlim-out") filter->direction = txn::Direction::response;
  const auto label = args.text(keyword);
  if (!label) return nullptr;
  filter->label = *label;
  Words words;
  while (!args.done())
    if (!read_word(args, context, *filter, words)) return nullptr;
  if (const auto problem = problem_with(*filter, words); !problem.empty()) {
    args.error(fmt::format("'{} {}' : {}", keyword, filter->label, problem));
    return nullptr;
  }
  if (filter->shared()) find_table_later(context, *filter, words.table, at);
  const std::lock_guard lock(declared().mutex);
  std::erase_if(declared().all, [](const auto& other) { return other.expired(); });
  declared().all.push_back(filter);
  return filter;
}

const BandwidthFilter* find_bandwidth_filter(const state::Proxy* proxy, std::string_view label) {
  const std::lock_guard lock(declared().mutex);
  for (const auto& entry : declared().all)
    if (const auto filter = entry.lock();
        filter && filter->proxy == proxy && filter->label == label)
      return filter.get();
  return nullptr;
}

}  // namespace rules

// "filter bwlim-in" and "filter bwlim-out" (manual section 9.7): they let no more than so many
// bytes of a stream pass in a period. They do nothing before "set-bandwidth-limit" switches them
// on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "expr/expression.h"
#include "expr/parse.h"
#include "rules/filter.h"
#include "state/stick_table.h"

namespace rules {

class BandwidthFilter final : public Filter {
 public:
  bool attach(expr::Context& context, std::unique_ptr<FilterRun>& run) override;
  // Of the stream that the exchange is; limit and period 0 are the filter's own.
  void enable(expr::Context& context, std::int64_t limit, std::int64_t period_ms) const;
  bool shared() const { return key != nullptr; }

  std::string label;  // what rules call it
  const state::Proxy* proxy = nullptr;
  txn::Direction direction = txn::Direction::request;
  std::uint32_t limit = 0, period_ms = 0, least = 0;
  // All streams with one key share the limit.
  std::unique_ptr<expr::Expression> key;
  state::StickTable* table = nullptr;  // known once all sections were read
};

bool is_bandwidth_filter(std::string_view keyword);
// From the words behind the keyword; null after a report.
std::shared_ptr<BandwidthFilter> parse_bandwidth_filter(config::Arguments& args,
                                                        expr::ParseContext& context,
                                                        std::string_view keyword);
// Null when the proxy has none of that name; of those whose proxies are still there.
const BandwidthFilter* find_bandwidth_filter(const state::Proxy* proxy, std::string_view label);

}  // namespace rules

// What an entry of a stick table can hold (manual section 11.1): the types by name, and counters of
// events over a period. Plain data; who reads or changes it holds the entry's lock.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace state {

// In the order in which "show table" prints them.
enum class StickData : std::uint8_t {
  server_id,
  gpt0,
  gpc0,
  gpc0_rate,
  conn_cnt,
  conn_rate,
  conn_cur,
  sess_cnt,
  sess_rate,
  http_req_cnt,
  http_req_rate,
  http_err_cnt,
  http_err_rate,
  bytes_in_cnt,
  bytes_in_rate,
  bytes_out_cnt,
  bytes_out_rate,
  gpc1,
  gpc1_rate,
  server_key,
  http_fail_cnt,
  http_fail_rate,
  gpt,
  gpc,
  gpc_rate,
  glitch_cnt,
  glitch_rate,
  count_
};
inline constexpr std::size_t kStickDataTypes = static_cast<std::size_t>(StickData::count_);

enum class StickKind : std::uint8_t { number, large_number, rate, text };

struct StickDataInfo {
  std::string_view name;
  StickKind kind;
  bool is_array = false;
};
const StickDataInfo& info_of(StickData data);
std::optional<StickData> find_stick_data(std::string_view name);

// What traffic counts of itself: each has a counter and a rate that a table may store.
enum class StickEvent : std::uint8_t {
  connection,
  session,
  request,
  error,
  failure,
  glitch,
  bytes_in,
  bytes_out,
  count_
};
struct StickEventData {
  StickData counter, rate;
};
StickEventData data_of(StickEvent event);

// Events of the running period, and the share of the one before that the last `period` milliseconds
// still cover. `now` is a clock in milliseconds that may wrap.
class StickRate {
 public:
  void add(std::uint32_t now, std::uint32_t period, std::uint32_t n);
  std::uint32_t read(std::uint32_t now, std::uint32_t period) const;
  void set(std::uint32_t now, std::uint32_t value);

 private:
  std::uint32_t began_ = 0;  // the running period
  std::uint32_t current_ = 0, previous_ = 0;
};

}  // namespace state

#include "state/stick_data.h"

#include <array>

namespace state {
namespace {

using K = StickKind;

constexpr std::array<StickDataInfo, kStickDataTypes> kTypes{{
    {"server_id", K::number},     {"gpt0", K::number},
    {"gpc0", K::number},          {"gpc0_rate", K::rate},
    {"conn_cnt", K::number},      {"conn_rate", K::rate},
    {"conn_cur", K::number},      {"sess_cnt", K::number},
    {"sess_rate", K::rate},       {"http_req_cnt", K::number},
    {"http_req_rate", K::rate},   {"http_err_cnt", K::number},
    {"http_err_rate", K::rate},   {"bytes_in_cnt", K::large_number},
    {"bytes_in_rate", K::rate},   {"bytes_out_cnt", K::large_number},
    {"bytes_out_rate", K::rate},  {"gpc1", K::number},
    {"gpc1_rate", K::rate},       {"server_key", K::text},
    {"http_fail_cnt", K::number}, {"http_fail_rate", K::rate},
    {"gpt", K::number, true},     {"gpc", K::number, true},
    {"gpc_rate", K::rate, true},  {"glitch_cnt", K::number},
    {"glitch_rate", K::rate},
}};

constexpr std::array<StickEventData, static_cast<std::size_t>(StickEvent::count_)> kEvents{{
    {StickData::conn_cnt, StickData::conn_rate},
    {StickData::sess_cnt, StickData::sess_rate},
    {StickData::http_req_cnt, StickData::http_req_rate},
    {StickData::http_err_cnt, StickData::http_err_rate},
    {StickData::http_fail_cnt, StickData::http_fail_rate},
    {StickData::glitch_cnt, StickData::glitch_rate},
    {StickData::bytes_in_cnt, StickData::bytes_in_rate},
    {StickData::bytes_out_cnt, StickData::bytes_out_rate},
}};

}  // namespace

const StickDataInfo& info_of(StickData data) { return kTypes[static_cast<std::size_t>(data)]; }

StickEventData data_of(StickEvent event) { return kEvents[static_cast<std::size_t>(event)]; }

std::optional<StickData> find_stick_data(std::string_view name) {
  for (std::size_t i = 0; i < kTypes.size(); ++i)
    if (kTypes[i].name == name) return static_cast<StickData>(i);
  return std::nullopt;
}

void StickRate::add(std::uint32_t now, std::uint32_t period, std::uint32_t n) {
  const std::uint32_t elapsed = now - began_;
  if (elapsed >= period) {
    const bool recent = elapsed < 2 * std::uint64_t{period};
    previous_ = recent ? current_ : 0;
    current_ = 0;
    began_ = recent ? began_ + period : now;
  }
  current_ += n;
}

std::uint32_t StickRate::read(std::uint32_t now, std::uint32_t period) const {
  std::uint64_t elapsed = now - began_;
  std::uint32_t current = current_, previous = previous_;
  if (elapsed >= period) {
    previous = elapsed >= 2 * std::uint64_t{period} ? 0 : current;
    current = 0;
    elapsed %= period;
  }
  // A lone event of the period before does not flap between 1 and 0.
  if (previous <= 1 && current == 0) return previous;
  return current + static_cast<std::uint32_t>(previous * (period - elapsed) / period);
}

void StickRate::set(std::uint32_t now, std::uint32_t value) {
  began_ = now;
  current_ = value;
  previous_ = 0;
}

}  // namespace state

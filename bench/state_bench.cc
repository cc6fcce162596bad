// What tracking costs a request: an entry found, held, counted in and let go, by one worker and by
// several at once, on keys of their own and on one that all share.
#include <benchmark/benchmark.h>

#include <string>

#include "state/stick_table.h"

namespace {

using state::StickData;

state::StickTable& table() {
  static state::StickTable* const made = [] {
    state::StickSettings settings;
    settings.name = "bench";
    settings.key = state::Type::ipv4;
    settings.key_size = 4;
    settings.size = 100000;
    settings.expire_ms = 60000;
    for (StickData data : {StickData::conn_cnt, StickData::conn_cur, StickData::http_req_cnt,
                           StickData::bytes_in_cnt, StickData::bytes_out_cnt})
      settings.column(data).elements = 1;
    settings.column(StickData::http_req_rate) = {1, 10000, 0};
    return new state::StickTable(std::move(settings));
  }();
  return *made;
}

void track(std::string_view key) {
  const std::int64_t now = state::stick_clock_ms();
  state::StickRef entry = table().open(key, now);
  entry.begin_tracking(now);
  entry.count(state::StickEvent::request, 1, now);
  benchmark::DoNotOptimize(entry.get(StickData::http_req_rate, 0, now));
  entry.count(state::StickEvent::bytes_in, 100, now);
  entry.count(state::StickEvent::bytes_out, 1000, now);
}

void track_own_keys(benchmark::State& run) {
  auto next = static_cast<std::uint32_t>(run.thread_index()) * 10000;
  const std::uint32_t first = next;
  for (auto _ : run) {
    track({reinterpret_cast<const char*>(&next), sizeof next});
    if (++next == first + 10000) next = first;
  }
}
BENCHMARK(track_own_keys)->ThreadRange(1, 4)->UseRealTime();

void track_one_key(benchmark::State& run) {
  for (auto _ : run) track("same");
}
BENCHMARK(track_one_key)->ThreadRange(1, 4)->UseRealTime();

}  // namespace

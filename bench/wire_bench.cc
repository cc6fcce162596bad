// What the memory and the pipes of connections cost.
#include <benchmark/benchmark.h>

#include "wire/buffer.h"
#include "wire/pipe.h"

namespace {

void take_and_drop_buffer(benchmark::State& state) {
  for (auto _ : state) {
    wire::Buffer buffer;
    buffer.take();
    benchmark::DoNotOptimize(buffer.data());
  }
}
BENCHMARK(take_and_drop_buffer);

void take_and_drop_pipe(benchmark::State& state) {
  wire::set_pipes(16, 0);
  for (auto _ : state) {
    wire::Pipe pipe;
    benchmark::DoNotOptimize(pipe.take());
  }
}
BENCHMARK(take_and_drop_pipe);

}  // namespace

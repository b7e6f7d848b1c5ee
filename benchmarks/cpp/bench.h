// What the C++ benchmarks share: values, the call of a pointwise kernel with its check, and main.
//
// Each case checks its result against a plain loop before it is timed. Kernels are those of the
// active ISA (PYTENSOR_ISA); threads by PYTENSOR_BENCH_THREADS, one by default, as on a busy
// machine only that is repeatable.
#pragma once

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "core/parallel.h"
#include "cpu/kernel_table.h"
#include "cpu/pointwise_args.h"

namespace bench {

template <class T>
std::vector<T> random_values(int64_t count, double low = -1, double high = 1) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> uniform(low, high);
  std::vector<T> v(static_cast<size_t>(count));
  for (T& x : v) x = static_cast<T>(uniform(random));
  return v;
}

inline bool close(double got, double want, double tolerance) {
  return std::abs(got - want) <= tolerance * (1 + std::abs(want));
}

// Times `run`, which touches `bytes` bytes (0: no matter), if `right` holds after a first call.
template <class Run, class Right>
void measure(benchmark::State& state, int64_t bytes, const Run& run, const Right& right) {
  run();
  if (!right()) {
    state.SkipWithError("wrong result");
    return;
  }
  for (auto _ : state) {
    run();
    benchmark::ClobberMemory();
  }
  if (bytes > 0) state.SetBytesProcessed(state.iterations() * bytes);
}

// A unary pointwise kernel, with scalar operands after the tensor, against `reference` in double.
template <class T, class Reference>
void measure_pointwise(benchmark::State& state, const char* name, int64_t n, double low,
                       double high, const std::vector<T>& scalars, const Reference& reference) {
  pt::PointwiseFn* fn = pt::Kernel<pt::PointwiseFn>{name}.get(pt::dtype_of<T>);
  const std::vector<T> x = random_values<T>(n, low, high);
  std::vector<T> y(x.size());
  void* out[] = {y.data()};
  std::vector<const void*> in = {x.data()};
  for (const T& s : scalars) in.push_back(&s);
  const uint32_t scalar_mask = (2u << scalars.size()) - 2;
  const double tolerance = sizeof(T) == 8 ? 1e-14 : 1e-6;
  measure(
      state, 2 * n * static_cast<int64_t>(sizeof(T)), [&] { fn(out, in.data(), scalar_mask, n); },
      [&] {
        for (size_t i = 0; i < x.size(); ++i)
          if (!close(static_cast<double>(y[i]), reference(static_cast<double>(x[i])), tolerance))
            return false;
        return true;
      });
}

template <class F>
void add(const std::string& name, const F& f) {
  benchmark::RegisterBenchmark(name.c_str(), f)->UseRealTime();
}

// Elements that fill the first cache, the second, and neither.
inline constexpr int64_t kLengths[] = {1 << 10, 1 << 16, 1 << 22};

inline int run_all(int argc, char** argv) {
  const char* threads = std::getenv("PYTENSOR_BENCH_THREADS");
  pt::set_num_threads(threads ? std::atoi(threads) : 1);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace bench

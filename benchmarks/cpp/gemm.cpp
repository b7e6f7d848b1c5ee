// The matrix product kernel: squares in all four layouts, few rows or columns, batches.
//
// Each case first checks a few results against a plain loop in double.
#include "bench.h"
#include "cpu/gemm_args.h"

namespace {

using pt::GemmArgs;

struct Case {
  const char* layout;  // of A and B: N as it is, T stored transposed
  int64_t batch, m, n, k;
};

const pt::Kernel<pt::GemmFn> kGemm{"gemm"};

template <class T>
bool right(const GemmArgs& g, const T* a, const T* b, const T* c) {
  std::mt19937_64 random(2);
  for (int sample = 0; sample < 100; sample++) {
    const int64_t q = static_cast<int64_t>(random() % static_cast<uint64_t>(g.batch));
    const int64_t i = static_cast<int64_t>(random() % static_cast<uint64_t>(g.m));
    const int64_t j = static_cast<int64_t>(random() % static_cast<uint64_t>(g.n));
    double sum = 0, size = 0;
    for (int64_t p = 0; p < g.k; p++) {
      const double x = static_cast<double>(a[q * g.a_batch + i * g.a_row + p * g.a_col]) *
                       static_cast<double>(b[q * g.b_batch + p * g.b_row + j * g.b_col]);
      sum += x;
      size += std::abs(x);
    }
    const double result = static_cast<double>(c[q * g.c_batch + i * g.c_row + j * g.c_col]);
    if (!(std::abs(result - sum) <= 1e-5 * size)) return false;
  }
  return true;
}

template <class T>
void run(benchmark::State& state, const Case& s) {
  const std::vector<T> a = bench::random_values<T>(s.batch * s.m * s.k);
  const std::vector<T> b = bench::random_values<T>(s.batch * s.k * s.n);
  std::vector<T> c(static_cast<size_t>(s.batch * s.m * s.n));
  const bool a_transposed = s.layout[0] == 'T', b_transposed = s.layout[1] == 'T';
  GemmArgs g;
  g.m = s.m, g.n = s.n, g.k = s.k, g.batch = s.batch;
  g.a = a.data(), g.b = b.data(), g.c = c.data();
  g.a_row = a_transposed ? 1 : s.k, g.a_col = a_transposed ? s.m : 1;
  g.b_row = b_transposed ? 1 : s.n, g.b_col = b_transposed ? s.k : 1;
  g.c_row = s.n, g.c_col = 1;
  g.a_batch = s.m * s.k, g.b_batch = s.k * s.n, g.c_batch = s.m * s.n;

  pt::GemmFn* gemm = kGemm.get(pt::dtype_of<T>);
  gemm(g);
  if (!right(g, a.data(), b.data(), c.data())) {
    state.SkipWithError("wrong result");
    return;
  }
  for (auto _ : state) {
    gemm(g);
    benchmark::ClobberMemory();
  }
  const double flops = 2.0 * static_cast<double>(s.batch * s.m * s.n * s.k);
  state.counters["flop/s"] = benchmark::Counter(
      flops, benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::kIs1000);
}

template <class T>
void add(const Case& s) {
  std::string name = std::string("gemm/") + pt::dtype_name(pt::dtype_of<T>) + "/" + s.layout + "/";
  if (s.batch > 1) name += std::to_string(s.batch) + "x";
  name += std::to_string(s.m) + "x" + std::to_string(s.n) + "x" + std::to_string(s.k);
  benchmark::RegisterBenchmark(name.c_str(), [s](benchmark::State& state) {
    run<T>(state, s);
  })->UseRealTime();
}

}  // namespace

int main(int argc, char** argv) {
  for (int64_t n : {8, 16, 32, 64, 128, 256, 512, 1024, 2048}) {
    for (const char* layout : {"NN", "NT", "TN", "TT"}) add<float>({layout, 1, n, n, n});
  }
  for (int64_t n : {32, 128, 512}) add<double>({"NN", 1, n, n, n});
  for (const char* layout : {"NN", "NT"}) {
    for (int64_t rows : {1, 4, 16, 32}) add<float>({layout, 1, rows, 4096, 4096});
    add<float>({layout, 1, 64, 100, 1000});
    add<float>({layout, 96, 64, 64, 64});
    add<float>({layout, 96, 128, 64, 128});
  }
  for (int64_t columns : {1, 8}) {
    add<float>({"NN", 1, 4096, columns, 4096});
    add<float>({"TN", 1, 4096, columns, 4096});
  }
  add<float>({"TN", 1, 1000, 100, 64});
  add<float>({"TN", 1, 64, 64, 100000});
  return bench::run_all(argc, argv);
}

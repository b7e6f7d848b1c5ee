// What kernels reach of the machine: GFLOP/s beside the measured peak of fused multiply-adds, GB/s
// beside the measured speed of a copy.
//
// The clock of a shared machine changes from second to second, so peak and kernel are timed in
// turns and each keeps its best slice. Convolutions are counted by the operations of the direct
// form: Winograd does fewer and can pass 100 %. Threads by PYTENSOR_BENCH_THREADS, one by default.
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string_view>

#include "bench.h"
#include "ops/conv/conv.h"
#include "ops/core_ops.h"
#include "ops/matmul/matmul.h"
#include "ops/norm/norm.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/unary.h"
#include "ops/pool/pool.h"
#include "ops/reduce/softmax.h"
#include "ops/reduce/sum.h"

namespace {

using pt::Tensor;

// --- Peaks --------------------------------------------------------------------------------------

constexpr int kChains = 12;  // enough independent sums to hide the latency of an FMA
constexpr int64_t kSteps = 200'000;

// Keeps a value that nothing reads.
template <class T>
void keep(T& value) {
  asm volatile("" : "+m"(value));
}

#if defined(__x86_64__)
__attribute__((target("avx512f"))) int64_t multiply_add_avx512() {
  __m512 sum[kChains] = {};
  __m512 x = _mm512_set1_ps(0.999f);
  keep(x);
  for (int64_t i = 0; i < kSteps; i++) {
#pragma GCC unroll 12
    for (int c = 0; c < kChains; c++) sum[c] = _mm512_fmadd_ps(sum[c], x, x);
  }
  for (__m512& s : sum) keep(s);
  return 16;
}
__attribute__((target("avx2,fma"))) int64_t multiply_add_avx2() {
  __m256 sum[kChains] = {};
  __m256 x = _mm256_set1_ps(0.999f);
  keep(x);
  for (int64_t i = 0; i < kSteps; i++) {
#pragma GCC unroll 12
    for (int c = 0; c < kChains; c++) sum[c] = _mm256_fmadd_ps(sum[c], x, x);
  }
  for (__m256& s : sum) keep(s);
  return 8;
}
#endif
int64_t multiply_add_baseline() {
  using Vec = float __attribute__((vector_size(16)));
  Vec sum[kChains] = {};
  Vec x = {0.999f, 0.999f, 0.999f, 0.999f};
  keep(x);
  for (int64_t i = 0; i < kSteps; i++) {
#pragma GCC unroll 12
    for (int c = 0; c < kChains; c++) sum[c] = sum[c] * x + x;
  }
  for (Vec& s : sum) keep(s);
  return 4;
}

// --- The same with operands from the L1 cache ---------------------------------------------------

constexpr int kFedDepth = 256, kFedTiles = 400;

// A tile of a product: each multiply-add needs a part of a load. The processor lowers its clock for
// that, so this is what products could reach if all else were free. A macro, because vectors are
// taken apart by the instruction set of the function they are written in, before it is inlined.
#define FED_TILES(NAME, TARGET, BYTES, ROWS)                                                      \
  TARGET int64_t NAME() {                                                                         \
    using Vec = float __attribute__((vector_size(BYTES), may_alias));                             \
    constexpr int kLanes = BYTES / sizeof(float);                                                 \
    alignas(64) static const float a[kFedDepth * ROWS] = {};                                      \
    alignas(64) static const float b[kFedDepth * 2 * kLanes] = {};                                \
    Vec total = {};                                                                               \
    for (int tile = 0; tile < kFedTiles; tile++) {                                                \
      const float *ap = a, *bp = b;                                                               \
      keep(ap), keep(bp);                                                                         \
      Vec sum[ROWS][2] = {};                                                                      \
      for (int k = 0; k < kFedDepth; k++, ap += ROWS, bp += 2 * kLanes) {                         \
        const Vec b0 = *reinterpret_cast<const Vec*>(bp);                                         \
        const Vec b1 = *reinterpret_cast<const Vec*>(bp + kLanes);                                \
        _Pragma("GCC unroll 14") for (int i = 0; i < ROWS; i++) {                                 \
          const Vec x = ap[i] - Vec{};                                                            \
          sum[i][0] += x * b0;                                                                    \
          sum[i][1] += x * b1;                                                                    \
        }                                                                                         \
      }                                                                                           \
      _Pragma("GCC unroll 14") for (int i = 0; i < ROWS; i++) { total += sum[i][0] + sum[i][1]; } \
    }                                                                                             \
    keep(total);                                                                                  \
    return int64_t{2} * ROWS * kLanes;                                                            \
  }
#if defined(__x86_64__)
FED_TILES(fed_avx512, __attribute__((target("avx512f"))), 64, 14)
FED_TILES(fed_avx2, __attribute__((target("avx2,fma"))), 32, 6)
#endif
FED_TILES(fed_baseline, , 16, 6)
#undef FED_TILES

// Copies 64 MB; the number of bytes read and written.
double copy_bytes() {
  static const std::vector<float> from(size_t{1} << 24, 1.0f);
  static std::vector<float> to(from.size());
  pt::parallel_for(0, int64_t{1} << 24, 1 << 18, [](int64_t begin, int64_t end) {
    std::memcpy(to.data() + begin, from.data() + begin,
                static_cast<size_t>(end - begin) * sizeof(float));
  });
  return 2.0 * static_cast<double>(from.size() * sizeof(float));
}

// Multiply-adds of a call of the instruction set's function, each on a vector's lanes.
using Function = int64_t();
struct Peak {
  Function *baseline, *avx2, *avx512;
  int64_t steps;
};
#if defined(__x86_64__)
constexpr Peak kChained{multiply_add_baseline, multiply_add_avx2, multiply_add_avx512,
                        kChains * kSteps};
constexpr Peak kFed{fed_baseline, fed_avx2, fed_avx512, kFedTiles * kFedDepth};
#else
constexpr Peak kChained{multiply_add_baseline, nullptr, nullptr, kChains * kSteps};
constexpr Peak kFed{fed_baseline, nullptr, nullptr, kFedTiles * kFedDepth};
#endif

// Runs it on every thread; the number of operations.
double run_peak(const Peak& peak) {
  const pt::Isa isa = pt::active_isa();
  Function* function = peak.baseline;
  if (isa == pt::Isa::kAvx512) function = peak.avx512;
  if (isa == pt::Isa::kAvx2) function = peak.avx2;
  const int threads = pt::get_num_threads();
  int64_t lanes = 0;
  pt::parallel_for(0, threads, 1, [&](int64_t begin, int64_t) {
    const int64_t n = function();
    if (begin == 0) lanes = n;
  });
  return 2.0 * static_cast<double>(threads * peak.steps * lanes);
}
double multiply_adds() { return run_peak(kChained); }

// --- Timing -------------------------------------------------------------------------------------

double seconds() {
  using Clock = std::chrono::steady_clock;
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

// Work per second in the best of the calls that fit into a slice.
double rate(const std::function<double()>& run, double slice) {
  double best = 0;
  const double begin = seconds();
  for (double now = begin; now - begin < slice;) {
    const double work = run();
    const double end = seconds();
    best = std::max(best, work / (end - now));
    now = end;
  }
  return best;
}

struct Mean {
  double log_sum = 0;
  int count = 0;
  void add(double x) {
    log_sum += std::log(x);
    count++;
  }
  double value() const { return count ? std::exp(log_sum / count) : 0; }
};

// One line of the table: a kernel's best rate beside the peak's best in the same time.
void report(const char* kernel, const std::string& shape, bool arithmetic, Mean& mean,
            const std::function<double()>& run) {
  constexpr int kRounds = 8;
  run();
  double reached = 0, peak = 0;
  for (int round = 0; round < kRounds; round++) {
    peak = std::max(peak, rate(arithmetic ? multiply_adds : copy_bytes, 0.01));
    reached = std::max(reached, rate(run, 0.04));
  }
  mean.add(reached / peak);
  std::printf("%-22s %-28s %8.1f %8.1f %-7s %5.0f %%\n", kernel, shape.c_str(), reached / 1e9,
              peak / 1e9, arithmetic ? "GFLOP/s" : "GB/s", 100 * reached / peak);
  std::fflush(stdout);
}

void report_mean(const char* what, const Mean& mean) {
  std::printf("%-22s %-28s %33.0f %%\n", what, "geometric mean", 100 * mean.value());
}

// --- Kernels ------------------------------------------------------------------------------------

Tensor random_tensor(const pt::Dims& sizes) {
  const Tensor t = pt::empty_tensor(sizes, pt::DType::kFloat32);
  const std::vector<float> values = bench::random_values<float>(t.numel());
  std::copy(values.begin(), values.end(), t.data<float>());
  return t;
}

void products(Mean& mean) {
  for (const int64_t n : {1024, 2048, 4096}) {
    const Tensor a = random_tensor({n, n}), b = random_tensor({n, n});
    report("mm", std::to_string(n), true, mean, [&] {
      pt::mm(a, b);
      return 2.0 * static_cast<double>(n * n * n);
    });
  }
}

struct Layer {
  int64_t in, size, out, kernel, stride, padding;
};

void convolutions(Mean& mean) {
  constexpr Layer kLayers[] = {
      {3, 224, 64, 11, 4, 2},    // AlexNet
      {64, 27, 192, 5, 1, 2},    //
      {3, 224, 64, 3, 1, 1},     // VGG-16
      {64, 224, 64, 3, 1, 1},    //
      {128, 112, 128, 3, 1, 1},  //
      {256, 56, 256, 3, 1, 1},   //
      {512, 28, 512, 3, 1, 1},   //
      {3, 224, 64, 7, 2, 3},     // ResNet
      {64, 56, 64, 3, 1, 1},     //
      {64, 56, 128, 3, 2, 1},    //
      {128, 28, 128, 3, 1, 1},   //
      {256, 14, 256, 3, 1, 1},   //
      {512, 7, 512, 3, 1, 1},    //
      {64, 56, 256, 1, 1, 0},    //
      {256, 56, 64, 1, 1, 0},    //
      {512, 28, 128, 1, 1, 0},   //
      {1024, 14, 256, 1, 1, 0},  //
      {512, 7, 2048, 1, 1, 0},   //
  };
  for (const int64_t batch : {1, 8}) {
    for (const Layer& l : kLayers) {
      const Tensor x = random_tensor({batch, l.in, l.size, l.size});
      const Tensor w = random_tensor({l.out, l.in, l.kernel, l.kernel});
      const pt::Dims stride{l.stride, l.stride}, padding{l.padding, l.padding};
      const std::string name = std::to_string(batch) + " x " + std::to_string(l.in) + "->" +
                               std::to_string(l.out) + " " + std::to_string(l.kernel) + "x" +
                               std::to_string(l.kernel) + "/" + std::to_string(l.stride) + " @" +
                               std::to_string(l.size);
      report("conv2d", name, true, mean, [&] {
        const Tensor y = pt::conv2d(x, w, Tensor(), pt::IntList(stride), pt::IntList(padding));
        return 2.0 * static_cast<double>(y.numel() * l.in * l.kernel * l.kernel);
      });
    }
  }
}

void elementwise(Mean& mean) {
  constexpr int64_t kCount = int64_t{1} << 24;
  const Tensor a = random_tensor({kCount}), b = random_tensor({kCount});
  const double bytes = 4.0 * static_cast<double>(kCount);
  const auto line = [&](const char* name, double tensors, auto&& call) {
    report(name, "16M", false, mean, [&] {
      call();
      return tensors * bytes;
    });
  };
  line("add", 3, [&] { pt::add(a, b); });
  line("mul", 3, [&] { pt::mul(a, b); });
  line("relu", 2, [&] { pt::relu(a); });
  line("neg", 2, [&] { pt::neg(a); });
  line("exp", 2, [&] { pt::exp(a); });
  line("tanh", 2, [&] { pt::tanh(a); });
  line("sigmoid", 2, [&] { pt::sigmoid(a); });
}

void layers(Mean& mean) {
  const Tensor image = random_tensor({8, 64, 112, 112});
  const Tensor rows = random_tensor({4096, 1024});
  const auto line = [&](const char* name, const char* shape, const Tensor& x, auto&& call) {
    report(name, shape, false, mean,
           [&] { return 4.0 * static_cast<double>(x.numel() + call().numel()); });
  };
  const pt::Dims two{2, 2}, three{3, 3}, one{1, 1};
  line("max_pool2d 3x3/2", "8x64x112x112", image, [&] {
    return pt::max_pool2d(image, pt::IntList(three), pt::IntList(two), pt::IntList(one));
  });
  line("avg_pool2d 2x2", "8x64x112x112", image,
       [&] { return pt::avg_pool2d(image, pt::IntList(two)); });
  line("softmax", "4096x1024", rows, [&] { return pt::softmax(rows, int64_t{1}); });
  line("sum of rows", "4096x1024", rows, [&] {
    const pt::Dims last{1};
    return pt::sum_dim(rows, pt::IntList(last));
  });
}

}  // namespace

int main(int argc, char** argv) {
  // The one option of the other programs, which are run with the same arguments.
  constexpr std::string_view kFilter = "--benchmark_filter=";
  for (int i = 1; i < argc; i++) {
    const std::string_view argument = argv[i];
    if (argument.starts_with(kFilter) &&
        std::string_view("roofline").find(argument.substr(kFilter.size())) ==
            std::string_view::npos)
      return 0;
  }
  const char* threads = std::getenv("PYTENSOR_BENCH_THREADS");
  pt::set_num_threads(threads ? std::atoi(threads) : 1);
  std::printf("%s kernels, %d threads: best rates beside the machine's peak\n",
              pt::isa_name(pt::active_isa()), pt::get_num_threads());
  Mean fed, mm, conv, pointwise, layer;
  report("multiply-adds", "operands from the L1 cache", true, fed, [] { return run_peak(kFed); });
  products(mm);
  convolutions(conv);
  elementwise(pointwise);
  layers(layer);
  report_mean("mm", mm);
  report_mean("conv2d", conv);
  report_mean("elementwise", pointwise);
  report_mean("layers", layer);
}

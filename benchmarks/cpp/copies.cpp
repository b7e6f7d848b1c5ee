// Data movement through the strided executor: contiguous, transposed, strided and converting
// copies of square matrices into memory that is already there.
#include "bench.h"
#include "op/copy.h"

namespace {

using pt::DType;
using pt::Tensor;

enum class Layout { kContiguous, kTransposed, kEverySecond };

void run(benchmark::State& state, Layout layout, DType to, int64_t n) {
  const int64_t gap = layout == Layout::kEverySecond ? 2 : 1;
  const std::vector<float> values = bench::random_values<float>(n * n * gap);
  const Tensor whole = pt::empty_tensor(pt::Dims{n * n * gap}, DType::kFloat32);
  std::copy(values.begin(), values.end(), whole.data<float>());
  const bool transposed = layout == Layout::kTransposed;
  const pt::Dims strides{transposed ? 1 : n * gap, transposed ? n : gap};
  const Tensor src = pt::make_view(whole, pt::Dims{n, n}, strides, 0);
  const Tensor dst = pt::empty_tensor(pt::Dims{n, n}, to);
  auto right = [&] {
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        const float want = values[static_cast<size_t>(i * strides[0] + j * strides[1])];
        const int64_t at = i * n + j;
        if (to == DType::kFloat32 ? dst.data<float>()[at] != want
                                  : dst.data<double>()[at] != static_cast<double>(want))
          return false;
      }
    }
    return true;
  };
  const auto bytes = static_cast<int64_t>(src.nbytes() + dst.nbytes());
  bench::measure(state, bytes, [&] { pt::copy_into(dst, src); }, right);
}

}  // namespace

int main(int argc, char** argv) {
  struct {
    const char* name;
    Layout layout;
    DType to;
  } const kinds[] = {
      {"contiguous", Layout::kContiguous, DType::kFloat32},
      {"transposed", Layout::kTransposed, DType::kFloat32},
      {"every second", Layout::kEverySecond, DType::kFloat32},
      {"to float64", Layout::kContiguous, DType::kFloat64},
      {"transposed to float64", Layout::kTransposed, DType::kFloat64},
  };
  for (const auto& kind : kinds) {
    for (int64_t n : {32, 256, 2048}) {
      bench::add(std::string("copy/") + kind.name + "/" + std::to_string(n),
                 [kind, n](benchmark::State& state) { run(state, kind.layout, kind.to, n); });
    }
  }
  return bench::run_all(argc, argv);
}

// Sums and maxima of gathered rows: embedding bags, and the gradients of embeddings. A thread makes
// one element of the result and takes the entries of its row in order.
#include "cpu/embedding_args.h"
#include "cuda/reduce/frame.h"

namespace pt::cuda {
namespace {

constexpr int kThreads = 256;

template <class T>
__global__ void __launch_bounds__(kThreads) sum_kernel(GatherSumArgs a) {
  using V = Compute<T>;
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  const T* source = static_cast<const T*>(a.source);
  PT_UNROLL_BY(1)
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < a.rows * a.width;
       i += step) {
    const int64_t row = i / a.width, column = i % a.width;
    V total = 0;
    for (int64_t k = a.starts[row]; k < a.starts[row + 1]; ++k) {
      const int64_t entry = a.order[k], from = a.from ? a.from[entry] : entry;
      if (from < 0 || from >= a.source_rows) continue;
      const V factor = a.factors ? static_cast<V>(a.factors[entry]) : V(1);
      total += static_cast<V>(source[from * a.width + column]) * factor;
    }
    put<T>(a.out, i, total);
  }
}
template <class T>
void sum(const GatherSumArgs& a) {
  if (a.rows * a.width == 0) return;
  PT_LAUNCH((sum_kernel<T>), blocks_for(a.rows * a.width, kThreads), kThreads, 0, a);
}

template <class T>
__global__ void __launch_bounds__(kThreads) max_kernel(GatherSumArgs a, int64_t* chosen) {
  using V = Compute<T>;
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  const T* source = static_cast<const T*>(a.source);
  PT_UNROLL_BY(1)
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < a.rows * a.width;
       i += step) {
    const int64_t row = i / a.width, column = i % a.width;
    V best = 0;
    int64_t which = -1;
    for (int64_t k = a.starts[row]; k < a.starts[row + 1]; ++k) {
      const int64_t from = a.from[a.order[k]];
      if (from < 0 || from >= a.source_rows) continue;
      const V v = static_cast<V>(source[from * a.width + column]);
      if (which < 0 || v > best) {
        best = v;
        which = from;
      }
    }
    put<T>(a.out, i, best);
    chosen[i] = which;
  }
}
template <class T>
void max(const GatherMaxArgs& m) {
  const int64_t count = m.rows.rows * m.rows.width;
  if (count == 0) return;
  PT_LAUNCH((max_kernel<T>), blocks_for(count, kThreads), kThreads, 0, m.rows, m.chosen);
}

const KernelEntry kEntries[] = {
    {"gather_sum", {PT_FLOAT_SLOTS(sum)}},
    {"gather_max", {PT_FLOAT_SLOTS(max)}},
};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda

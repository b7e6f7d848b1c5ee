// Matrix products: "gemm" of cpu/gemm_args.h for any strides, batches and dtypes.
//
// A block of 256 threads makes a 64x64 tile of C, each thread 4x4 elements of it, from slices of A
// and B of 16 along k that lie in shared memory. Half types are widened when they are loaded and
// summed in float; integers wrap.
#include "cpu/gemm_args.h"
#include "cuda/libraries/gemm.h"
#include "cuda/reduce/frame.h"

namespace pt::cuda {
namespace {

constexpr int kTile = 64, kSlice = 16, kOwn = 4, kThreads = 256;

template <class T>
using Sum = std::conditional_t<kFloating<T>, Compute<T>,
                               std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>>;

template <class T>
__global__ void __launch_bounds__(kThreads)
    gemm_kernel(GemmArgs g, int64_t tiles_m, int64_t tiles_n) {
  using S = Sum<T>;
  PT_SHARED(S, a_slice, [kSlice][kTile + 1]);
  PT_SHARED(S, b_slice, [kSlice][kTile + 1]);
  const int thread = static_cast<int>(threadIdx.x);
  const int row = thread / 16, column = thread % 16;  // of this thread's elements, 16 apart
  const int64_t per_batch = tiles_m * tiles_n;
  for (int64_t unit = blockIdx.x; unit < per_batch * g.batch; unit += gridDim.x) {
    const int64_t batch = unit / per_batch, tile = unit % per_batch;
    const int64_t m0 = tile / tiles_n * kTile, n0 = tile % tiles_n * kTile;
    const T* a = static_cast<const T*>(g.a) + batch * g.a_batch;
    const T* b = static_cast<const T*>(g.b) + batch * g.b_batch;
    S sums[kOwn][kOwn] = {};
    for (int64_t k0 = 0; k0 < g.k; k0 += kSlice) {
      // Neighbouring threads read neighbouring elements, whichever way the matrix lies.
      PT_UNROLL
      for (int e = thread; e < kTile * kSlice; e += kThreads) {
        const bool along_k = g.a_col == 1;
        const int m = along_k ? e / kSlice : e % kTile, k = along_k ? e % kSlice : e / kTile;
        const bool inside = m0 + m < g.m && k0 + k < g.k;
        a_slice[k][m] = inside ? static_cast<S>(a[(m0 + m) * g.a_row + (k0 + k) * g.a_col]) : S(0);
      }
      PT_UNROLL
      for (int e = thread; e < kTile * kSlice; e += kThreads) {
        const bool along_k = g.b_row == 1;
        const int n = along_k ? e / kSlice : e % kTile, k = along_k ? e % kSlice : e / kTile;
        const bool inside = n0 + n < g.n && k0 + k < g.k;
        b_slice[k][n] = inside ? static_cast<S>(b[(k0 + k) * g.b_row + (n0 + n) * g.b_col]) : S(0);
      }
      __syncthreads();
      PT_UNROLL
      for (int k = 0; k < kSlice; ++k) {
        S av[kOwn], bv[kOwn];
        PT_UNROLL
        for (int i = 0; i < kOwn; ++i) av[i] = a_slice[k][row + i * 16];
        PT_UNROLL
        for (int j = 0; j < kOwn; ++j) bv[j] = b_slice[k][column + j * 16];
        PT_UNROLL
        for (int i = 0; i < kOwn; ++i) PT_UNROLL
        for (int j = 0; j < kOwn; ++j) sums[i][j] += av[i] * bv[j];
      }
      __syncthreads();
    }
    T* c = static_cast<T*>(g.c) + batch * g.c_batch;
    for (int i = 0; i < kOwn; ++i) {
      const int64_t m = m0 + row + i * 16;
      for (int j = 0; j < kOwn; ++j) {
        const int64_t n = n0 + column + j * 16;
        if (m >= g.m || n >= g.n) continue;
        T& out = c[m * g.c_row + n * g.c_col];
        S v = static_cast<S>(g.alpha) * sums[i][j];
        if constexpr (!kFloating<T>) v = static_cast<S>(static_cast<int64_t>(g.alpha)) * sums[i][j];
        if (g.beta != 0) {
          if constexpr (kFloating<T>) {
            v += static_cast<S>(g.beta) * static_cast<S>(out);
          } else {
            v += static_cast<S>(static_cast<int64_t>(g.beta)) * static_cast<S>(out);
          }
        }
        if (g.bias)
          v += static_cast<S>(static_cast<const T*>(g.bias)[m * g.bias_row + n * g.bias_col]);
        put<T>(&out, 0, v);
      }
    }
  }
}

template <class T>
void gemm(const GemmArgs& g) {
  const int64_t tiles_m = (g.m + kTile - 1) / kTile, tiles_n = (g.n + kTile - 1) / kTile;
  const int64_t units = tiles_m * tiles_n * g.batch;
  if (units == 0 || library_gemm(dtype_of<T>, g)) return;
  PT_LAUNCH((gemm_kernel<T>), static_cast<unsigned>(units < (1 << 30) ? units : 1 << 30), kThreads,
            0, g, tiles_m, tiles_n);
}

const KernelEntry kEntries[] = {{"gemm", {PT_NUMBER_SLOTS(gemm)}}};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda

// Matrix products: "gemm" of cpu/gemm_args.h for any strides, batches and dtypes.
//
// float and double: blocks make tiles of 128x128 or 64x64 (gemm/ffma.h) from slices along k that
// asynchronous copies bring a few stages ahead. Where there are few tiles, k is cut, and a second
// kernel adds the pieces in order. Half types, and float where it may be rounded, go to the tensor
// cores (gemm/tensor_core.h). Integers wrap, and have a kernel without any of this.
#include "cuda/gemm/ffma.h"
#include "cuda/gemm/gemm.h"
#include "cuda/gemm/main_loop.h"
#include "cuda/gemm/operands.h"
#include "cuda/gemm/plan.h"
#include "cuda/libraries/gemm.h"

namespace pt::cuda {
namespace {

template <class T, class Math>
struct GemmLoader {
  using A = Operand<T, Math::kRows, Math::kSlice, Math::kRowStride, Math::kThreads>;
  using B = Operand<T, Math::kColumns, Math::kSlice, Math::kColumnStride, Math::kThreads>;
  static constexpr bool kPrepares = false;
  T* shared;
  int terms;
  A a;
  B b;

  PT_DEVICE void fetch(int slice, int slot) {
    const int left = terms - slice * Math::kSlice;
    a.fetch(Math::slot_a(shared, slot), left);
    b.fetch(Math::slot_b(shared, slot), left);
  }
  PT_DEVICE void put_down(int) {}
};

template <class T, class Math>
__global__ void __launch_bounds__(Math::kThreads, Math::kThreads == 256 ? 2 : 4)
    gemm_kernel(GemmPlan p) {
  using Four = Pack<T, 4>;
  PT_SHARED(Four, memory, [Math::kShared / 4]);
  PT_SHARED(GemmUnit, of_block, [1]);  // here, as registers are few
  T* shared = reinterpret_cast<T*>(memory);
  const GemmUnit& u = of_block[0];
  const int64_t units = p.tiles_m * p.tiles_n * p.g.batch * p.pieces;
  for (int64_t unit = blockIdx.x; unit < units; unit += gridDim.x) {
    __syncthreads();
    if (threadIdx.x == 0) of_block[0] = gemm_unit<Math>(p, unit);
    __syncthreads();
    Math math(shared);
    GemmLoader<T, Math> loader{shared,
                               u.terms,
                               {static_cast<const T*>(p.g.a) + u.batch * p.g.a_batch, p.g.a_row,
                                p.g.a_col, u.m0, p.g.m, u.begin, p.a_packs},
                               {static_cast<const T*>(p.g.b) + u.batch * p.g.b_batch, p.g.b_col,
                                p.g.b_row, u.n0, p.g.n, u.begin, p.b_packs}};
    multiply<Math::kStages>(loader, math, (u.terms + Math::kSlice - 1) / Math::kSlice);
    finish_tile(math, shared, GemmFinish<T, T>{p, u});
  }
}

template <class T, class Math>
void run(const GemmArgs& g) {
  GemmPlan p = gemm_plan<Math>(g, Math::kSlice);
  p.a_packs = operand_packs<T>(g.a, g.a_row, g.a_col, g.a_batch);
  p.b_packs = operand_packs<T>(g.b, g.b_col, g.b_row, g.b_batch);
  run_gemm<T, T>(p, [](const GemmPlan& plan, unsigned blocks) {
    PT_LAUNCH((gemm_kernel<T, Math>), blocks, Math::kThreads, 0, plan);
  });
}

// --- integers ----------------------------------------------------------------------------------

constexpr int kTile = 64, kSlice = 16, kOwn = 4, kThreads = 256;

template <class T>
using Wrapping = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;

template <class T>
__global__ void __launch_bounds__(kThreads, sizeof(T) == 8 ? 1 : 2)
    integers_kernel(GemmArgs g, int64_t tiles_m, int64_t tiles_n) {
  using S = Wrapping<T>;
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
        S v = static_cast<S>(static_cast<int64_t>(g.alpha)) * sums[i][j];
        if (g.beta != 0) v += static_cast<S>(static_cast<int64_t>(g.beta)) * static_cast<S>(out);
        if (g.bias)
          v += static_cast<S>(static_cast<const T*>(g.bias)[m * g.bias_row + n * g.bias_col]);
        out = static_cast<T>(v);
      }
    }
  }
}

template <class T>
void gemm_of_integers(const GemmArgs& g) {
  const int64_t tiles_m = (g.m + kTile - 1) / kTile, tiles_n = (g.n + kTile - 1) / kTile;
  const int64_t units = tiles_m * tiles_n * g.batch;
  if (units == 0) return;
  PT_LAUNCH((integers_kernel<T>), static_cast<unsigned>(units < (1 << 30) ? units : 1 << 30),
            kThreads, 0, g, tiles_m, tiles_n);
}

const KernelEntry kEntries[] = {
    {"gemm",
     {nullptr, PT_INTEGER_SLOTS(gemm_of_integers), PT_HALF_SLOTS(gemm_of),
      PT_DEVICE_FN(gemm_of<float>), PT_DEVICE_FN(gemm_of<double>)}}};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace

template <class T>
void gemm_of(const GemmArgs& g) {
  if (g.m * g.n * g.batch == 0 || library_gemm(dtype_of<T>, g)) return;
  if constexpr (std::is_same_v<T, double>) {
    run<double, DoubleFfma>(g);
  } else if (sizeof(T) == 2 || g.rounding != Rounding::kNone) {
    tensor_core_gemm<T>(g);
  } else if constexpr (std::is_same_v<T, float>) {
    if (enough_large_tiles(g)) {
      run<float, LargeFfma>(g);
    } else {
      run<float, SmallFfma>(g);
    }
  }
}
template void gemm_of<Half>(const GemmArgs&);
template void gemm_of<BFloat16>(const GemmArgs&);
template void gemm_of<float>(const GemmArgs&);
template void gemm_of<double>(const GemmArgs&);

}  // namespace pt::cuda

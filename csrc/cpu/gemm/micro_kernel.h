// The innermost loop: C[rows, n] (+)= A[rows, k] B[k, n] with all sums in registers.
//
// One kernel per number of rows, layout of A and width; block.h picks from the table. A and B may
// be packed or read in place. Every element is summed over k in order with one multiply-add
// each, so that a result does not depend on which kernel or tile it falls into.
#pragma once

#include "cpu/gemm/blocks.h"

namespace pt::PT_ISA::gemm {

// Layout of A: kByRow has A(i, k) at a[i * a_stride + k], kByColumn at a[i + k * a_stride].
enum ALayout { kByRow, kByColumn };

// Memory that is wanted after this call, such as the next panel of A: lines are fetched a few at a
// time along the way, where fetching them at once would block the loads of the kernel. Each k takes
// `step` bytes; after `count` of them `jump` is added. For kernels got for it.
struct Ahead {
  const char* at = nullptr;
  int64_t step = 0, count = 0, jump = 0;
};

// B(k, j) is at b[k * b_stride + j]; `b_ahead` is where to prefetch, relative to the element read.
// n is the number of columns, up to the kernel's width. `add` adds to C.
template <class S>
struct MicroKernel {
  using Function = void(int64_t k, const S* a, int64_t a_stride, const S* b, int64_t b_stride,
                        int64_t b_ahead, S* c, int64_t c_stride, int n, bool add,
                        const Ahead& ahead);
  Function* function;
  PT_GEMM_INLINE void operator()(int64_t k, const S* a, int64_t a_stride, const S* b,
                                 int64_t b_stride, int64_t b_ahead, S* c, int64_t c_stride, int n,
                                 bool add, const Ahead& ahead = {}) const {
    function(k, a, a_stride, b, b_stride, b_ahead, c, c_stride, n, add, ahead);
  }
};

template <class S, int kM, int kW, bool kFull, ALayout kLayout, bool kFetch = false>
void micro_kernel(int64_t k, const S* __restrict a, int64_t a_stride, const S* __restrict b,
                  int64_t b_stride, [[maybe_unused]] int64_t b_ahead, S* __restrict c,
                  int64_t c_stride, int n, bool add, [[maybe_unused]] const Ahead& ahead) {
  constexpr int kL = kLanes<S>;
  // Rows of A three to a pointer, which the address modes reach; one offset a row would not fit
  // the registers. The empty asm keeps the compiler from merging the pointers again.
  constexpr int kGroup = kLayout == kByRow ? 3 : kM, kGroups = (kM + kGroup - 1) / kGroup;
  const int64_t row = kLayout == kByRow ? a_stride : 1;
  const int64_t step = kLayout == kByRow ? 1 : a_stride;
  const S* ap[kGroups];
  PT_GEMM_UNROLL for (int g = 0; g < kGroups; g++) {
    ap[g] = a + g * kGroup * row;
    asm("" : "+r"(ap[g]));
  }
  [[maybe_unused]] const int tail = n - (kW - 1) * kL;  // columns of the last vector
  Vec<S> sum[kM][kW];
  PT_GEMM_UNROLL for (int i = 0; i < kM; i++) {
    PT_GEMM_UNROLL for (int j = 0; j < kW; j++) sum[i][j] = Vec<S>{};
  }
  S* c_row = c;
  if (kFull) {
    PT_GEMM_UNROLL for (int i = 0; i < kM; i++, c_row += c_stride) {
      PT_GEMM_UNROLL for (int j = 0; j < kW; j++) __builtin_prefetch(c_row + j * kL, 1);
    }
  }
  [[maybe_unused]] const char* next = ahead.at;
  [[maybe_unused]] int64_t left = ahead.count;
  for (; k > 0; k--) {
    if constexpr (kFetch) {
      __builtin_prefetch(next, 0, 2);
      next += ahead.step;
      if (--left == 0) {
        next += ahead.jump;
        left = ahead.count;
      }
    }
    Vec<S> bv[kW];
    PT_GEMM_UNROLL for (int j = 0; j < kW; j++) {
      if (kFull) __builtin_prefetch(b + b_ahead + j * kL);
      bv[j] = kFull || j < kW - 1 ? load(b + j * kL) : load_n(b + j * kL, tail);
    }
    PT_GEMM_UNROLL for (int i = 0; i < kM; i++) {
      const Vec<S> av = broadcast<S>(ap[i / kGroup][i % kGroup * row]);
      PT_GEMM_UNROLL for (int j = 0; j < kW; j++) sum[i][j] += av * bv[j];
    }
    PT_GEMM_UNROLL for (int g = 0; g < kGroups; g++) ap[g] += step;
    b += b_stride;
  }
  c_row = c;
  asm("" : "+r"(c_row));  // so that the row addresses of above are not kept during the loop
  PT_GEMM_UNROLL for (int i = 0; i < kM; i++, c_row += c_stride) {
    PT_GEMM_UNROLL for (int j = 0; j < kW; j++) {
      S* p = c_row + j * kL;
      if (kFull || j < kW - 1) {
        store(p, add ? load(p) + sum[i][j] : sum[i][j]);
      } else {
        store_n(p, add ? load_n(p, tail) + sum[i][j] : sum[i][j], tail);
      }
    }
  }
}

// Kernels for 1..kRows rows; of widths: two whole vectors, up to two, up to one, and wide. Those of
// the first two widths that fetch memory ahead take A by rows.
template <class S>
struct KernelTable {
  static constexpr int kRows = Blocks<S>::kRows;
  typename MicroKernel<S>::Function* kernel[2][kRows + 1][4] = {};
  typename MicroKernel<S>::Function* fetching[kRows + 1][2] = {};

  // Vectors of a wide kernel, for B read in place: few rows need more sums under way.
  static constexpr int wide_vectors(int rows) { return rows == 1 ? 8 : rows == 2 ? 4 : 2; }
  constexpr KernelTable() { fill<1>(); }
  MicroKernel<S> get(ALayout layout, int rows, int n) const {
    constexpr int kL = kLanes<S>;
    return {kernel[layout][rows][n > 2 * kL ? 3 : n == 2 * kL ? 0 : n > kL ? 1 : 2]};
  }

  // For the same rows and columns, fetching `ahead` if it is given.
  MicroKernel<S> get(ALayout layout, int rows, int n, const Ahead& ahead) const {
    constexpr int kL = kLanes<S>;
    if (!ahead.at || layout != kByRow || n <= kL || n > 2 * kL) return get(layout, rows, n);
    return {fetching[rows][n == 2 * kL ? 0 : 1]};
  }

 private:
  template <int kM>
  constexpr void fill() {
    fetching[kM][0] = micro_kernel<S, kM, 2, true, kByRow, true>;
    fetching[kM][1] = micro_kernel<S, kM, 2, false, kByRow, true>;
    fill_layout<kM, kByRow>();
    fill_layout<kM, kByColumn>();
    if constexpr (kM < kRows) fill<kM + 1>();
  }
  template <int kM, ALayout kLayout>
  constexpr void fill_layout() {
    kernel[kLayout][kM][0] = micro_kernel<S, kM, 2, true, kLayout>;
    kernel[kLayout][kM][1] = micro_kernel<S, kM, 2, false, kLayout>;
    kernel[kLayout][kM][2] = micro_kernel<S, kM, 1, false, kLayout>;
    kernel[kLayout][kM][3] = micro_kernel<S, kM, wide_vectors(kM), true, kLayout>;
  }
};

// Defined in gemm_f32.cpp and gemm_f64.cpp, so that each kernel is compiled once.
template <class S>
const KernelTable<S>& kernel_table();
template <>
const KernelTable<float>& kernel_table<float>();
template <>
const KernelTable<double>& kernel_table<double>();

}  // namespace pt::PT_ISA::gemm

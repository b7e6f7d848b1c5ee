// Matrix product of the integer types, modulo 2^bits like all integer arithmetic here.
//
// A few rows of C at a time, summed over k in a strip that stays in the L1 cache; the inner loop
// over columns is left to the compiler's vectoriser.
#include "core/parallel.h"
#include "cpu/gemm/problem.h"

namespace pt::PT_ISA {
namespace {

constexpr int kRows = 4;
constexpr int64_t kFewRows = 4;  // few enough to read B along its columns
constexpr int64_t kStrip = 256;

template <class T, class U>
inline void int_finish(const gemm::Problem<T>& p, int64_t i, int64_t j, U sum, U alpha, U beta) {
  T* c = p.c + i * p.c_row + j * p.c_col;
  U v = alpha * sum;
  if (beta != 0) v += beta * static_cast<U>(*c);
  if (p.bias) v += static_cast<U>(p.bias[i * p.bias_row + j * p.bias_col]);
  const T result = static_cast<T>(v);
  *c = result;
}

// As many rows of C as kM, columns [j, j + n); B's rows have stride 1 here. Sums are unsigned
// (U) because signed overflow is undefined in C++ and wraps in tensors.
template <class T, class U, int kM>
void int_rows(const gemm::Problem<T>& p, int64_t i, const T* b, int64_t b_row, int64_t n) {
  U sum[kM][kStrip] = {};
  for (int64_t k = 0; k < p.k; k++) {
    const T* row = b + k * b_row;
    U a[kM];
    for (int r = 0; r < kM; r++) a[r] = static_cast<U>(p.a[(i + r) * p.a_row + k * p.a_col]);
    for (int64_t j = 0; j < n; j++) {
      const U x = static_cast<U>(row[j]);
      for (int r = 0; r < kM; r++) sum[r][j] += a[r] * x;
    }
  }
  const U alpha = static_cast<U>(p.alpha), beta = static_cast<U>(p.beta);
  for (int r = 0; r < kM; r++) {
    for (int64_t j = 0; j < n; j++) {
      int_finish(p, i + r, j, sum[r][j], alpha, beta);
    }
  }
}

// The same for B with columns contiguous along k: dot products.
template <class T, class U>
void int_dots(const gemm::Problem<T>& p) {
  const U alpha = static_cast<U>(p.alpha), beta = static_cast<U>(p.beta);
  for (int64_t i = 0; i < p.m; i++) {
    const T* a = p.a + i * p.a_row;
    for (int64_t j = 0; j < p.n; j++) {
      const T* b = p.b + j * p.b_col;
      U sum = 0;
      for (int64_t k = 0; k < p.k; k++) sum += static_cast<U>(a[k]) * static_cast<U>(b[k]);
      int_finish(p, i, j, sum, alpha, beta);
    }
  }
}

// U is unsigned and at least as wide as unsigned int, so that products do not overflow an int.
template <class T, class U>
void gemm_int(const GemmArgs& args) {
  if (args.m <= 0 || args.n <= 0 || args.batch <= 0) return;
  using gemm::min_of;
  gemm::Problem<T> whole(args);
  int64_t a_batch = args.a_batch, b_batch = args.b_batch;
  if (whole.n < whole.m && whole.n <= kFewRows) {
    whole = whole.transposed();
    a_batch = args.b_batch, b_batch = args.a_batch;
  }
  const bool dots = whole.m <= kFewRows && whole.a_col == 1 && whole.b_row == 1;
  const int64_t row_tiles = (whole.m + 31) / 32, strips = (whole.n + kStrip - 1) / kStrip;
  const int64_t tiles = row_tiles * strips;
  const int64_t tile_work = 32 * min_of(kStrip, whole.n) * (whole.k + 1);
  parallel_for(0, args.batch * tiles, 1 + 300'000 / tile_work, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; task++) {
      const int64_t q = task / tiles, i0 = task % tiles / strips * 32;
      const int64_t j0 = task % strips * kStrip, n = min_of(kStrip, whole.n - j0);
      gemm::Problem<T> p = whole.tile(i0, min_of<int64_t>(32, whole.m - i0), j0, n);
      p.a += q * a_batch;
      p.b += q * b_batch;
      p.c += q * args.c_batch;
      if (dots) {
        int_dots<T, U>(p);
        continue;
      }
      const T* b = p.b;
      int64_t b_row = p.b_row;
      if (p.b_col != 1) {
        T* packed = gemm::scratch_b.get<T>(p.k * n);
        for (int64_t k = 0; k < p.k; k++) {
          for (int64_t j = 0; j < n; j++) packed[k * n + j] = p.b[k * p.b_row + j * p.b_col];
        }
        b = packed;
        b_row = n;
      }
      int64_t i = 0;
      for (; i + kRows <= p.m; i += kRows) int_rows<T, U, kRows>(p, i, b, b_row, n);
      for (; i < p.m; i++) int_rows<T, U, 1>(p, i, b, b_row, n);
    }
  });
}

}  // namespace

void gemm_u8(const GemmArgs& args) { gemm_int<uint8_t, uint32_t>(args); }
void gemm_i8(const GemmArgs& args) { gemm_int<int8_t, uint32_t>(args); }
void gemm_i16(const GemmArgs& args) { gemm_int<int16_t, uint32_t>(args); }
void gemm_i32(const GemmArgs& args) { gemm_int<int32_t, uint32_t>(args); }
void gemm_i64(const GemmArgs& args) { gemm_int<int64_t, uint64_t>(args); }

}  // namespace pt::PT_ISA

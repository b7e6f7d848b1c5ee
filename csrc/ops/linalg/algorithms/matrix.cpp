// Fetches the per-ISA primitives and routes products: tiny ones inline, the rest to "gemm".
#include "ops/linalg/algorithms/matrix.h"

#include "cpu/gemm_args.h"
#include "cpu/kernel_table.h"

namespace pt::linalg {

template <class T>
const LinalgPrimitives<T>& primitives() {
  static const auto* table = static_cast<const LinalgPrimitives<T>*>(
      Kernel<LinalgPrimitivesFn>("linalg_primitives").get(dtype_of<T>)());
  return *table;
}

namespace {
Kernel<GemmFn> gemm_kernel{"gemm"};
}

template <class T>
void product(int64_t m, int64_t n, int64_t k, T alpha, const T* a, int64_t a_row, int64_t a_col,
             const T* b, int64_t b_row, int64_t b_col, T beta, T* c, int64_t c_row) {
  if (m <= 0 || n <= 0) return;
  constexpr int64_t kTiny = 8;  // below this the packing of a GEMM costs more than the product
  if (m <= kTiny && n <= kTiny && k <= kTiny) {
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        T sum = 0;
        for (int64_t p = 0; p < k; ++p) sum += a[i * a_row + p * a_col] * b[p * b_row + j * b_col];
        T& out = c[i * c_row + j];
        out = beta == 0 ? alpha * sum : beta * out + alpha * sum;
      }
    }
    return;
  }
  GemmArgs args;
  args.m = m, args.n = n, args.k = k;
  args.a = a, args.a_row = a_row, args.a_col = a_col;
  args.b = b, args.b_row = b_row, args.b_col = b_col;
  args.c = c, args.c_row = c_row, args.c_col = 1;
  args.alpha = alpha, args.beta = beta;
  gemm_kernel.get(dtype_of<T>)(args);
}

#define PT_INSTANTIATE(T)                                                                      \
  template const LinalgPrimitives<T>& primitives<T>();                                         \
  template void product<T>(int64_t, int64_t, int64_t, T, const T*, int64_t, int64_t, const T*, \
                           int64_t, int64_t, T, T*, int64_t);
PT_INSTANTIATE(float)
PT_INSTANTIATE(double)
#undef PT_INSTANTIATE

}  // namespace pt::linalg

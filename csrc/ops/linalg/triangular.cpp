// Cholesky, triangular systems and what follows from them, and the matrix exponential, with their
// gradients.
#include "ops/linalg/batch.h"
#include "ops/linalg/device.h"
#include "ops/matmul/matmul.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/shape/shape.h"

namespace pt {

using namespace linalg_ops;  // NOLINT: the family's own helpers

namespace {

// The factor, and the info of each matrix.
std::tuple<Tensor, Tensor> factor_cholesky(const Tensor& self, bool upper) {
  check_square("linalg.cholesky", self, "A");
  Tensor out = contiguous_copy(upper ? transposed(self) : self), info;
  if (call_on_device) {
    info = device::cholesky(out);
  } else {
    info = empty_tensor(Dims{batch_size(self)}, DType::kInt32);
    visit_real(self.dtype(), [&](auto t) {
      using T = decltype(t);
      for (int64_t i = 0; i < batch_size(self); ++i)
        info.data<int32_t>()[i] = static_cast<int32_t>(linalg::cholesky<T>(matrix_at<T>(out, i)));
    });
  }
  return {upper ? contiguous_copy(transposed(out)) : out, reshape(info, batch_of(self))};
}

void check_positive(const char* op, const Tensor& a, const Tensor& info) {
  check_info(info, [&](int64_t i, int32_t minor) {
    PT_CHECK_KIND(ErrorKind::kLinAlg, minor == 0, op, ": ", batch_text(a, i),
                  "The factorization could not be completed because the input is not "
                  "positive-definite (the leading minor of order ",
                  minor, " is not positive-definite).");
  });
}

// Murray, "Differentiation of the Cholesky decomposition", 2016.
void cholesky_backward(BackwardCall& g, bool upper) {
  const Tensor l = upper ? transposed(g.result(0)) : g.result(0);
  const Tensor gl = upper ? transposed(g.grad(0)) : g.grad(0);
  const Tensor p = tril(matmul(transposed(l), gl));
  const Tensor half = (p + transposed(tril(p, -1))) * 0.5;
  const Tensor left = linalg_solve_triangular(transposed(l), half, true);
  g[0] = linalg_solve_triangular(l, left, false, false);
}

}  // namespace

PT_OP(linalg_cholesky)
    .impl([](const Tensor& self, bool upper) {
      const auto [out, info] = factor_cholesky(self, upper);
      check_positive("linalg.cholesky", self, info);
      return out;
    })
    .on_device()
    .saves("result")
    .backward([](BackwardCall& g, const Tensor&, bool upper) { cholesky_backward(g, upper); })
    .function_only()
    .doc("The Cholesky factor L of a symmetric positive definite matrix, A = L L^T.")
    .sample("S(4)")
    .sample("S(3), upper=True")
    .test("rowmajor tol=1e-3 nograd");

PT_OP(linalg_cholesky_ex)
    .impl([](const Tensor& self, bool upper, bool check_errors) {
      const auto [out, info] = factor_cholesky(self, upper);
      if (check_errors) check_positive("linalg.cholesky_ex", self, info);
      return std::make_tuple(nan_where_failed(out, info), info);
    })
    .on_device()
    .saves("result")
    .nondifferentiable_output(1)
    .backward([](BackwardCall& g, const Tensor&, bool upper, bool) { cholesky_backward(g, upper); })
    .internal()
    .sample("S(4)")
    .sample("S(3), upper=True")
    .test("rowmajor tol=1e-3 nograd");

PT_OP(cholesky)
    .composite([](const Tensor& self, bool upper) { return linalg_cholesky(self, upper); })
    .doc("The Cholesky factor of a symmetric positive definite matrix.")
    .sample("S(4)")
    .test("rowmajor tol=1e-3 nograd");

PT_OP(linalg_solve_triangular)
    .impl([](const Tensor& self, const Tensor& B, bool upper, bool left, bool unit) {
      check_square("linalg.solve_triangular", self, "A");
      check_matrix("linalg.solve_triangular", B, "B");
      check_same_dtype("linalg.solve_triangular", self, B);
      PT_CHECK((left ? rows_of(B) : columns_of(B)) == rows_of(self),
               "linalg.solve_triangular: Incompatible shapes of A and B for the equation ",
               left ? "AX = B" : "XA = B", " (", rows_of(self), "x", columns_of(self), " and ",
               rows_of(B), "x", columns_of(B), ")");
      const Dims batch = broadcast_shapes(batch_of(self), batch_of(B));
      const Tensor a = as_contiguous(expand_batch(self, batch));
      const Tensor x = contiguous_copy(expand_batch(B, batch));
      if (call_on_device) {
        device::solve_triangular(a, {upper, unit}, left, x);
        return x;
      }
      const linalg::Triangle shape{upper, false, unit};
      visit_real(self.dtype(), [&](auto t) {
        using T = decltype(t);
        for (int64_t i = 0; i < batch_size(x); ++i) {
          if (left) {
            linalg::solve_triangular_left<T>(matrix_at<T>(a, i), shape, matrix_at<T>(x, i));
          } else {
            linalg::solve_triangular_right<T>(matrix_at<T>(a, i), shape, matrix_at<T>(x, i));
          }
        }
      });
      return x;
    })
    .on_device()
    .saves("self, result")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor&, bool upper, bool left,
                 bool unit) {
      const Tensor gb = linalg_solve_triangular(transposed(self), g.grad(), !upper, left, unit);
      if (g.needs(1)) g[1] = gb;
      if (!g.needs(0)) return;
      const Tensor x = transposed(g.result());
      const Tensor full = neg(left ? matmul(gb, x) : matmul(x, gb));
      const int64_t k = unit ? 1 : 0;
      g[0] = upper ? triu(full, k) : tril(full, -k);
    })
    .function_only()
    .doc("The solution of a triangular system; the other triangle of A is not read.")
    .sample("S(4), R(4, 2), upper=True")
    .sample("S(4), R(2, 4), upper=False, left=False")
    .test("rowmajor tol=1e-3");

PT_OP(cholesky_solve)
    .composite([](const Tensor& self, const Tensor& input2, bool upper) {
      const Tensor l = upper ? transposed(input2) : input2;
      const Tensor y = linalg_solve_triangular(l, self, false);
      return linalg_solve_triangular(transposed(l), y, true);
    })
    .doc("The solution of A X = self given A's Cholesky factor.")
    .sample("R(4, 2), torch.linalg.cholesky(S(4))")
    .test("rowmajor tol=1e-3 nograd");

PT_OP(cholesky_inverse)
    .composite([](const Tensor& self, bool upper) {
      const Tensor l = upper ? transposed(self) : self;
      const Tensor inverse_l = linalg_inv(tril(l));
      return matmul(transposed(inverse_l), inverse_l);
    })
    .doc("The inverse of A given its Cholesky factor.")
    .sample("torch.linalg.cholesky(S(4))")
    .test("rowmajor tol=1e-3 nograd");

PT_OP(linalg_matrix_exp)
    .impl([](const Tensor& self) {
      if (is_half(self.dtype()))
        return cast_to(linalg_matrix_exp(cast_to(self, DType::kFloat32)), self.dtype());
      check_square("linalg.matrix_exp", self, "A");
      const Tensor a = as_contiguous(self);
      Tensor out = empty_tensor(self.sizes(), self.dtype());
      visit_real(self.dtype(), [&](auto t) {
        using T = decltype(t);
        for (int64_t i = 0; i < batch_size(self); ++i)
          linalg::matrix_exp<T>(matrix_at<T>(a, i), matrix_at<T>(out, i));
      });
      return out;
    })
    .through_host()
    .saves("self")
    .backward([](BackwardCall& g, const Tensor& self) {
      // The upper right block of exp([[A^T, G], [0, A^T]]) is the adjoint of the derivative.
      const Tensor h = transposed(self);
      const Tensor zeros = self * 0.0;
      const Tensor top[] = {h, g.grad()}, bottom[] = {zeros, h};
      const Tensor halves[] = {cat(TensorList(top), -1), cat(TensorList(bottom), -1)};
      const Tensor e = linalg_matrix_exp(cat(TensorList(halves), -2));
      const int64_t n = rows_of(self);
      g[0] = narrow(narrow(e, -2, 0, n), -1, n, n);
    })
    .function_only()
    .doc("The matrix exponential.")
    .sample("R(3, 3)")
    .test("rowmajor tol=1e-3");

PT_OP(matrix_exp)
    .composite([](const Tensor& self) { return linalg_matrix_exp(self); })
    .doc("The matrix exponential.")
    .sample("R(3, 3)")
    .test("rowmajor tol=1e-3");

}  // namespace pt

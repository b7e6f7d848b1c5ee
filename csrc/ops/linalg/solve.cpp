// Inverse, determinant, linear systems and factorisations by elimination, with their gradients.
#include "ops/linalg/batch.h"
#include "ops/matmul/matmul.h"
#include "ops/memory/memory.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/unary.h"
#include "ops/reduce/sum.h"
#include "ops/shape/shape.h"

namespace pt {

using namespace linalg_ops;  // NOLINT: the family's own helpers

namespace {

struct Factors {
  Tensor lu;      // contiguous
  Tensor pivots;  // int32
  std::vector<int64_t> info;
};

Factors factor(const Tensor& a) {
  Factors f;
  f.lu = contiguous_copy(a);
  const int64_t k = std::min(rows_of(a), columns_of(a)), n = batch_size(a);
  f.pivots = empty_tensor(with(batch_of(a), {k}), DType::kInt32);
  f.info.resize(static_cast<size_t>(n));
  visit_real(a.dtype(), [&](auto t) {
    using T = decltype(t);
    for (int64_t i = 0; i < n; ++i)
      f.info[static_cast<size_t>(i)] =
          linalg::lu_factor(matrix_at<T>(f.lu, i), f.pivots.data<int32_t>() + i * k);
  });
  return f;
}

void check_invertible(const char* op, const Tensor& a, const Factors& f, const char* what) {
  for (size_t i = 0; i < f.info.size(); ++i)
    PT_CHECK_KIND(ErrorKind::kLinAlg, f.info[i] == 0, op, ": ",
                  batch_text(a, static_cast<int64_t>(i)), "The diagonal element ", f.info[i],
                  " is zero, the ", what,
                  " could not be completed because the input matrix is "
                  "singular.");
}

// A vector right-hand side: one dimension less, or batch-shaped as PyTorch allows.
bool is_vector(const Tensor& a, const Tensor& b) {
  return b.dim() == 1 ||
         (a.dim() - 1 == b.dim() &&
          same(b.sizes(), IntList(a.sizes()).first(static_cast<size_t>(a.dim() - 1))));
}

Tensor expand_batch(const Tensor& x, const Dims& batch) {
  return expand(x, IntList(with(batch, {rows_of(x), columns_of(x)})));
}

}  // namespace

PT_OP(linalg_inv)
    .impl([](const Tensor& A) {
      check_square("linalg.inv", A, "A");
      const Factors f = factor(A);
      check_invertible("linalg.inv", A, f, "inversion");
      Tensor out = empty_tensor(A.sizes(), A.dtype());
      visit_real(A.dtype(), [&](auto t) {
        using T = decltype(t);
        const int64_t k = rows_of(A);
        for (int64_t i = 0; i < batch_size(A); ++i)
          linalg::lu_inverse<T>(matrix_at<T>(f.lu, i), f.pivots.data<int32_t>() + i * k,
                                matrix_at<T>(out, i));
      });
      return out;
    })
    .through_host()
    .saves("result")
    .backward([](BackwardCall& g, const Tensor&) {
      const Tensor h = transposed(g.result());
      g[0] = neg(matmul(h, matmul(g.grad(), h)));
    })
    .function_only()
    .doc(
        "The inverse of a square matrix.\n\n"
        "Raises:\n    LinAlgError: when the matrix is singular.")
    .sample("S(4)")
    .test("rowmajor tol=1e-3");

PT_OP(inverse)
    .composite([](const Tensor& self) { return linalg_inv(self); })
    .doc("The inverse of a square matrix.")
    .sample("S(3)")
    .test("rowmajor tol=1e-3");

PT_OP(linalg_det)
    .impl([](const Tensor& A) {
      check_square("linalg.det", A, "A");
      const Factors f = factor(A);
      Tensor out = empty_tensor(batch_of(A), A.dtype());
      visit_real(A.dtype(), [&](auto t) {
        using T = decltype(t);
        const int64_t k = rows_of(A);
        for (int64_t i = 0; i < batch_size(A); ++i)
          out.data<T>()[i] =
              linalg::lu_det<T>(matrix_at<T>(f.lu, i), f.pivots.data<int32_t>() + i * k);
      });
      return out;
    })
    .through_host()
    .saves("A, result")
    .backward([](BackwardCall& g, const Tensor& A) {
      const Tensor factor = unsqueeze(unsqueeze(g.grad() * g.result(), -1), -1);
      g[0] = factor * transposed(linalg_inv(A));
    })
    .function_only()
    .doc("The determinant of a square matrix.")
    .sample("S(3)")
    .test("rowmajor tol=1e-3");

PT_OP(det)
    .composite([](const Tensor& self) { return linalg_det(self); })
    .doc("The determinant of a square matrix.")
    .sample("S(3)")
    .test("rowmajor tol=1e-3");

PT_OP(linalg_slogdet)
    .impl([](const Tensor& A) {
      check_square("linalg.slogdet", A, "A");
      const Factors f = factor(A);
      Tensor sign = empty_tensor(batch_of(A), A.dtype()),
             log = empty_tensor(batch_of(A), A.dtype());
      visit_real(A.dtype(), [&](auto t) {
        using T = decltype(t);
        const int64_t k = rows_of(A);
        for (int64_t i = 0; i < batch_size(A); ++i)
          linalg::lu_slogdet<T>(matrix_at<T>(f.lu, i), f.pivots.data<int32_t>() + i * k,
                                sign.data<T>() + i, log.data<T>() + i);
      });
      return std::make_tuple(sign, log);
    })
    .through_host()
    .saves("A")
    .backward([](BackwardCall& g, const Tensor& A) {
      if (!g.grad(1).defined()) return;
      g[0] = unsqueeze(unsqueeze(g.grad(1), -1), -1) * transposed(linalg_inv(A));
    })
    .function_only()
    .doc("The sign and the logarithm of the absolute value of the determinant.")
    .sample("S(3)")
    .test("rowmajor tol=1e-3");

PT_OP(slogdet)
    .composite([](const Tensor& self) { return linalg_slogdet(self); })
    .doc("The sign and the logarithm of the absolute value of the determinant.")
    .sample("S(3)")
    .test("rowmajor tol=1e-3");

PT_OP(logdet)
    .composite([](const Tensor& self) { return log(linalg_det(self)); })
    .doc("The logarithm of the determinant; NaN when it is negative.")
    .sample("S(3)")
    .test("rowmajor tol=1e-3");

PT_OP(linalg_lu_factor)
    .impl([](const Tensor& A, bool pivot) {
      check_matrix("linalg.lu_factor", A, "A");
      PT_CHECK(pivot,
               "linalg.linalg::lu_factor: LU without pivoting is not implemented on the CPU");
      const Factors f = factor(A);
      return std::make_tuple(f.lu, f.pivots);
    })
    .through_host()
    .nondifferentiable_output(1)
    .function_only()
    .doc("The packed LU factors of a matrix and LAPACK's pivots.")
    .sample("S(4)")
    .test("nograd tol=1e-3");

namespace {
Tensor solve_matrices(const Tensor& a, const Tensor& b) {
  const Dims batch = broadcast_shapes(batch_of(a), batch_of(b));
  const Tensor left = expand_batch(a, batch);
  const Factors f = factor(left);
  check_invertible("linalg.solve", a, f, "solve");
  const Tensor x = contiguous_copy(expand_batch(b, batch));
  visit_real(a.dtype(), [&](auto t) {
    using T = decltype(t);
    const int64_t k = rows_of(a);
    for (int64_t i = 0; i < batch_size(x); ++i)
      linalg::lu_solve<T>(matrix_at<T>(f.lu, i), f.pivots.data<int32_t>() + i * k, false,
                          matrix_at<T>(x, i));
  });
  return x;
}
}  // namespace

PT_OP(linalg_solve)
    .impl([](const Tensor& A, const Tensor& B, bool left) {
      check_square("linalg.solve", A, "A");
      check_same_dtype("linalg.solve", A, B);
      PT_CHECK(B.dim() >= 1, "linalg.solve: B must have at least 1 dimension");
      const bool vector = is_vector(A, B);
      PT_CHECK(left || !vector,
               "linalg.solve: Vector broadcasting of the left hand side is not "
               "supported for left=False");
      const Tensor b = vector ? unsqueeze(B, -1) : B;
      PT_CHECK((left ? rows_of(b) : columns_of(b)) == rows_of(A),
               "linalg.solve: Incompatible shapes of A and B for the equation ",
               left ? "AX = B" : "XA = B", " (", rows_of(A), "x", columns_of(A), " and ",
               rows_of(b), "x", columns_of(b), ")");
      if (!left) return contiguous_copy(transposed(solve_matrices(transposed(A), transposed(b))));
      const Tensor x = solve_matrices(A, b);
      return vector ? squeeze_dim(x, -1) : x;
    })
    .through_host()
    .saves("A, result, shape:B")
    .backward([](BackwardCall& g, const Tensor& A, const Tensor& B, bool left) {
      const bool vector = is_vector(A, B);
      const Tensor gb = linalg_solve(transposed(A), g.grad(), left);
      if (g.needs(1)) g[1] = gb;
      if (!g.needs(0)) return;
      const Tensor column = vector ? unsqueeze(gb, -1) : gb;
      const Tensor x = vector ? unsqueeze(g.result(), -1) : g.result();
      g[0] = neg(left ? matmul(column, transposed(x)) : matmul(transposed(x), column));
    })
    .function_only()
    .doc("The solution X of A X = B (or X A = B) for a square A.")
    .sample("S(4), R(4, 2)")
    .sample("S(4), R(4)")
    .sample("S(4), R(2, 4), left=False")
    .test("rowmajor tol=1e-3");

PT_OP(linalg_cholesky)
    .impl([](const Tensor& self, bool upper) {
      check_square("linalg.cholesky", self, "A");
      const Tensor out = contiguous_copy(upper ? transposed(self) : self);
      visit_real(self.dtype(), [&](auto t) {
        using T = decltype(t);
        for (int64_t i = 0; i < batch_size(self); ++i) {
          const int64_t info = linalg::cholesky<T>(matrix_at<T>(out, i));
          PT_CHECK_KIND(ErrorKind::kLinAlg, info == 0, "linalg.cholesky: ", batch_text(self, i),
                        "The factorization could not be completed because the input is not "
                        "positive-definite (the leading minor of order ",
                        info, " is not positive-definite).");
        }
      });
      return upper ? contiguous_copy(transposed(out)) : out;
    })
    .through_host()
    .saves("result")
    .backward([](BackwardCall& g, const Tensor&, bool upper) {
      // Murray, "Differentiation of the Cholesky decomposition", 2016.
      const Tensor l = upper ? transposed(g.result()) : g.result();
      const Tensor gl = upper ? transposed(g.grad()) : g.grad();
      const Tensor p = tril(matmul(transposed(l), gl));
      const Tensor half = (p + transposed(tril(p, -1))) * 0.5;
      const Tensor left = linalg_solve_triangular(transposed(l), half, true);
      g[0] = linalg_solve_triangular(l, left, false, false);
    })
    .function_only()
    .doc("The Cholesky factor L of a symmetric positive definite matrix, A = L L^T.")
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
    .through_host()
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

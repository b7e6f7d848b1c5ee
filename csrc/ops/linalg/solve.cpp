// Inverse, determinant, linear systems and factorisations by elimination, with their gradients.
#include "ops/linalg/batch.h"
#include "ops/linalg/device.h"
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
  Tensor lu;            // contiguous
  Tensor pivots, info;  // int32; an info for each matrix
};

Factors factor(const Tensor& a) {
  Factors f;
  f.lu = contiguous_copy(a);
  const int64_t k = std::min(rows_of(a), columns_of(a)), n = batch_size(a);
  f.pivots = empty_tensor(with(batch_of(a), {k}), DType::kInt32);
  if (call_on_device) {
    f.info = reshape(device::lu_factor(f.lu, f.pivots), batch_of(a));
    return f;
  }
  f.info = empty_tensor(batch_of(a), DType::kInt32);
  visit_real(a.dtype(), [&](auto t) {
    using T = decltype(t);
    for (int64_t i = 0; i < n; ++i)
      f.info.data<int32_t>()[i] = static_cast<int32_t>(
          linalg::lu_factor(matrix_at<T>(f.lu, i), f.pivots.data<int32_t>() + i * k));
  });
  return f;
}

// X = A^-1 X from the factors of A.
void solve_in_place(const Tensor& lu, const Tensor& pivots, const Tensor& x) {
  if (call_on_device) return device::lu_solve(lu, pivots, x);
  visit_real(x.dtype(), [&](auto t) {
    using T = decltype(t);
    const int64_t k = rows_of(x);
    for (int64_t i = 0; i < batch_size(x); ++i)
      linalg::lu_solve<T>(matrix_at<T>(lu, i), pivots.data<int32_t>() + i * k, false,
                          matrix_at<T>(x, i));
  });
}

// The inverse, and the info of each matrix.
std::tuple<Tensor, Tensor> inverse_of(const Tensor& A) {
  check_square("linalg.inv", A, "A");
  const Factors f = factor(A);
  const Tensor x = zeros_tensor(A.sizes(), A.dtype());
  fill_with(diagonal(x, 0, -2, -1), 1.0);
  solve_in_place(f.lu, f.pivots, x);
  return {x, f.info};
}

void check_inverse(const char* op, const Tensor& a, const Tensor& info) {
  check_info(info, [&](int64_t i, int32_t row) {
    PT_CHECK_KIND(ErrorKind::kLinAlg, row == 0, op, ": ", batch_text(a, i), "The diagonal element ",
                  row,
                  " is zero, the inversion could not be completed because the input matrix is "
                  "singular.");
  });
}

void inverse_backward(BackwardCall& g) {
  const Tensor h = transposed(g.result(0));
  g[0] = neg(matmul(h, matmul(g.grad(0), h)));
}

// A vector right-hand side: one dimension less, or batch-shaped as PyTorch allows.
bool is_vector(const Tensor& a, const Tensor& b) {
  return b.dim() == 1 ||
         (a.dim() - 1 == b.dim() &&
          same(b.sizes(), IntList(a.sizes()).first(static_cast<size_t>(a.dim() - 1))));
}

}  // namespace

PT_OP(linalg_inv)
    .impl([](const Tensor& A) {
      const auto [out, info] = inverse_of(A);
      check_inverse("linalg.inv", A, info);
      return out;
    })
    .on_device()
    .saves("result")
    .backward([](BackwardCall& g, const Tensor&) { inverse_backward(g); })
    .function_only()
    .doc(
        "The inverse of a square matrix.\n\n"
        "Raises:\n    LinAlgError: when the matrix is singular.")
    .sample("S(4)")
    .test("rowmajor tol=1e-3");

PT_OP(linalg_inv_ex)
    .impl([](const Tensor& A, bool check_errors) {
      const auto [out, info] = inverse_of(A);
      if (check_errors) check_inverse("linalg.inv_ex", A, info);
      return std::make_tuple(nan_where_failed(out, info), info);
    })
    .on_device()
    .saves("result")
    .nondifferentiable_output(1)
    .backward([](BackwardCall& g, const Tensor&, bool) { inverse_backward(g); })
    .internal()
    .sample("S(4)")
    .sample("S(3).expand(2, 3, 3)")
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
      if (call_on_device) {
        device::lu_det(f.lu, f.pivots, out);
        return out;
      }
      visit_real(A.dtype(), [&](auto t) {
        using T = decltype(t);
        const int64_t k = rows_of(A);
        for (int64_t i = 0; i < batch_size(A); ++i)
          out.data<T>()[i] =
              linalg::lu_det<T>(matrix_at<T>(f.lu, i), f.pivots.data<int32_t>() + i * k);
      });
      return out;
    })
    .on_device()
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
      if (call_on_device) {
        device::lu_slogdet(f.lu, f.pivots, sign, log);
        return std::make_tuple(sign, log);
      }
      visit_real(A.dtype(), [&](auto t) {
        using T = decltype(t);
        const int64_t k = rows_of(A);
        for (int64_t i = 0; i < batch_size(A); ++i)
          linalg::lu_slogdet<T>(matrix_at<T>(f.lu, i), f.pivots.data<int32_t>() + i * k,
                                sign.data<T>() + i, log.data<T>() + i);
      });
      return std::make_tuple(sign, log);
    })
    .on_device()
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

namespace {

Factors factor_matrix(const Tensor& A, bool pivot) {
  check_matrix("linalg.lu_factor", A, "A");
  PT_CHECK(pivot, "linalg.lu_factor: LU without pivoting is not implemented on the CPU");
  return factor(A);
}

void check_upper(const char* op, const Tensor& a, const Tensor& info) {
  check_info(info, [&](int64_t i, int32_t row) {
    PT_CHECK(row == 0, op, ": ", batch_text(a, i), "U[", row, ",", row,
             "] is zero and using it on lu_solve would result in a division by zero. If you still "
             "want to perform the factorization, consider calling linalg.lu(A, pivot) or "
             "linalg.lu_factor_ex(A, pivot)");
  });
}

}  // namespace

PT_OP(linalg_lu_factor)
    .impl([](const Tensor& A, bool pivot) {
      const Factors f = factor_matrix(A, pivot);
      check_upper("torch.linalg.lu_factor", A, f.info);
      return std::make_tuple(f.lu, f.pivots);
    })
    .on_device()
    .nondifferentiable_output(1)
    .function_only()
    .doc(
        "The packed LU factors of a matrix and LAPACK's pivots.\n\n"
        "Raises:\n    RuntimeError: when the diagonal of U has a zero.")
    .sample("S(4)")
    .test("nograd tol=1e-3");

PT_OP(linalg_lu_factor_ex)
    .impl([](const Tensor& A, bool pivot, bool check_errors) {
      const Factors f = factor_matrix(A, pivot);
      if (check_errors) check_upper("torch.linalg.lu_factor_ex", A, f.info);
      return std::make_tuple(f.lu, f.pivots, f.info);
    })
    .on_device()
    .nondifferentiable_output(1)
    .nondifferentiable_output(2)
    .function_only()
    .doc(
        "The packed LU factors of a matrix, LAPACK's pivots, and for each matrix 0 or the first "
        "row of U whose diagonal is zero.\n\n"
        "Raises:\n    RuntimeError: for such a row when check_errors is set.")
    .sample("S(4)")
    .sample("torch.ones(2, 3, 3)")
    .test("nograd tol=1e-3");

namespace {

// X of A X = B, with the vectors of B as columns, and the info of each A.
std::tuple<Tensor, Tensor> solve_matrices(const Tensor& a, const Tensor& b) {
  const Dims batch = broadcast_shapes(batch_of(a), batch_of(b));
  const Factors f = factor(a);
  const Tensor lu = as_contiguous(expand_batch(f.lu, batch));
  const Tensor pivots =
      as_contiguous(expand(f.pivots, IntList(with(batch, {f.pivots.sizes().back()}))));
  const Tensor x = contiguous_copy(expand_batch(b, batch));
  solve_in_place(lu, pivots, x);
  return {x, f.info};
}

// The solution, of linalg_solve or with NaN for singular matrices, and the info of each A.
std::tuple<Tensor, Tensor> solve_system(const Tensor& A, const Tensor& B, bool left, bool nan) {
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
           left ? "AX = B" : "XA = B", " (", rows_of(A), "x", columns_of(A), " and ", rows_of(b),
           "x", columns_of(b), ")");
  auto [x, info] = left ? solve_matrices(A, b) : solve_matrices(transposed(A), transposed(b));
  if (nan) x = nan_where_failed(x, info);
  if (!left) x = contiguous_copy(transposed(x));
  return {vector ? squeeze_dim(x, -1) : x, info};
}

void check_solved(const char* op, const Tensor& a, const Tensor& info) {
  check_info(info, [&](int64_t i, int32_t row) {
    PT_CHECK_KIND(ErrorKind::kLinAlg, row == 0, op, ": ", batch_text(a, i),
                  "The solver failed because the input matrix is singular.");
  });
}

void solve_backward(BackwardCall& g, const Tensor& A, const Tensor& B, bool left) {
  const bool vector = is_vector(A, B);
  const Tensor gb = linalg_solve(transposed(A), g.grad(0), left);
  if (g.needs(1)) g[1] = gb;
  if (!g.needs(0)) return;
  const Tensor column = vector ? unsqueeze(gb, -1) : gb;
  const Tensor x = vector ? unsqueeze(g.result(0), -1) : g.result(0);
  g[0] = neg(left ? matmul(column, transposed(x)) : matmul(transposed(x), column));
}

}  // namespace

PT_OP(linalg_solve)
    .impl([](const Tensor& A, const Tensor& B, bool left) {
      const auto [x, info] = solve_system(A, B, left, false);
      check_solved("torch.linalg.solve", A, info);
      return x;
    })
    .on_device()
    .saves("A, result, shape:B")
    .backward([](BackwardCall& g, const Tensor& A, const Tensor& B, bool left) {
      solve_backward(g, A, B, left);
    })
    .function_only()
    .doc("The solution X of A X = B (or X A = B) for a square A.")
    .sample("S(4), R(4, 2)")
    .sample("S(4), R(4)")
    .sample("S(4), R(2, 4), left=False")
    .test("rowmajor tol=1e-3");

// The gradient of a singular matrix is an error, as that of linalg_solve is.
PT_OP(linalg_solve_ex)
    .impl([](const Tensor& A, const Tensor& B, bool left, bool check_errors) {
      const auto [x, info] = solve_system(A, B, left, true);
      if (check_errors) check_solved("torch.linalg.solve_ex", A, info);
      return std::make_tuple(x, info);
    })
    .on_device()
    .saves("A, result, shape:B")
    .nondifferentiable_output(1)
    .backward([](BackwardCall& g, const Tensor& A, const Tensor& B, bool left, bool) {
      solve_backward(g, A, B, left);
    })
    .internal()
    .sample("S(4), R(4, 2)")
    .sample("S(4), R(3, 2, 4), left=False")
    .test("rowmajor tol=1e-3");

}  // namespace pt

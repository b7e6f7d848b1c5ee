// QR, symmetric eigenvalues, SVD and least squares, with their gradients.
#include "ops/linalg/batch.h"
#include "ops/matmul/matmul.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/compare.h"
#include "ops/reduce/sum.h"
#include "ops/shape/shape.h"

namespace pt {

using namespace linalg_ops;  // NOLINT: the family's own helpers

PT_OP(linalg_qr)
    .impl([](const Tensor& A, std::string_view mode) {
      check_matrix("linalg.qr", A, "A");
      PT_CHECK(mode == "reduced" || mode == "complete" || mode == "r",
               "qr received unrecognized mode '", mode,
               "' but expected one of 'reduced' (default), 'r', or 'complete'");
      const int64_t m = rows_of(A), n = columns_of(A), k = std::min(m, n);
      const int64_t columns = mode == "complete" ? m : k;
      const Tensor work = contiguous_copy(A);
      Tensor q = mode == "r" ? empty_tensor(Dims{0}, A.dtype())
                             : empty_tensor(with(batch_of(A), {m, columns}), A.dtype());
      Tensor r = zeros_tensor(with(batch_of(A), {columns, n}), A.dtype());
      visit_real(A.dtype(), [&](auto t) {
        using T = decltype(t);
        Scratch<T> tau(k);
        for (int64_t i = 0; i < batch_size(A); ++i) {
          const Matrix<T> a = matrix_at<T>(work, i), upper = matrix_at<T>(r, i);
          linalg::qr_factor<T>(a, tau.get());
          for (int64_t row = 0; row < std::min(columns, m); ++row)
            for (int64_t c = row; c < n; ++c) upper(row, c) = a(row, c);
          if (mode != "r") linalg::qr_form_q<T>(a, tau.get(), k, matrix_at<T>(q, i));
        }
      });
      return std::make_tuple(q, r);
    })
    .through_host()
    .saves("result, result1")
    .backward([](BackwardCall& g, const Tensor& A, std::string_view mode) {
      (void)A;
      PT_CHECK(mode != "r",
               "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. "
               "Please use linalg.qr(A, mode='reduced') if you are going to require gradients "
               "through the R factor.");
      const Tensor &q = g.result(0), &r = g.result(1);
      const int64_t m = rows_of(q), k = rows_of(r), n = columns_of(r);
      PT_CHECK(mode == "reduced" || m <= n,
               "The QR decomposition is not differentiable when mode='complete' and nrows > ncols");
      PT_CHECK(k == n, "linalg.qr: the gradient is implemented for matrices with nrows >= ncols");
      // Walter and Lehmann, "Algorithmic Differentiation of Linear Algebra Functions", 2012.
      const Tensor gq = g.grad(0), gr = g.grad(1);
      Tensor inner;
      if (gr.defined()) inner = matmul(r, transposed(gr));
      if (gq.defined()) {
        const Tensor part = matmul(transposed(gq), q);
        inner = inner.defined() ? inner - part : neg(part);
      }
      const Tensor symmetric = tril(inner) + transposed(tril(inner, -1));
      Tensor rhs = matmul(q, symmetric);
      if (gq.defined()) rhs = rhs + gq;
      g[0] = transposed(linalg_solve_triangular(r, transposed(rhs), true));
    })
    .function_only()
    .doc("The QR decomposition A = Q R; mode 'reduced', 'complete' or 'r' (R only).")
    .sample("R(4, 3)")
    .sample("R(4, 3), mode='complete'")
    .sample("R(2, 3, 3)")
    .test("rowmajor contiguous tol=1e-3 nograd");

PT_OP(qr)
    .composite([](const Tensor& self, bool some) {
      return linalg_qr(self, std::string_view(some ? "reduced" : "complete"));
    })
    .doc("The QR decomposition (see linalg.qr).")
    .sample("R(4, 3)")
    .test("rowmajor tol=1e-3 nograd");

PT_OP(linalg_eigh)
    .impl([](const Tensor& self, std::string_view uplo) {
      check_square("linalg.eigh", self, "A");
      PT_CHECK(uplo.size() == 1 &&
                   (uplo[0] == 'L' || uplo[0] == 'U' || uplo[0] == 'l' || uplo[0] == 'u'),
               "Expected UPLO argument to be 'L' or 'U', but got ", uplo);
      const bool upper = uplo[0] == 'U' || uplo[0] == 'u';
      const Tensor work = contiguous_copy(upper ? transposed(self) : self);
      const int64_t n = rows_of(self);
      Tensor values = empty_tensor(with(batch_of(self), {n}), self.dtype());
      Tensor vectors = empty_tensor(self.sizes(), self.dtype());
      visit_real(self.dtype(), [&](auto t) {
        using T = decltype(t);
        for (int64_t i = 0; i < batch_size(self); ++i) {
          const Matrix<T> v = matrix_at<T>(vectors, i);
          const int64_t info =
              linalg::symmetric_eigen<T>(matrix_at<T>(work, i), values.data<T>() + i * n, &v);
          PT_CHECK_KIND(ErrorKind::kLinAlg, info == 0, "linalg.eigh: ", batch_text(self, i),
                        "The algorithm failed to converge because the input matrix is "
                        "ill-conditioned or has too many repeated eigenvalues (error code: ",
                        info, ").");
        }
      });
      return std::make_tuple(values, vectors);
    })
    .through_host()
    .saves("result, result1")
    .backward([](BackwardCall& g, const Tensor&, std::string_view) {
      const Tensor &w = g.result(0), &v = g.result(1);
      Tensor inner;
      if (g.grad(1).defined()) {
        const Tensor gap = unsqueeze(w, -2) - unsqueeze(w, -1);
        const Tensor same_value = eq(gap, 0);
        const Tensor weight =
            where(same_value, wrapped_number(0.0),
                  div(wrapped_number(1.0), where(same_value, wrapped_number(1.0), gap)));
        inner = matmul(transposed(v), g.grad(1)) * weight;
      }
      if (g.grad(0).defined()) {
        const Tensor diagonal_part = diag_embed(g.grad(0));
        inner = inner.defined() ? inner + diagonal_part : diagonal_part;
      }
      g[0] = matmul(v, matmul(inner, transposed(v)));
    })
    .function_only()
    .doc("Eigenvalues (ascending) and eigenvectors of a symmetric matrix.")
    .sample("S(4)")
    .test("rowmajor tol=1e-3 nograd signs");

PT_OP(linalg_svd)
    .impl([](const Tensor& A, bool full, std::optional<std::string_view>) {
      check_matrix("linalg.svd", A, "A");
      const int64_t m = rows_of(A), n = columns_of(A), k = std::min(m, n);
      const Tensor work = contiguous_copy(A);
      Tensor u = empty_tensor(with(batch_of(A), {m, full ? m : k}), A.dtype());
      Tensor s = empty_tensor(with(batch_of(A), {k}), A.dtype());
      Tensor vh = empty_tensor(with(batch_of(A), {full ? n : k, n}), A.dtype());
      visit_real(A.dtype(), [&](auto t) {
        using T = decltype(t);
        for (int64_t i = 0; i < batch_size(A); ++i) {
          const Matrix<T> left = matrix_at<T>(u, i), right = matrix_at<T>(vh, i);
          const int64_t info =
              linalg::svd<T>(matrix_at<T>(work, i), s.data<T>() + i * k, &left, &right);
          PT_CHECK_KIND(ErrorKind::kLinAlg, info == 0, "linalg.svd: ", batch_text(A, i),
                        info < 0 ? "The algorithm failed to converge because the input matrix "
                                   "contained non-finite values."
                                 : "The algorithm failed to converge because the input matrix is "
                                   "ill-conditioned or has too many repeated singular values.");
        }
      });
      return std::make_tuple(u, s, vh);
    })
    .through_host()
    .saves("result, result1, result2")
    .backward([](BackwardCall& g, const Tensor&, bool, std::optional<std::string_view>) {
      // Townsend, "Differentiating the Singular Value Decomposition", 2016, for the thin factors.
      const Tensor& s = g.result(1);
      const int64_t k = s->sizes[s.dim() - 1];
      const Tensor u = narrow(g.result(0), -1, 0, k), vh = narrow(g.result(2), -2, 0, k);
      const Tensor v = transposed(vh);
      Tensor inner;
      auto add_term = [&inner](const Tensor& t) { inner = inner.defined() ? inner + t : t; };
      if (g.grad(1).defined()) add_term(diag_embed(g.grad(1)));
      const Tensor gu = g.grad(0).defined() ? narrow(g.grad(0), -1, 0, k) : Tensor();
      const Tensor gv = g.grad(2).defined() ? transposed(narrow(g.grad(2), -2, 0, k)) : Tensor();
      Tensor outside;
      if (gu.defined() || gv.defined()) {
        const Tensor row = unsqueeze(s, -2), column = unsqueeze(s, -1);
        const Tensor gap = (row - column) * (row + column);
        const Tensor equal = eq(gap, 0);
        const Tensor weight =
            where(equal, wrapped_number(0.0),
                  div(wrapped_number(1.0), where(equal, wrapped_number(1.0), gap)));
        if (gu.defined()) {
          const Tensor w = matmul(transposed(u), gu);
          add_term((w - transposed(w)) * weight * row);
          // The part of the gradient outside the span of U.
          outside = div(gu - matmul(u, w), row);
          outside = matmul(outside, vh);
        }
        if (gv.defined()) {
          const Tensor w = matmul(transposed(v), gv);
          add_term(column * ((w - transposed(w)) * weight));
          const Tensor rest = matmul(u, transposed(div(gv - matmul(v, w), row)));
          outside = outside.defined() ? outside + rest : rest;
        }
      }
      const Tensor inside = matmul(u, matmul(inner, vh));
      g[0] = outside.defined() ? inside + outside : inside;
    })
    .function_only()
    .doc("The singular value decomposition A = U diag(S) Vh, S descending.")
    .sample("R(4, 3)")
    .sample("R(3, 4), full_matrices=False")
    .test("rowmajor tol=1e-3 nograd signs");

PT_OP(svd)
    .composite([](const Tensor& self, bool some, bool) {
      auto [u, s, vh] = linalg_svd(self, !some);
      return std::make_tuple(u, s, transposed(vh));
    })
    .doc("The singular value decomposition A = U diag(S) V^T (see linalg.svd).")
    .sample("R(4, 3)")
    .test("rowmajor tol=1e-3 nograd signs");

PT_OP(linalg_lstsq)
    .impl([](const Tensor& self, const Tensor& b, std::optional<double> rcond,
             std::optional<std::string_view> driver) {
      check_matrix("linalg.lstsq", self, "A");
      check_same_dtype("linalg.lstsq", self, b);
      const std::string_view name = driver.value_or("gelsy");
      PT_CHECK(name == "gels" || name == "gelsy" || name == "gelsd" || name == "gelss",
               "torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, "
               "gelss)");
      const linalg::LstsqMethod method = name == "gels"    ? linalg::LstsqMethod::kQr
                                         : name == "gelsy" ? linalg::LstsqMethod::kCompleteQr
                                                           : linalg::LstsqMethod::kSvd;
      const bool vector = b.dim() == self.dim() - 1;
      const Tensor right = vector ? unsqueeze(b, -1) : b;
      PT_CHECK(right.dim() >= 2 && rows_of(right) == rows_of(self),
               "torch.linalg.lstsq: input.size(-2) should match other.size(-2)");
      const Dims batch = broadcast_shapes(batch_of(self), batch_of(right));
      const int64_t m = rows_of(self), n = columns_of(self), k = columns_of(right);
      const Tensor a = contiguous_copy(expand(self, IntList(with(batch, {m, n}))));
      const Tensor y = contiguous_copy(expand(right, IntList(with(batch, {m, k}))));
      Tensor x = empty_tensor(with(batch, {n, k}), self.dtype());
      Tensor rank = empty_tensor(name == "gels" ? Dims{0} : batch, DType::kInt64);
      Tensor singular = empty_tensor(
          method == linalg::LstsqMethod::kSvd ? with(batch, {std::min(m, n)}) : Dims{0},
          self.dtype());
      visit_real(self.dtype(), [&](auto t) {
        using T = decltype(t);
        const T cutoff = static_cast<T>(
            rcond.value_or(std::numeric_limits<T>::epsilon() * static_cast<T>(std::max(m, n))));
        for (int64_t i = 0; i < batch_size(x); ++i) {
          int64_t found = 0;
          T* values = method == linalg::LstsqMethod::kSvd ? singular.data<T>() + i * std::min(m, n)
                                                          : nullptr;
          const int64_t info =
              linalg::least_squares<T>(method, matrix_at<T>(a, i), matrix_at<T>(y, i), cutoff,
                                       matrix_at<T>(x, i), &found, values);
          PT_CHECK_KIND(ErrorKind::kLinAlg, info == 0, "torch.linalg.lstsq: ", batch_text(x, i),
                        "The least squares solution could not be computed because "
                        "the input matrix does not have full rank (error code: ",
                        info, ").");
          if (rank.numel()) rank.data<int64_t>()[i] = found;
        }
      });
      Tensor residuals = empty_tensor(Dims{0}, self.dtype());
      if (m > n && name != "gelsy") {
        const Tensor d = matmul(self, x) - right;
        residuals = sum_dim(d * d, IntList(Dims{-2}), false);
      }
      return std::make_tuple(vector ? squeeze_dim(x, -1) : x, residuals, rank, singular);
    })
    .through_host()
    .saves("self, b, result")
    .nondifferentiable_output(1)
    .nondifferentiable_output(2)
    .nondifferentiable_output(3)
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& b, std::optional<double>,
                 std::optional<std::string_view>) {
      if (!g.grad(0).defined()) return;
      const bool vector = b.dim() == self.dim() - 1;
      const Tensor gx = vector ? unsqueeze(g.grad(0), -1) : g.grad(0);
      const Tensor x = vector ? unsqueeze(g.result(), -1) : g.result();
      const Tensor right = vector ? unsqueeze(b, -1) : b;
      const Tensor adjoint = transposed(self);
      Tensor gb;
      if (rows_of(self) >= columns_of(self)) {
        // x = (A^T A)^-1 A^T b for full column rank.
        const Tensor z = linalg_solve(matmul(adjoint, self), gx);
        gb = matmul(self, z);
        if (g.needs(0)) {
          const Tensor residual = right - matmul(self, x);
          g[0] = matmul(residual, transposed(z)) - matmul(gb, transposed(x));
        }
      } else {
        // x = A^T (A A^T)^-1 b, the shortest solution, for full row rank.
        const Tensor normal = matmul(self, adjoint);
        gb = linalg_solve(normal, matmul(self, gx));
        if (g.needs(0)) {
          const Tensor y = linalg_solve(normal, right);
          g[0] = matmul(y, transposed(gx - matmul(adjoint, gb))) - matmul(gb, transposed(x));
        }
      }
      if (g.needs(1)) g[1] = vector ? squeeze_dim(gb, -1) : gb;
    })
    .function_only()
    .doc("The least squares solution of A X = B.")
    .sample("R(5, 3), R(5, 2)")
    .sample("R(2, 4), R(2, 3)")
    .test("rowmajor tol=1e-3 nograd");

}  // namespace pt

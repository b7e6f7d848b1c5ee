// The dense linear algebra routines offered to the linalg ops: LU, Cholesky, QR, triangular
// solves, symmetric eigenvalues, SVD, least squares and the matrix exponential, for float and
// double. All work on row-major views, in place where they say so, one matrix at a time; loop over
// a batch with for_each_matrix.
//
// Conventions are LAPACK's, so that results agree with programs written for it: pivots are 1-based
// int32, reflectors are stored below the diagonal with the scales `tau`, R may have negative
// diagonal entries, and `info` is 0 on success or a 1-based index that the error text names.
#pragma once

#include "ops/linalg/algorithms/matrix.h"

namespace pt::linalg {

// --- triangular systems (triangular.cpp) ---

// How the triangular matrix of a solve is to be read.
struct Triangle {
  bool upper = false;
  bool transposed = false;  // solve with A^T; `upper` still describes A as stored
  bool unit = false;        // diagonal taken as ones, not read
};
// Solves op(A) X = B; X overwrites B.
template <class T>
void solve_triangular_left(const In<T>& a, Triangle shape, const Matrix<T>& b);
// Solves X op(A) = B; X overwrites B.
template <class T>
void solve_triangular_right(const In<T>& a, Triangle shape, const Matrix<T>& b);

// --- LU with partial pivoting (lu.cpp) ---

// Packs L (unit lower) and U into A, which may be rectangular. `pivots` has min(rows, cols)
// entries: row i was swapped with row pivots[i] - 1. Returns info: the first i with U(i, i) == 0.
template <class T>
int64_t lu_factor(const Matrix<T>& a, int32_t* pivots);
// Turns pivots into perm[rows], where (P^T A) row i is A's row perm[i].
void pivots_to_permutation(const int32_t* pivots, int64_t count, int64_t rows, int64_t* perm);
// Solves A X = B (or A^T X = B) from A's factors; X overwrites B.
template <class T>
void lu_solve(const In<T>& lu, const int32_t* pivots, bool transposed, const Matrix<T>& b);
template <class T>
T lu_det(const In<T>& lu, const int32_t* pivots);
template <class T>
void lu_slogdet(const In<T>& lu, const int32_t* pivots, T* sign, T* log_abs);

// --- Cholesky (cholesky.cpp) ---

// Overwrites A with L, A = L L^T, reading the lower triangle only and zeroing the strict upper
// one. Returns info: the order of the first leading minor that is not positive.
template <class T>
int64_t cholesky(const Matrix<T>& a);

// --- QR (qr.cpp) ---

// Overwrites A (m x n) with R and the reflectors; tau has min(m, n) entries.
template <class T>
void qr_factor(const Matrix<T>& a, T* tau);
// The same with column pivoting: column j of A P is column perm[j] of A.
template <class T>
void qr_factor_pivoted(const Matrix<T>& a, T* tau, int64_t* perm);
// Q (m x any) = the leading columns of H_1 ... H_k, reflectors in the first k columns of `a`.
template <class T>
void qr_form_q(const In<T>& a, const T* tau, int64_t k, const Matrix<T>& q);
// C = Q C, Q^T C (left) or C Q, C Q^T (right), where Q = H_1 ... H_k is m x m.
template <class T>
void qr_multiply_q(const In<T>& a, const T* tau, int64_t k, bool left, bool transposed,
                   const Matrix<T>& c);

// --- symmetric eigenvalues (symmetric_eigen.cpp) ---

// Ascending eigenvalues w[n] of the matrix given by A's lower triangle (A is overwritten) and, if
// vectors is not null, an n x n matrix of eigenvectors as columns. Returns info: the number of
// off-diagonals that did not converge; a matrix that is not finite gives NaN and info 1.
template <class T>
int64_t symmetric_eigen(const Matrix<T>& a, T* w, const Matrix<T>* vectors);

// --- SVD (svd.cpp) ---

// A (m x n, overwritten) = U diag(s) Vt, s descending with min(m, n) entries. U is m x m or
// m x min(m, n), Vt is n x n or min(m, n) x n; both null for singular values alone. Returns info:
// 0, -1 for input that is not finite (outputs NaN), or the number of values not converged.
template <class T>
int64_t svd(const Matrix<T>& a, T* s, const Matrix<T>* u, const Matrix<T>* vt);

// --- least squares (least_squares.cpp) ---

enum class LstsqMethod : uint8_t {
  kQr,          // full rank assumed ("gels"); returns info if a diagonal of R is zero
  kCompleteQr,  // rank found from pivoted QR ("gelsy")
  kSvd,         // rank and singular values from the SVD ("gelsd", "gelss")
};
// Minimises |A x - B| for each column of B (m x k), with the smallest |x| where it is not unique.
// A (m x n) and B are overwritten; X is n x k; `rank` counts singular values above rcond times the
// largest; `singular_values` has min(m, n) entries, or is null unless the method is kSvd.
template <class T>
int64_t least_squares(LstsqMethod method, const Matrix<T>& a, const Matrix<T>& b, T rcond,
                      const Matrix<T>& x, int64_t* rank, T* singular_values);

// --- functions of a matrix (matrix_exp.cpp) ---

template <class T>
void matrix_exp(const In<T>& a, const Matrix<T>& result);

}  // namespace pt::linalg

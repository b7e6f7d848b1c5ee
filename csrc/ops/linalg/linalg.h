// Linear algebra on (batches of) small and medium matrices.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<"linalg_inv(Tensor A) -> Tensor"> linalg_inv;
inline constexpr Op<"linalg_det(Tensor A) -> Tensor"> linalg_det;
inline constexpr Op<"linalg_slogdet(Tensor A) -> (Tensor sign, Tensor logabsdet)"> linalg_slogdet;
inline constexpr Op<"linalg_solve(Tensor A, Tensor B, *, bool left=True) -> Tensor"> linalg_solve;
inline constexpr Op<"linalg_lu_factor(Tensor A, *, bool pivot=True) -> (Tensor LU, Tensor pivots)">
    linalg_lu_factor;
inline constexpr Op<
    "linalg_lu_factor_ex(Tensor A, *, bool pivot=True, bool check_errors=False) -> (Tensor LU, "
    "Tensor pivots, Tensor info)">
    linalg_lu_factor_ex;
inline constexpr Op<"linalg_cholesky(Tensor self, *, bool upper=False) -> Tensor"> linalg_cholesky;
inline constexpr Op<
    "linalg_solve_triangular(Tensor self, Tensor B, *, bool upper, bool left=True, "
    "bool unitriangular=False) -> Tensor">
    linalg_solve_triangular;
inline constexpr Op<"linalg_qr(Tensor A, str mode='reduced') -> (Tensor Q, Tensor R)"> linalg_qr;
inline constexpr Op<
    "linalg_eigh(Tensor self, str UPLO='L') -> (Tensor eigenvalues, Tensor eigenvectors)">
    linalg_eigh;
inline constexpr Op<
    "linalg_svd(Tensor A, bool full_matrices=True, *, str? driver=None) -> (Tensor U, "
    "Tensor S, Tensor Vh)">
    linalg_svd;
inline constexpr Op<
    "linalg_lstsq(Tensor self, Tensor b, float? rcond=None, *, str? driver=None) -> "
    "(Tensor solution, Tensor residuals, Tensor rank, Tensor singular_values)">
    linalg_lstsq;
inline constexpr Op<"linalg_matrix_exp(Tensor self) -> Tensor"> linalg_matrix_exp;

// Without an error for matrices that have no result: NaN, and info.
inline constexpr Op<
    "linalg_inv_ex(Tensor A, *, bool check_errors=False) -> (Tensor inverse, Tensor info)">
    linalg_inv_ex;
inline constexpr Op<
    "linalg_solve_ex(Tensor A, Tensor B, *, bool left=True, bool check_errors=False) -> (Tensor "
    "result, Tensor info)">
    linalg_solve_ex;
inline constexpr Op<
    "linalg_cholesky_ex(Tensor self, *, bool upper=False, bool check_errors=False) -> (Tensor L, "
    "Tensor info)">
    linalg_cholesky_ex;

inline constexpr Op<"inverse(Tensor self) -> Tensor"> inverse;
inline constexpr Op<"det(Tensor self) -> Tensor"> det;
inline constexpr Op<"slogdet(Tensor self) -> (Tensor sign, Tensor logabsdet)"> slogdet;
inline constexpr Op<"logdet(Tensor self) -> Tensor"> logdet;
inline constexpr Op<"cholesky(Tensor self, bool upper=False) -> Tensor"> cholesky;
inline constexpr Op<"qr(Tensor self, bool some=True) -> (Tensor Q, Tensor R)"> qr;
inline constexpr Op<
    "svd(Tensor self, bool some=True, bool compute_uv=True) -> (Tensor U, Tensor S, "
    "Tensor V)">
    svd;
inline constexpr Op<"matrix_exp(Tensor self) -> Tensor"> matrix_exp;
inline constexpr Op<"cholesky_solve(Tensor self, Tensor input2, bool upper=False) -> Tensor">
    cholesky_solve;
inline constexpr Op<"cholesky_inverse(Tensor self, bool upper=False) -> Tensor"> cholesky_inverse;

}  // namespace pt

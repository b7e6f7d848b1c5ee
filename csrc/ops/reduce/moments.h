// Variances and standard deviations.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<"std(Tensor self, bool unbiased=True) -> Tensor"> std_all;
inline constexpr Op<
    "std.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor">
    std_dim;
inline constexpr Op<
    "std.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, "
    "bool keepdim=False) -> Tensor">
    std_correction;
inline constexpr Op<"var(Tensor self, bool unbiased=True) -> Tensor"> var_all;
inline constexpr Op<
    "var.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor">
    var_dim;
inline constexpr Op<
    "var.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, "
    "bool keepdim=False) -> Tensor">
    var_correction;
inline constexpr Op<"std_mean(Tensor self, bool unbiased=True) -> (Tensor, Tensor)"> std_mean_all;
inline constexpr Op<
    "std_mean.dim(Tensor self, int[1]? dim, bool unbiased=True, "
    "bool keepdim=False) -> (Tensor, Tensor)">
    std_mean_dim;
inline constexpr Op<
    "std_mean.correction(Tensor self, int[1]? dim=None, *, "
    "Scalar? correction=None, bool keepdim=False) -> (Tensor, Tensor)">
    std_mean_correction;
inline constexpr Op<"var_mean(Tensor self, bool unbiased=True) -> (Tensor, Tensor)"> var_mean_all;
inline constexpr Op<
    "var_mean.dim(Tensor self, int[1]? dim, bool unbiased=True, "
    "bool keepdim=False) -> (Tensor, Tensor)">
    var_mean_dim;
inline constexpr Op<
    "var_mean.correction(Tensor self, int[1]? dim=None, *, "
    "Scalar? correction=None, bool keepdim=False) -> (Tensor, Tensor)">
    var_mean_correction;

}  // namespace pt

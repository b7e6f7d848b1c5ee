// Ops that order, select, search and count elements. The work is done by ops/sort/algorithms.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<
    "sort(Tensor self, int dim=-1, bool descending=False) -> "
    "(Tensor values, Tensor indices)">
    sort;
inline constexpr Op<
    "sort.stable(Tensor self, *, bool? stable, int dim=-1, bool descending=False) "
    "-> (Tensor values, Tensor indices)">
    sort_stable;
inline constexpr Op<"argsort(Tensor self, int dim=-1, bool descending=False) -> Tensor"> argsort;
inline constexpr Op<
    "argsort.stable(Tensor self, *, bool stable, int dim=-1, bool descending=False) -> Tensor">
    argsort_stable;
inline constexpr Op<"msort(Tensor self) -> Tensor"> msort;

inline constexpr Op<
    "topk(Tensor self, int k, int dim=-1, bool largest=True, bool sorted=True) -> "
    "(Tensor values, Tensor indices)">
    topk;
inline constexpr Op<
    "kthvalue(Tensor self, int k, int dim=-1, bool keepdim=False) -> "
    "(Tensor values, Tensor indices)">
    kthvalue;
inline constexpr Op<"median(Tensor self) -> Tensor"> median;
inline constexpr Op<
    "median.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)">
    median_dim;
inline constexpr Op<"nanmedian(Tensor self) -> Tensor"> nanmedian;
inline constexpr Op<
    "nanmedian.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)">
    nanmedian_dim;
inline constexpr Op<
    "mode(Tensor self, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor indices)">
    mode;

// torch.unique and torch.unique_consecutive choose among these and drop what was not asked for.
inline constexpr Op<
    "_unique2(Tensor self, bool sorted=True, bool return_inverse=False, "
    "bool return_counts=False) -> (Tensor, Tensor, Tensor)">
    unique2;
inline constexpr Op<
    "_unique_dim(Tensor self, int dim, bool sorted=True, bool return_inverse=False, "
    "bool return_counts=False) -> (Tensor, Tensor, Tensor)">
    unique_dim;
inline constexpr Op<
    "_unique_consecutive(Tensor self, bool return_inverse=False, "
    "bool return_counts=False, int? dim=None) -> (Tensor, Tensor, Tensor)">
    unique_consecutive;

inline constexpr Op<
    "searchsorted.Tensor(Tensor sorted_sequence, Tensor self, *, "
    "bool out_int32=False, bool right=False, str? side=None, Tensor? sorter=None) "
    "-> Tensor">
    searchsorted;
inline constexpr Op<
    "searchsorted.Scalar(Tensor sorted_sequence, Scalar self, *, "
    "bool out_int32=False, bool right=False, str? side=None, Tensor? sorter=None) "
    "-> Tensor">
    searchsorted_scalar;
inline constexpr Op<
    "bucketize.Tensor(Tensor self, Tensor boundaries, *, bool out_int32=False, "
    "bool right=False) -> Tensor">
    bucketize;
inline constexpr Op<
    "bucketize.Scalar(Scalar self, Tensor boundaries, *, bool out_int32=False, "
    "bool right=False) -> Tensor">
    bucketize_scalar;
inline constexpr Op<
    "isin.Tensor_Tensor(Tensor elements, Tensor test_elements, *, "
    "bool assume_unique=False, bool invert=False) -> Tensor">
    isin;
inline constexpr Op<
    "isin.Tensor_Scalar(Tensor elements, Scalar test_element, *, "
    "bool assume_unique=False, bool invert=False) -> Tensor">
    isin_scalar;
inline constexpr Op<
    "isin.Scalar_Tensor(Scalar element, Tensor test_elements, *, "
    "bool assume_unique=False, bool invert=False) -> Tensor">
    scalar_isin;

inline constexpr Op<"histc(Tensor self, int bins=100, Scalar min=0, Scalar max=0) -> Tensor"> histc;
inline constexpr Op<"bincount(Tensor self, Tensor? weights=None, int minlength=0) -> Tensor">
    bincount;

}  // namespace pt

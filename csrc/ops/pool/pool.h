// Pooling: maxima and averages of windows that slide over the last one to three dimensions.
#pragma once

#include "op/op.h"

namespace pt {

#define PT_MAX_POOL(n)                                                                       \
  "(Tensor self, int[" n "] kernel_size, int[" n "] stride=[], int[" n "] padding=0, int[" n \
  "] dilation=1, bool ceil_mode=False)"
#define PT_AVG_POOL(n)                                                 \
  "(Tensor self, int[" n "] kernel_size, int[" n "] stride=[], int[" n \
  "] padding=0, bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None)"

inline constexpr Op<"max_pool1d" PT_MAX_POOL("1") " -> Tensor"> max_pool1d;
inline constexpr Op<"max_pool2d" PT_MAX_POOL("2") " -> Tensor"> max_pool2d;
inline constexpr Op<"max_pool3d" PT_MAX_POOL("3") " -> Tensor"> max_pool3d;
inline constexpr Op<"max_pool1d_with_indices" PT_MAX_POOL("1") " -> (Tensor, Tensor)">
    max_pool1d_with_indices;
inline constexpr Op<"max_pool2d_with_indices" PT_MAX_POOL("2") " -> (Tensor, Tensor)">
    max_pool2d_with_indices;
inline constexpr Op<"max_pool3d_with_indices" PT_MAX_POOL("3") " -> (Tensor, Tensor)">
    max_pool3d_with_indices;

inline constexpr Op<
    "avg_pool1d(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=0, "
    "bool ceil_mode=False, bool count_include_pad=True) -> Tensor">
    avg_pool1d;
inline constexpr Op<"avg_pool2d" PT_AVG_POOL("2") " -> Tensor"> avg_pool2d;
inline constexpr Op<"avg_pool3d" PT_AVG_POOL("3") " -> Tensor"> avg_pool3d;
// From the gradient of an average to that of the input; kernel_size has an entry per dimension.
inline constexpr Op<
    "_avg_pool_backward(Tensor grad, int[] input_size, int[] kernel_size, int[] stride, "
    "int[] padding, bool ceil_mode, bool count_include_pad, int? divisor_override) -> Tensor">
    avg_pool_backward;

inline constexpr Op<"adaptive_avg_pool1d(Tensor self, int[1] output_size) -> Tensor">
    adaptive_avg_pool1d;
inline constexpr Op<"adaptive_avg_pool2d(Tensor self, int[2] output_size) -> Tensor">
    adaptive_avg_pool2d;
inline constexpr Op<"adaptive_avg_pool3d(Tensor self, int[3] output_size) -> Tensor">
    adaptive_avg_pool3d;
inline constexpr Op<"_adaptive_avg_pool(Tensor self, int[] output_size) -> Tensor">
    adaptive_avg_pool;
inline constexpr Op<
    "_adaptive_avg_pool_backward(Tensor grad, int[] input_size, int spatial) -> Tensor">
    adaptive_avg_pool_backward;
inline constexpr Op<"adaptive_max_pool1d(Tensor self, int[1] output_size) -> (Tensor, Tensor)">
    adaptive_max_pool1d;
// For 1 to 3 dimensions, as many as output_size has entries.
inline constexpr Op<"_adaptive_max_pool(Tensor self, int[] output_size) -> (Tensor, Tensor)">
    adaptive_max_pool;
// random_samples has a number for each plane and dimension.
inline constexpr Op<
    "_fractional_max_pool(Tensor self, int[] kernel_size, int[] output_size, "
    "Tensor random_samples) -> (Tensor, Tensor)">
    fractional_max_pool;
inline constexpr Op<"_max_unpool(Tensor self, Tensor indices, int[] output_size) -> Tensor">
    max_unpool;

// Elements of planes by place: the last `spatial` dimensions are the plane. _plane_add adds
// self's elements to a zero tensor of the given sizes, _plane_gather reads them.
inline constexpr Op<"_plane_add(Tensor self, Tensor indices, int[] sizes, int spatial) -> Tensor">
    plane_add;
inline constexpr Op<"_plane_gather(Tensor self, Tensor indices, int spatial) -> Tensor">
    plane_gather;

}  // namespace pt

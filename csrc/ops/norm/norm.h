// Normalization by statistics of channels, groups of channels, or the last dimensions.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<
    "batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, "
    "Tensor? running_var, bool training, float momentum, float eps, bool cudnn_enabled) -> Tensor">
    batch_norm;
// The result, and mean and 1 / deviation of each channel of the input (empty outside training).
inline constexpr Op<
    "native_batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, "
    "Tensor? running_var, bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)">
    native_batch_norm;
// The gradients of input, weight and bias. Outside training mean and rstd are constants.
inline constexpr Op<
    "_batch_norm_backward(Tensor grad, Tensor input, Tensor? weight, Tensor mean, Tensor rstd, "
    "bool training, float eps) -> (Tensor, Tensor, Tensor)">
    batch_norm_backward;
inline constexpr Op<
    "instance_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, "
    "Tensor? running_var, bool use_input_stats, float momentum, float eps, bool cudnn_enabled) "
    "-> Tensor">
    instance_norm;

inline constexpr Op<
    "layer_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, Tensor? bias=None, "
    "float eps=1e-05, bool cudnn_enable=True) -> Tensor">
    layer_norm;
inline constexpr Op<
    "native_layer_norm(Tensor input, int[] normalized_shape, Tensor? weight, Tensor? bias, "
    "float eps) -> (Tensor, Tensor, Tensor)">
    native_layer_norm;
inline constexpr Op<
    "rms_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, float? eps=None) "
    "-> Tensor">
    rms_norm;
inline constexpr Op<
    "_rms_norm(Tensor input, int[] normalized_shape, Tensor? weight, float eps) "
    "-> (Tensor, Tensor)">
    rms_norm_statistics;
// The gradients of input, weight and bias; an undefined mean is that of rms_norm.
inline constexpr Op<
    "_layer_norm_backward(Tensor grad, Tensor input, int[] normalized_shape, Tensor? mean, "
    "Tensor rstd, Tensor? weight, float eps, bool parameters) -> (Tensor, Tensor, Tensor)">
    layer_norm_backward;

inline constexpr Op<
    "group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, "
    "float eps=1e-05, bool cudnn_enabled=True) -> Tensor">
    group_norm;
inline constexpr Op<
    "native_group_norm(Tensor input, Tensor? weight, Tensor? bias, int N, int C, int HxW, "
    "int group, float eps) -> (Tensor, Tensor, Tensor)">
    native_group_norm;
inline constexpr Op<
    "_group_norm_backward(Tensor grad, Tensor input, Tensor? weight, Tensor mean, Tensor rstd, "
    "int group, float eps) -> (Tensor, Tensor, Tensor)">
    group_norm_backward;

}  // namespace pt

// Convolutions, and the rearrangement of images into columns and back.
#pragma once

#include "op/op.h"

namespace pt {

// The three products every convolution and every gradient of one is made of, each bilinear in its
// tensors. Sizes that do not follow from the tensors are given: spatial dimensions only.
inline constexpr Op<
    "conv_forward(Tensor input, Tensor weight, Tensor? bias, int[] stride, int[] padding, "
    "int[] dilation, int[] output_size, int groups) -> Tensor">
    conv_forward;
inline constexpr Op<
    "conv_input_gradient(Tensor grad, Tensor weight, Tensor? bias, int[] stride, int[] padding, "
    "int[] dilation, int[] input_size, int groups) -> Tensor">
    conv_input_gradient;
inline constexpr Op<
    "conv_weight_gradient(Tensor grad, Tensor input, int[] stride, int[] padding, int[] dilation, "
    "int[] kernel_size, int groups) -> Tensor">
    conv_weight_gradient;

// A convolution and what inference does right after it: batch normalization with running
// statistics (`mean` and `var`; none without them), + residual, and the limits of an activation.
// See fused.cpp.
inline constexpr Op<
    "conv_fused(Tensor input, Tensor weight, Tensor? bias, Tensor? mean, Tensor? var, "
    "Tensor? scale, Tensor? shift, float eps, Tensor? residual, int[] stride, int[] padding, "
    "int[] dilation, int groups, float least, float most, ScalarType? dtype=None) -> Tensor">
    conv_fused;
// clamp(scale * conv_forward(...) + shift + residual, least, most), without a gradient. Input and
// residual may be of half precision beside a float32 weight; the result is of `dtype`.
inline constexpr Op<
    "conv_finished(Tensor input, Tensor weight, Tensor? scale, Tensor? shift, Tensor? residual, "
    "int[] stride, int[] padding, int[] dilation, int[] output_size, int groups, float least, "
    "float most, ScalarType? dtype=None) -> Tensor">
    conv_finished;

inline constexpr Op<
    "convolution(Tensor input, Tensor weight, Tensor? bias, int[] stride, int[] padding, "
    "int[] dilation, bool transposed, int[] output_padding, int groups) -> Tensor">
    convolution;
inline constexpr Op<
    "conv1d(Tensor input, Tensor weight, Tensor? bias=None, int[1] stride=1, int[1] padding=0, "
    "int[1] dilation=1, int groups=1) -> Tensor">
    conv1d;
inline constexpr Op<
    "conv1d.padding(Tensor input, Tensor weight, Tensor? bias=None, int[1] stride=1, "
    "str padding='valid', int[1] dilation=1, int groups=1) -> Tensor">
    conv1d_padding;
inline constexpr Op<
    "conv2d(Tensor input, Tensor weight, Tensor? bias=None, int[2] stride=1, int[2] padding=0, "
    "int[2] dilation=1, int groups=1) -> Tensor">
    conv2d;
inline constexpr Op<
    "conv2d.padding(Tensor input, Tensor weight, Tensor? bias=None, int[2] stride=1, "
    "str padding='valid', int[2] dilation=1, int groups=1) -> Tensor">
    conv2d_padding;
inline constexpr Op<
    "conv3d(Tensor input, Tensor weight, Tensor? bias=None, int[3] stride=1, int[3] padding=0, "
    "int[3] dilation=1, int groups=1) -> Tensor">
    conv3d;
inline constexpr Op<
    "conv3d.padding(Tensor input, Tensor weight, Tensor? bias=None, int[3] stride=1, "
    "str padding='valid', int[3] dilation=1, int groups=1) -> Tensor">
    conv3d_padding;
inline constexpr Op<
    "conv_transpose1d(Tensor input, Tensor weight, Tensor? bias=None, int[1] stride=1, "
    "int[1] padding=0, int[1] output_padding=0, int groups=1, int[1] dilation=1) -> Tensor">
    conv_transpose1d;
inline constexpr Op<
    "conv_transpose2d.input(Tensor input, Tensor weight, Tensor? bias=None, int[2] stride=1, "
    "int[2] padding=0, int[2] output_padding=0, int groups=1, int[2] dilation=1) -> Tensor">
    conv_transpose2d;
inline constexpr Op<
    "conv_transpose3d.input(Tensor input, Tensor weight, Tensor? bias=None, int[3] stride=1, "
    "int[3] padding=0, int[3] output_padding=0, int groups=1, int[3] dilation=1) -> Tensor">
    conv_transpose3d;
inline constexpr Op<"conv_tbc(Tensor self, Tensor weight, Tensor bias, int pad=0) -> Tensor">
    conv_tbc;

inline constexpr Op<
    "im2col(Tensor self, int[2] kernel_size, int[2] dilation, int[2] padding, int[2] stride) -> "
    "Tensor">
    im2col;
inline constexpr Op<
    "col2im(Tensor self, int[2] output_size, int[2] kernel_size, int[2] dilation, int[2] padding, "
    "int[2] stride) -> Tensor">
    col2im;

}  // namespace pt

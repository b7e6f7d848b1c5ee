// Sampling of images at the places that a grid names.
#pragma once

#include "op/op.h"

namespace pt {

// interpolation_mode: 0 bilinear, 1 nearest, 2 bicubic; padding_mode: 0 zeros, 1 border,
// 2 reflection.
inline constexpr Op<
    "grid_sampler(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, "
    "bool align_corners) -> Tensor">
    grid_sampler;

// grid_sampler in one step for arguments that it has checked, and its gradients.
inline constexpr Op<
    "_grid_sample(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, "
    "bool align_corners) -> Tensor">
    grid_sample;
inline constexpr Op<
    "_grid_sample_backward(Tensor grad, Tensor input, Tensor grid, int interpolation_mode, "
    "int padding_mode, bool align_corners, bool needs_input, bool needs_grid) -> "
    "(Tensor, Tensor)">
    grid_sample_backward;

// The elements that each point of the grid [N, ..., d] reads from planes of the given sizes, and
// their weights: [N, taps, points]. `order` says how often the weights are differentiated by each
// of the grid's coordinates.
inline constexpr Op<
    "_grid_places(Tensor grid, int[] sizes, int interpolation_mode, int padding_mode, "
    "bool align_corners) -> Tensor">
    grid_places;
inline constexpr Op<
    "_grid_weights(Tensor grid, int[] sizes, int interpolation_mode, int padding_mode, "
    "bool align_corners, int[] order) -> Tensor">
    grid_weights;

// Weighted sums by place, see SampleArgs. self is [N, C, size], grad [N, C, points].
inline constexpr Op<"_sample(Tensor self, Tensor weights, Tensor places) -> Tensor"> sample;
inline constexpr Op<"_sample_add(Tensor grad, Tensor weights, Tensor places, int size) -> Tensor">
    sample_add;
inline constexpr Op<"_sample_dot(Tensor grad, Tensor self, Tensor places) -> Tensor"> sample_dot;

}  // namespace pt

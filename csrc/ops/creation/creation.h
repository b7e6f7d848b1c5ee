// Ops that make tensors from sizes and numbers.
#pragma once

#include "op/op.h"

namespace pt {

// The keyword parameters that all of them share.
#define PT_OPTIONS \
  "*, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=False"

inline constexpr Op<
    "empty(int[] size, *, ScalarType? dtype=None, Layout? layout=None, "
    "Device? device=None, bool? pin_memory=False, "
    "MemoryFormat? memory_format=None) -> Tensor">
    empty;
inline constexpr Op<"empty_strided(int[] size, int[] stride, " PT_OPTIONS ") -> Tensor">
    empty_strided;
inline constexpr Op<"zeros(int[] size, " PT_OPTIONS ") -> Tensor"> zeros;
inline constexpr Op<"ones(int[] size, " PT_OPTIONS ") -> Tensor"> ones;
inline constexpr Op<"full(int[] size, Scalar fill_value, " PT_OPTIONS ") -> Tensor"> full;
inline constexpr Op<"arange.end(Scalar end, " PT_OPTIONS ") -> Tensor"> arange_end;
inline constexpr Op<"arange.start_step(Scalar start, Scalar end, Scalar step=1, " PT_OPTIONS
                    ") -> Tensor">
    arange;
inline constexpr Op<"range(Scalar start, Scalar end, Scalar step=1, " PT_OPTIONS ") -> Tensor">
    range;
inline constexpr Op<"linspace(Scalar start, Scalar end, int steps, " PT_OPTIONS ") -> Tensor">
    linspace;
inline constexpr Op<"logspace(Scalar start, Scalar end, int steps, float base=10.0, " PT_OPTIONS
                    ") -> Tensor">
    logspace;
inline constexpr Op<"eye(int n, " PT_OPTIONS ") -> Tensor"> eye;
inline constexpr Op<"eye.m(int n, int m, " PT_OPTIONS ") -> Tensor"> eye_m;

#define PT_LIKE_OPTIONS PT_OPTIONS ", MemoryFormat? memory_format=None"
inline constexpr Op<"empty_like(Tensor self, " PT_LIKE_OPTIONS ") -> Tensor"> empty_like;
inline constexpr Op<"zeros_like(Tensor self, " PT_LIKE_OPTIONS ") -> Tensor"> zeros_like;
inline constexpr Op<"ones_like(Tensor self, " PT_LIKE_OPTIONS ") -> Tensor"> ones_like;
inline constexpr Op<"full_like(Tensor self, Scalar fill_value, " PT_LIKE_OPTIONS ") -> Tensor">
    full_like;
inline constexpr Op<"new_empty(Tensor self, int[] size, " PT_OPTIONS ") -> Tensor"> new_empty;
inline constexpr Op<"new_zeros(Tensor self, int[] size, " PT_OPTIONS ") -> Tensor"> new_zeros;
inline constexpr Op<"new_ones(Tensor self, int[] size, " PT_OPTIONS ") -> Tensor"> new_ones;
inline constexpr Op<"new_full(Tensor self, int[] size, Scalar fill_value, " PT_OPTIONS
                    ") -> Tensor">
    new_full;
inline constexpr Op<"new_empty_strided(Tensor self, int[] size, int[] stride, " PT_OPTIONS
                    ") -> Tensor">
    new_empty_strided;

// An uninitialised tensor of self's sizes that keeps its order of dimensions.
Tensor empty_as(const Tensor& self, const std::optional<DType>& dtype,
                const std::optional<MemoryFormat>& format);

}  // namespace pt

// Walks and combinations that the kernels of this folder share.
#pragma once

#include "cuda/args/index_args.h"
#include "cuda/reduce/frame.h"
#include "cuda/sort/keys.h"

namespace pt::cuda {

inline constexpr int kIndexThreads = 256;

PT_DEVICE int64_t offset_in(const DeviceWalk& w, int64_t i) {
  int64_t offset = 0;
  for (int d = w.ndim - 1; d > 0; --d) {
    offset += i % w.sizes[d] * w.strides[d];
    i /= w.sizes[d];
  }
  return w.ndim ? offset + i * w.strides[0] : 0;
}

// Integers wrap on overflow.
template <class T>
PT_DEVICE T combined(PlaceOp op, T old, T v) {
  if (op == PlaceOp::kMax) return v != v || v > old ? v : old;  // NaN wins and stays
  if (op == PlaceOp::kMin) return v != v || v < old ? v : old;
  if (op == PlaceOp::kAssign) return v;
  if constexpr (std::is_same_v<T, bool>) {
    return op == PlaceOp::kAdd ? old || v : old && v;
  } else if constexpr (std::is_integral_v<T>) {
    const auto a = static_cast<uint64_t>(old), b = static_cast<uint64_t>(v);
    return static_cast<T>(op == PlaceOp::kAdd ? a + b : a * b);
  } else {
    return op == PlaceOp::kAdd ? old + v : old * v;
  }
}

}  // namespace pt::cuda

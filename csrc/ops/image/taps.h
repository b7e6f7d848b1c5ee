// The weights of interpolation along one dimension. Used by resample.cpp.
#pragma once

#include <cstdint>
#include <vector>

namespace pt {

enum class Filter : uint8_t { kNearest, kNearestExact, kLinear, kCubic, kLanczos };

// Output element j is the sum of weight * in[index] over offset[j] .. offset[j + 1]. T is the type
// that the kernel computes in: places are computed in it too, as rounding decides over them.
template <class T>
struct Taps {
  std::vector<int64_t> offset;
  std::vector<int32_t> index;
  std::vector<T> weight;

  // How many taps each output element has if all have as many, else 0.
  int64_t even() const;
  // Index and weight with the taps of number k of all elements side by side, `stride` apart from
  // those of number k + 1; zeros in between. For even taps.
  Taps by_number(int64_t stride) const;
  // The table of the gradient: for each of the `in` input elements the outputs it went into.
  Taps transposed(int64_t in) const;
};

struct Interpolation {
  Filter filter;
  bool align_corners, antialias;
};

// `scale` is the factor that the caller gave, or 0.
template <class T>
Taps<T> make_taps(const Interpolation& how, int64_t in, int64_t out, double scale);

}  // namespace pt

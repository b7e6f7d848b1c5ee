// Loads of a part of a vector's lanes, at any distance between elements: the edges of images.
//
// Used by image.h and depthwise.h. Memory outside the lanes asked for is not touched.
#pragma once

#include "cpu/gemm/vec.h"

namespace pt::PT_ISA::conv {

using gemm::kLanes;
using gemm::load;
using gemm::load_n;
using gemm::store;
using gemm::store_n;
using gemm::Vec;

// The lanes [lo, hi) of a vector.
#if defined(PT_ISA_IS_AVX512)
using LaneMask = uint16_t;
PT_GEMM_INLINE LaneMask lanes_between(int lo, int hi) {
  return hi <= lo ? 0 : static_cast<LaneMask>((1u << hi) - (1u << lo));
}
PT_GEMM_INLINE Vec<float> load_lanes(const float* p, LaneMask m) {
  return (Vec<float>)_mm512_maskz_loadu_ps(m, p);
}
PT_GEMM_INLINE Vec<double> load_lanes(const double* p, LaneMask m) {
  return (Vec<double>)_mm512_maskz_loadu_pd(static_cast<__mmask8>(m), p);
}
#else
struct LaneMask {
  int8_t lo, hi;
};
PT_GEMM_INLINE LaneMask lanes_between(int lo, int hi) {
  if (hi <= lo) return {0, 0};
  return {static_cast<int8_t>(lo), static_cast<int8_t>(hi)};
}
#if defined(PT_ISA_IS_AVX2)
PT_GEMM_INLINE Vec<float> load_lanes(const float* p, LaneMask m) {
  return (Vec<float>)_mm256_maskload_ps(
      p, _mm256_andnot_si256(gemm::mask32(m.lo), gemm::mask32(m.hi)));
}
PT_GEMM_INLINE Vec<double> load_lanes(const double* p, LaneMask m) {
  return (Vec<double>)_mm256_maskload_pd(
      p, _mm256_andnot_si256(gemm::mask64(m.lo), gemm::mask64(m.hi)));
}
#else
template <class S>
PT_GEMM_INLINE Vec<S> load_lanes(const S* p, LaneMask m) {
  Vec<S> v = {};
  for (int i = m.lo; i < m.hi; i++) v[i] = p[i];
  return v;
}
#endif
#endif

// Lanes 0, 2, 4... of two vectors in a row.
template <class S, int... I>
PT_GEMM_INLINE Vec<S> even_lanes(Vec<S> a, Vec<S> b, gemm::Lanes<I...>) {
  return __builtin_shufflevector(a, b, (2 * I)...);
}

// Which elements a vector of kLanes elements at p, p + step, p + 2 * step... may read. For steps 1
// and 2 masks of the vectors in memory, for other steps the lanes [lo, hi) of the result.
struct Access {
  LaneMask first, second;
  int8_t lo, hi;
};

template <class S>
PT_GEMM_INLINE Access make_access(int lo, int hi, int64_t step) {
  constexpr int kL = kLanes<S>;
  Access a{};
  if (hi <= lo) return a;
  if (step == 1) {
    a.first = lanes_between(lo, hi);
  } else if (step == 2) {
    const int begin = 2 * lo, end = 2 * hi - 1;
    a.first = lanes_between(begin, gemm::min_of(end, kL));
    a.second = lanes_between(begin > kL ? begin - kL : 0, end - kL);
  }
  a.lo = static_cast<int8_t>(lo);
  a.hi = static_cast<int8_t>(hi);
  return a;
}

// kStep is 1, 2, or 0 for any `step`.
template <int kStep, class S>
PT_GEMM_INLINE Vec<S> load_access(const S* p, const Access& a, [[maybe_unused]] int64_t step) {
  if constexpr (kStep == 1) {
    return load_lanes(p, a.first);
  } else if constexpr (kStep == 2) {
    return even_lanes<S>(load_lanes(p, a.first), load_lanes(p + kLanes<S>, a.second),
                         gemm::LanesOf<S>{});
  } else {
    alignas(64) S lanes[kLanes<S>] = {};
    for (int i = a.lo; i < a.hi; i++) lanes[i] = p[i * step];
    return load(lanes);
  }
}

}  // namespace pt::PT_ISA::conv

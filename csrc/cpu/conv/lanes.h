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

// The lanes [lo, hi) of a vector: a bit for each, or both numbers in a byte each.
using LaneMask = uint16_t;
#if defined(PT_ISA_IS_AVX512)
PT_GEMM_INLINE LaneMask lanes_between(int lo, int hi) {
  return hi <= lo ? LaneMask(0) : static_cast<LaneMask>((1u << hi) - (1u << lo));
}
PT_GEMM_INLINE Vec<float> load_lanes(const float* p, LaneMask m) {
  return (Vec<float>)_mm512_maskz_loadu_ps(m, p);
}
PT_GEMM_INLINE Vec<double> load_lanes(const double* p, LaneMask m) {
  return (Vec<double>)_mm512_maskz_loadu_pd(static_cast<__mmask8>(m), p);
}
PT_GEMM_INLINE Vec<float> load_lanes(const BFloat16* p, LaneMask m) {
  return gemm::load_bits(p, m);
}
PT_GEMM_INLINE void store_lanes(float* p, Vec<float> v, LaneMask m) {
  _mm512_mask_storeu_ps(p, m, (__m512)v);
}
PT_GEMM_INLINE void store_lanes(double* p, Vec<double> v, LaneMask m) {
  _mm512_mask_storeu_pd(p, static_cast<__mmask8>(m), (__m512d)v);
}
#else
PT_GEMM_INLINE LaneMask lanes_between(int lo, int hi) {
  return hi <= lo ? LaneMask(0) : static_cast<LaneMask>(lo | hi << 8);
}
#if defined(PT_ISA_IS_AVX2)
PT_GEMM_INLINE Vec<float> load_lanes(const float* p, LaneMask m) {
  const __m256i lanes = _mm256_andnot_si256(gemm::mask32(m & 255), gemm::mask32(m >> 8));
  return (Vec<float>)_mm256_maskload_ps(p, lanes);
}
PT_GEMM_INLINE Vec<double> load_lanes(const double* p, LaneMask m) {
  const __m256i lanes = _mm256_andnot_si256(gemm::mask64(m & 255), gemm::mask64(m >> 8));
  return (Vec<double>)_mm256_maskload_pd(p, lanes);
}
#else
template <class S>
PT_GEMM_INLINE Vec<S> load_lanes(const S* p, LaneMask m) {
  Vec<S> v = {};
  for (int i = m & 255; i < m >> 8; i++) v[i] = p[i];
  return v;
}
#endif
PT_GEMM_INLINE Vec<float> load_lanes(const BFloat16* p, LaneMask m) {
  Vec<float> v = {};
  for (int i = m & 255; i < m >> 8; i++) v[i] = p[i];
  return v;
}
// Only for masks that begin at lane 0.
template <class S>
PT_GEMM_INLINE void store_lanes(S* p, Vec<S> v, LaneMask m) {
  m >> 8 == kLanes<S> ? store(p, v) : store_n(p, v, m >> 8);
}
#endif

// Lanes 0, 2, 4... of two vectors in a row.
template <class S, int... I>
PT_GEMM_INLINE Vec<S> even_lanes(Vec<S> a, Vec<S> b, gemm::Lanes<I...>) {
  return __builtin_shufflevector(a, b, (2 * I)...);
}

template <class S, int... I>
PT_GEMM_INLINE Vec<S> odd_lanes(Vec<S> a, Vec<S> b, gemm::Lanes<I...>) {
  return __builtin_shufflevector(a, b, (2 * I + 1)...);
}

// Elements 0, m, 2 m... of m vectors in a row to out[0], elements 1, m + 1... to out[1], and so on,
// for m = 2 and 4.
template <int kParts, class S>
PT_GEMM_INLINE void take_apart(const Vec<S>* v, Vec<S>* out) {
  const gemm::LanesOf<S> lanes{};
  const auto even = [&](Vec<S> a, Vec<S> b) { return even_lanes<S>(a, b, lanes); };
  const auto odd = [&](Vec<S> a, Vec<S> b) { return odd_lanes<S>(a, b, lanes); };
  if constexpr (kParts == 2) {
    out[0] = even(v[0], v[1]);
    out[1] = odd(v[0], v[1]);
  } else {
    const Vec<S> e0 = even(v[0], v[1]), e1 = even(v[2], v[3]);
    const Vec<S> o0 = odd(v[0], v[1]), o1 = odd(v[2], v[3]);
    out[0] = even(e0, e1);
    out[1] = even(o0, o1);
    out[2] = odd(e0, e1);
    out[3] = odd(o0, o1);
  }
}

// The first `width` of the elements even[0] odd[0] even[1] odd[1]...
template <class S>
PT_GEMM_INLINE void store_pairs(S* to, Vec<S> even, Vec<S> odd, int64_t width) {
  constexpr int kL = kLanes<S>;
  const Vec<S> low = gemm::zip_low<S>(even, odd, gemm::LanesOf<S>{});
  const Vec<S> high = gemm::zip_high<S>(even, odd, gemm::LanesOf<S>{});
  width >= kL ? store(to, low) : store_n(to, low, static_cast<int>(width));
  if (width >= 2 * kL) {
    store(to + kL, high);
  } else if (width > kL) {
    store_n(to + kL, high, static_cast<int>(width - kL));
  }
}

// Which elements a vector of kLanes elements at p, p + step, p + 2 * step... may read: masks of the
// vectors in memory for steps 1 and 2, the first and last lane of the result for other steps.
struct Access {
  LaneMask first, second;
};

template <class S>
PT_GEMM_INLINE Access make_access(int lo, int hi, int64_t step) {
  constexpr int kL = kLanes<S>;
  if (hi <= lo) return {0, 0};
  if (step == 1) return {lanes_between(lo, hi), 0};
  if (step == 2) {
    const int begin = 2 * lo, end = 2 * hi - 1;
    return {lanes_between(begin, gemm::min_of(end, kL)),
            lanes_between(begin > kL ? begin - kL : 0, end - kL)};
  }
  return {static_cast<LaneMask>(lo), static_cast<LaneMask>(hi)};
}

template <class S>
PT_GEMM_INLINE Vec<S> load_strided(const S* p, int lo, int hi, int64_t step) {
  alignas(64) S lanes[kLanes<S>] = {};
  for (int i = lo; i < hi; i++) lanes[i] = p[i * step];
  return load(lanes);
}
#if defined(PT_ISA_IS_AVX512)
PT_GEMM_INLINE Vec<float> load_strided(const float* p, int lo, int hi, int64_t step) {
  if (step > (1 << 26)) return load_strided<float>(p, lo, hi, step);
  const __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  const __m512i at = _mm512_mullo_epi32(lane, _mm512_set1_epi32(static_cast<int>(step)));
  return (Vec<float>)_mm512_mask_i32gather_ps(_mm512_setzero_ps(), lanes_between(lo, hi), at, p, 4);
}
#endif

// kStep is 1, 2, or 0 for any `step`.
template <int kStep, class S>
PT_GEMM_INLINE Vec<S> load_access(const S* p, const Access& a, [[maybe_unused]] int64_t step) {
  if constexpr (kStep == 1) {
    return load_lanes(p, a.first);
  } else if constexpr (kStep == 2) {
    return even_lanes<S>(load_lanes(p, a.first), load_lanes(p + kLanes<S>, a.second),
                         gemm::LanesOf<S>{});
  } else {
    return load_strided(p, a.first, a.second, step);
  }
}

}  // namespace pt::PT_ISA::conv

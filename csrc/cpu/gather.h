// Vectors of elements named by place, for kernels that sample images. g++ takes gathers apart where
// it is not told to tune for one machine, hence the instructions by name.
#pragma once

#include "cpu/reduce_lanes.h"

namespace pt::PT_ISA {

// As many places as a vector of L has lanes.
template <class L>
using Places = typename VecOf<int32_t, kLanes<L>>::type;

template <class L>
static inline Places<L> load_places(const int32_t* p) {
  Places<L> v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

// in[place] as values of L; 0 where the place is negative, and nothing is read there.
template <class L, class T>
static inline Vec<L> gather(const T* in, Places<L> place) {
#if defined(PT_ISA_IS_AVX512)
  if constexpr (kSame<T, float>) {
    const __m512i at = reinterpret_cast<__m512i>(place);
    const auto exists = static_cast<__mmask16>(~uint32_t{_mm512_movepi32_mask(at)});
    return reinterpret_cast<Vec<L>>(
        _mm512_mask_i32gather_ps(_mm512_setzero_ps(), exists, at, in, 4));
  } else if constexpr (kSame<T, double>) {
    const __m256i at = reinterpret_cast<__m256i>(place);
    const auto exists = static_cast<__mmask8>(~uint32_t{_mm256_movepi32_mask(at)});
    return reinterpret_cast<Vec<L>>(
        _mm512_mask_i32gather_pd(_mm512_setzero_pd(), exists, at, in, 8));
  }
#elif defined(PT_ISA_IS_AVX2)
  // The sign of a mask's lane decides.
  if constexpr (kSame<T, float>) {
    const __m256i at = reinterpret_cast<__m256i>(place);
    const __m256 exists = reinterpret_cast<__m256>(~place);
    return reinterpret_cast<Vec<L>>(
        _mm256_mask_i32gather_ps(_mm256_setzero_ps(), in, at, exists, 4));
  } else if constexpr (kSame<T, double>) {
    const __m128i at = reinterpret_cast<__m128i>(place);
    const __m256d exists =
        _mm256_castsi256_pd(_mm256_cvtepi32_epi64(reinterpret_cast<__m128i>(~place)));
    return reinterpret_cast<Vec<L>>(
        _mm256_mask_i32gather_pd(_mm256_setzero_pd(), in, at, exists, 8));
  }
#endif
  Raw<T> raw[kLanes<L>];
  for (int i = 0; i < kLanes<L>; ++i) {
    const int32_t at = place[i];
    if constexpr (kIsHalf<T>) {
      raw[i] = at < 0 ? uint16_t{0} : in[at].bits;
    } else {
      raw[i] = at < 0 ? T(0) : in[at];
    }
  }
  typename VecOf<Raw<T>, kLanes<L>>::type v;
  __builtin_memcpy(&v, raw, sizeof v);
  return decode<L, T>(v);
}

}  // namespace pt::PT_ISA

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

// in[place] as values of L; 0 where the place is negative. `in` has at least one element.
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
  // By lanes of the vector: a load of a whole vector would have to wait for stores of its elements.
  if constexpr (kSame<T, double>) {
    typename VecOf<int64_t, kLanes<L>>::type bits;
#pragma GCC unroll 8
    for (int i = 0; i < kLanes<L>; ++i) {
      const int64_t at = place[i], outside = at >> 63;
      bits[i] = __builtin_bit_cast(int64_t, in[at & ~outside]) & ~outside;
    }
    return reinterpret_cast<Vec<L>>(bits);
  } else {
    typename VecOf<Raw<T>, kLanes<L>>::type v;
#pragma GCC unroll 16
    for (int i = 0; i < kLanes<L>; ++i) {
      const int32_t at = place[i] < 0 ? 0 : place[i];
      if constexpr (kIsHalf<T>) {
        v[i] = in[at].bits;
      } else {
        v[i] = in[at];
      }
    }
    return reinterpret_cast<Vec<L>>(reinterpret_cast<Places<L>>(decode<L, T>(v)) & (place >= 0));
  }
}

// Elements that stand next to each other: those at the places, and the ones after them.
template <class L>
struct Pairs {
  Vec<L> first, second;
};

// Whether there is a gather_pairs for elements of T.
#if defined(PT_ISA_IS_AVX512) || defined(PT_ISA_IS_AVX2)
template <class T>
inline constexpr bool kGathersPairs = kSame<T, float> || kIsHalf<T>;

// Zeros where the place is negative. A pair is read as one number of twice the width.
template <class T>
static inline Pairs<float> gather_pairs(const T* in, Places<float> place) {
  if constexpr (kIsHalf<T>) {
    using Words = typename VecOf<uint32_t, kLanes<float>>::type;
    using Raws = typename VecOf<uint16_t, kLanes<float>>::type;
    const auto* words = reinterpret_cast<const int*>(in);
#if defined(PT_ISA_IS_AVX512)
    const __m512i at = reinterpret_cast<__m512i>(place);
    const auto exists = static_cast<__mmask16>(~uint32_t{_mm512_movepi32_mask(at)});
    const Words both = reinterpret_cast<Words>(
        _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), exists, at, words, 2));
#else
    const Words both = reinterpret_cast<Words>(
        _mm256_mask_i32gather_epi32(_mm256_setzero_si256(), words, reinterpret_cast<__m256i>(place),
                                    reinterpret_cast<__m256i>(~place), 2));
#endif
    if constexpr (kSame<T, BFloat16>) {
      return {reinterpret_cast<Vec<float>>(both << 16),
              reinterpret_cast<Vec<float>>(both & 0xffff0000u)};
    } else {
      return {decode<float, T>(__builtin_convertvector(both & 0xffffu, Raws)),
              decode<float, T>(__builtin_convertvector(both >> 16, Raws))};
    }
  } else {
    const auto* doubles = reinterpret_cast<const double*>(in);
#if defined(PT_ISA_IS_AVX512)
    const __m512i at = reinterpret_cast<__m512i>(place);
    const uint32_t exists = ~uint32_t{_mm512_movepi32_mask(at)};
    const __m512d zero = _mm512_setzero_pd();
    const __m512 low = _mm512_castpd_ps(
        _mm512_mask_i32gather_pd(zero, static_cast<__mmask8>(exists),
                                 _mm512_maskz_extracti64x4_epi64(0xff, at, 0), doubles, 4));
    const __m512 high = _mm512_castpd_ps(
        _mm512_mask_i32gather_pd(zero, static_cast<__mmask8>(exists >> 8),
                                 _mm512_maskz_extracti64x4_epi64(0xff, at, 1), doubles, 4));
    const __m512i even =
        _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const __m512i odd = _mm512_or_si512(even, _mm512_set1_epi32(1));
    return {reinterpret_cast<Vec<float>>(_mm512_permutex2var_ps(low, even, high)),
            reinterpret_cast<Vec<float>>(_mm512_permutex2var_ps(low, odd, high))};
#else
    const __m256i at = reinterpret_cast<__m256i>(place), exists = reinterpret_cast<__m256i>(~place);
    const auto half = [&](__m128i where, __m128i there) {
      const __m256d mask = _mm256_castsi256_pd(_mm256_cvtepi32_epi64(there));
      return _mm256_castpd_ps(
          _mm256_mask_i32gather_pd(_mm256_setzero_pd(), doubles, where, mask, 4));
    };
    const __m256 low = half(_mm256_castsi256_si128(at), _mm256_castsi256_si128(exists));
    const __m256 high = half(_mm256_extracti128_si256(at, 1), _mm256_extracti128_si256(exists, 1));
    const auto in_order = [](__m256 v) {  // from 0 1 4 5 2 3 6 7
      return reinterpret_cast<Vec<float>>(_mm256_permute4x64_pd(_mm256_castps_pd(v), 0xd8));
    };
    return {in_order(_mm256_shuffle_ps(low, high, 0x88)),
            in_order(_mm256_shuffle_ps(low, high, 0xdd))};
#endif
  }
}
#else
template <class T>
inline constexpr bool kGathersPairs = false;
template <class T>
static inline Pairs<float> gather_pairs(const T*, Places<float>);
#endif

}  // namespace pt::PT_ISA

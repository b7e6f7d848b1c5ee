// Vector type of the matrix product: whatever width this ISA has, on compiler vector extensions.
//
// Used by the packing routines and kernels in this folder. Loads of half and bfloat16 give float
// vectors, stores round back, so that everything between works on the accumulation type.
// Intrinsics only where the extensions have no word for it: masked and half precision accesses.
#pragma once

#include <cstdint>

#include "core/half.h"
#include "cpu/kernel_table.h"

#if defined(PT_ISA_IS_AVX512) || defined(PT_ISA_IS_AVX2)
#include <immintrin.h>
#endif

#define PT_GEMM_INLINE inline __attribute__((always_inline))
#define PT_GEMM_UNROLL _Pragma("GCC unroll 32")

namespace pt::PT_ISA::gemm {

template <class I>
PT_GEMM_INLINE I min_of(I a, I b) {
  return a < b ? a : b;
}
PT_GEMM_INLINE int64_t max_of(int64_t a, int64_t b) { return a > b ? a : b; }
PT_GEMM_INLINE int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
PT_GEMM_INLINE int64_t round_up(int64_t a, int64_t b) { return divide_up(a, b) * b; }

// The type sums are kept in.
template <class T>
struct Accumulator {
  using type = T;
};
template <>
struct Accumulator<Half> {
  using type = float;
};
template <>
struct Accumulator<BFloat16> {
  using type = float;
};
template <class T>
using AccumulatorOf = typename Accumulator<T>::type;

template <class S>
struct VecOf {
  typedef S type __attribute__((vector_size(kVectorBytes)));
  typedef S unaligned __attribute__((vector_size(kVectorBytes), aligned(sizeof(S)), may_alias));
};
template <class S>
using Vec = typename VecOf<S>::type;
template <class S>
inline constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(S));

template <class S>
PT_GEMM_INLINE Vec<S> broadcast(S x) {
  return x - Vec<S>{};
}

PT_GEMM_INLINE Vec<float> load(const float* p) {
  return *reinterpret_cast<const VecOf<float>::unaligned*>(p);
}
PT_GEMM_INLINE Vec<double> load(const double* p) {
  return *reinterpret_cast<const VecOf<double>::unaligned*>(p);
}
PT_GEMM_INLINE void store(float* p, Vec<float> v) {
  *reinterpret_cast<VecOf<float>::unaligned*>(p) = v;
}
PT_GEMM_INLINE void store(double* p, Vec<double> v) {
  *reinterpret_cast<VecOf<double>::unaligned*>(p) = v;
}

// load_n / store_n touch only the first n lanes, 0 <= n <= kLanes; the others read as zero.
#if defined(PT_ISA_IS_AVX512)
PT_GEMM_INLINE Vec<float> load_n(const float* p, int n) {
  return (Vec<float>)_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), p);
}
PT_GEMM_INLINE Vec<double> load_n(const double* p, int n) {
  return (Vec<double>)_mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << n) - 1), p);
}
PT_GEMM_INLINE void store_n(float* p, Vec<float> v, int n) {
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), (__m512)v);
}
PT_GEMM_INLINE void store_n(double* p, Vec<double> v, int n) {
  _mm512_mask_storeu_pd(p, static_cast<__mmask8>((1u << n) - 1), (__m512d)v);
}
#elif defined(PT_ISA_IS_AVX2)
// Sliding a window over ones and zeros gives the mask of n lanes.
alignas(64) inline constexpr int32_t kMaskWindow[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
PT_GEMM_INLINE __m256i mask32(int n) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kMaskWindow + 8 - n));
}
PT_GEMM_INLINE __m256i mask64(int n) { return mask32(2 * n); }
PT_GEMM_INLINE Vec<float> load_n(const float* p, int n) {
  return (Vec<float>)_mm256_maskload_ps(p, mask32(n));
}
PT_GEMM_INLINE Vec<double> load_n(const double* p, int n) {
  return (Vec<double>)_mm256_maskload_pd(p, mask64(n));
}
PT_GEMM_INLINE void store_n(float* p, Vec<float> v, int n) {
  _mm256_maskstore_ps(p, mask32(n), (__m256)v);
}
PT_GEMM_INLINE void store_n(double* p, Vec<double> v, int n) {
  _mm256_maskstore_pd(p, mask64(n), (__m256d)v);
}
#else
template <class S>
PT_GEMM_INLINE Vec<S> load_n(const S* p, int n) {
  Vec<S> v = {};
  for (int i = 0; i < kLanes<S>; i++) {
    if (i < n) v[i] = p[i];
  }
  return v;
}
template <class S>
PT_GEMM_INLINE void store_n(S* p, Vec<S> v, int n) {
  for (int i = 0; i < kLanes<S>; i++) {
    if (i < n) p[i] = v[i];
  }
}
#endif

typedef uint16_t VecHalfBits __attribute__((vector_size(kVectorBytes / 2), aligned(2), may_alias));
typedef uint32_t VecBits __attribute__((vector_size(kVectorBytes)));

PT_GEMM_INLINE Vec<float> load(const BFloat16* p) {
  const VecHalfBits bits = *reinterpret_cast<const VecHalfBits*>(p);
  return (Vec<float>)(__builtin_convertvector(bits, VecBits) << 16);
}
PT_GEMM_INLINE VecHalfBits bfloat16_bits(Vec<float> v) {
  const VecBits u = (VecBits)v;
  const VecBits rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
  const VecBits bits = (u & 0x7fffffffu) > 0x7f800000u ? (VecBits{} + 0x7fc0u) : rounded;
  return __builtin_convertvector(bits, VecHalfBits);
}
PT_GEMM_INLINE void store(BFloat16* p, Vec<float> v) {
  *reinterpret_cast<VecHalfBits*>(p) = bfloat16_bits(v);
}
#if defined(PT_ISA_IS_AVX512) || defined(PT_ISA_IS_AVX2)
inline constexpr int kRoundNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
#endif
// The masked conversions are those without g++ 12's false warnings (uninitialised operand).
PT_GEMM_INLINE Vec<float> load(const Half* p) {
#if defined(PT_ISA_IS_AVX512)
  return (Vec<float>)_mm512_maskz_cvtph_ps(0xffff,
                                           _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
#elif defined(PT_ISA_IS_AVX2)
  return (Vec<float>)_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
#else
  Vec<float> v;
  for (int i = 0; i < kLanes<float>; i++) v[i] = p[i];
  return v;
#endif
}
PT_GEMM_INLINE void store(Half* p, Vec<float> v) {
#if defined(PT_ISA_IS_AVX512)
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                      _mm512_maskz_cvtps_ph(0xffff, (__m512)v, kRoundNearest));
#elif defined(PT_ISA_IS_AVX2)
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph((__m256)v, kRoundNearest));
#else
  for (int i = 0; i < kLanes<float>; i++) p[i] = Half(v[i]);
#endif
}

// Partial half precision vectors pass through a full one on the stack.
template <class T>
PT_GEMM_INLINE Vec<float> load_n_half(const T* p, int n) {
  T full[kLanes<float>] = {};
  for (int i = 0; i < n; i++) full[i] = p[i];
  return load(full);
}
template <class T>
PT_GEMM_INLINE void store_n_half(T* p, Vec<float> v, int n) {
  T full[kLanes<float>];
  store(full, v);
  for (int i = 0; i < n; i++) p[i] = full[i];
}
PT_GEMM_INLINE Vec<float> load_n(const Half* p, int n) { return load_n_half(p, n); }
#if defined(PT_ISA_IS_AVX512)
PT_GEMM_INLINE Vec<float> load_bits(const BFloat16* p, __mmask16 lanes) {
  const __m256i bits = _mm256_maskz_loadu_epi16(lanes, p);
  return (Vec<float>)(__builtin_convertvector((VecHalfBits)bits, VecBits) << 16);
}
PT_GEMM_INLINE Vec<float> load_n(const BFloat16* p, int n) {
  return load_bits(p, static_cast<__mmask16>((1u << n) - 1));
}
PT_GEMM_INLINE void store_n(BFloat16* p, Vec<float> v, int n) {
  _mm256_mask_storeu_epi16(p, static_cast<__mmask16>((1u << n) - 1), (__m256i)bfloat16_bits(v));
}
#else
PT_GEMM_INLINE Vec<float> load_n(const BFloat16* p, int n) { return load_n_half(p, n); }
PT_GEMM_INLINE void store_n(BFloat16* p, Vec<float> v, int n) { store_n_half(p, v, n); }
#endif
PT_GEMM_INLINE void store_n(Half* p, Vec<float> v, int n) { store_n_half(p, v, n); }

template <int... I>
struct Lanes {};
template <int N, int... I>
struct MakeLanes : MakeLanes<N - 1, N - 1, I...> {};
template <int... I>
struct MakeLanes<0, I...> {
  using type = Lanes<I...>;
};

// zip_low(a, b) = a0 b0 a1 b1 ... over the lower halves, zip_high over the upper ones.
template <class S, int... I>
PT_GEMM_INLINE Vec<S> zip_low(Vec<S> a, Vec<S> b, Lanes<I...>) {
  return __builtin_shufflevector(a, b, ((I & 1) * kLanes<S> + I / 2)...);
}
template <class S, int... I>
PT_GEMM_INLINE Vec<S> zip_high(Vec<S> a, Vec<S> b, Lanes<I...>) {
  return __builtin_shufflevector(a, b, ((I & 1) * kLanes<S> + kLanes<S> / 2 + I / 2)...);
}
template <class S>
using LanesOf = typename MakeLanes<kLanes<S>>::type;

// Transposes a square of kLanes vectors in registers: each round interleaves row i with row
// i + kLanes/2, which rotates the bits of (row, lane) by one.
template <class S>
PT_GEMM_INLINE void transpose(Vec<S> (&r)[kLanes<S>]) {
  constexpr int kHalf = kLanes<S> / 2;
  Vec<S> t[kLanes<S>];
  PT_GEMM_UNROLL for (int width = 1; width < kLanes<S>; width *= 2) {
    PT_GEMM_UNROLL for (int i = 0; i < kHalf; i++) {
      t[2 * i] = zip_low<S>(r[i], r[i + kHalf], LanesOf<S>{});
      t[2 * i + 1] = zip_high<S>(r[i], r[i + kHalf], LanesOf<S>{});
    }
    PT_GEMM_UNROLL for (int i = 0; i < kLanes<S>; i++) r[i] = t[i];
  }
}

// Adds the lanes up, always as halves: (i, i + kLanes/2) first, then quarters, and so on.
template <class S, int... I>
PT_GEMM_INLINE Vec<S> rotate_lanes(Vec<S> v, int by, Lanes<I...>) {
  if (by == 8) return __builtin_shufflevector(v, v, ((I + 8) % kLanes<S>)...);
  if (by == 4) return __builtin_shufflevector(v, v, ((I + 4) % kLanes<S>)...);
  if (by == 2) return __builtin_shufflevector(v, v, ((I + 2) % kLanes<S>)...);
  return __builtin_shufflevector(v, v, ((I + 1) % kLanes<S>)...);
}
template <class S>
PT_GEMM_INLINE S sum_lanes(Vec<S> v) {
  PT_GEMM_UNROLL for (int by = kLanes<S> / 2; by >= 1; by /= 2) {
    v += rotate_lanes<S>(v, by, LanesOf<S>{});
  }
  return v[0];
}

// The same sums, in the same order of additions, of four vectors at once.
template <class S>
PT_GEMM_INLINE void sum_lanes_of_4(const Vec<S>* v, S* out) {
  if constexpr (kLanes<S> >= 4) {
    const LanesOf<S> lanes{};
    const Vec<S> p = zip_low<S>(v[0], v[1], lanes) + zip_high<S>(v[0], v[1], lanes);
    const Vec<S> q = zip_low<S>(v[2], v[3], lanes) + zip_high<S>(v[2], v[3], lanes);
    Vec<S> r = zip_low<S>(p, q, lanes) + zip_high<S>(p, q, lanes);  // lanes 0 2 1 3, repeated
    PT_GEMM_UNROLL for (int by = kLanes<S> / 2; by >= 4; by /= 2) {
      r += rotate_lanes<S>(r, by, lanes);
    }
    out[0] = r[0];
    out[1] = r[2];
    out[2] = r[1];
    out[3] = r[3];
  } else {
    for (int i = 0; i < 4; i++) out[i] = sum_lanes<S>(v[i]);
  }
}

}  // namespace pt::PT_ISA::gemm

// Vectors of one register and the conversions between stored elements and the types that
// reductions, scans and softmax compute in. Included by those ISA files only.
//
// Conversions are written here, inside the ISA's namespace, so that no inline function of a
// shared header is compiled with wide instructions.
#pragma once

#include "core/half.h"
#include "cpu/kernel_table.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace pt::PT_ISA {

template <class T, int N>
struct VecOf {
  typedef T type __attribute__((vector_size(N * sizeof(T))));
};
template <class T>
inline constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(T));
template <class T>
using Vec = typename VecOf<T, kLanes<T>>::type;

template <class A, class B>
inline constexpr bool kSame = false;
template <class A>
inline constexpr bool kSame<A, A> = true;

template <class T>
inline constexpr bool kFloating =
    kSame<T, float> || kSame<T, double> || kSame<T, Half> || kSame<T, BFloat16>;
template <class T>
inline constexpr bool kIsHalf = kSame<T, Half> || kSame<T, BFloat16>;

// If<c, A, B>: std::conditional without its header.
template <bool C, class A, class B>
struct IfImpl {
  using type = A;
};
template <class A, class B>
struct IfImpl<false, A, B> {
  using type = B;
};
template <bool C, class A, class B>
using If = typename IfImpl<C, A, B>::type;

// The type an element is computed in when no wider accumulator is asked for.
template <class T>
using Compute = If<kIsHalf<T>, float, If<kFloating<T> || kSame<T, int64_t>, T, int32_t>>;
// The type of a comparison's or a count's lane beside a lane of T.
template <class T>
using IntOf = If<sizeof(T) == 8, int64_t, int32_t>;

template <class T>
struct Limits {
  static constexpr T lowest = static_cast<T>(T(1) << (sizeof(T) * 8 - 1));
  static constexpr T highest = static_cast<T>(~lowest);
};
template <>
struct Limits<float> {
  static constexpr float lowest = -__builtin_inff(), highest = __builtin_inff();
};
template <>
struct Limits<double> {
  static constexpr double lowest = -__builtin_inf(), highest = __builtin_inf();
};

// ---- scalars ----

static inline float half_to_float(uint16_t h) {
  const uint32_t magnitude = h & 0x7fffu;
  // Multiplying by 2^112 moves the exponent bias from 15 to 127, subnormals included.
  const float scaled = __builtin_bit_cast(float, magnitude << 13) * 0x1p112f;
  uint32_t u = __builtin_bit_cast(uint32_t, scaled);
  u |= magnitude >= 0x7c00u ? 0x7f800000u : 0u;
  return __builtin_bit_cast(float, u | (uint32_t{h} & 0x8000u) << 16);
}

static inline uint16_t float_to_half(float f) {
  const uint32_t u = __builtin_bit_cast(uint32_t, f);
  const uint32_t a = u & 0x7fffffffu;
  // Subnormal results: adding 0.5 aligns the mantissa so that float addition rounds it.
  const uint32_t small =
      __builtin_bit_cast(uint32_t, __builtin_bit_cast(float, a) + 0.5f) - 0x3f000000u;
  const uint32_t normal = (a - 0x38000000u + 0xfffu + ((a >> 13) & 1u)) >> 13;
  uint32_t h = a < 0x38800000u ? small : normal;
  h = a >= 0x477ff000u ? 0x7c00u : h;
  h = a > 0x7f800000u ? 0x7e00u : h;
  return static_cast<uint16_t>(h | ((u >> 16) & 0x8000u));
}

static inline uint16_t float_to_bfloat16(float f) {
  const uint32_t u = __builtin_bit_cast(uint32_t, f);
  const uint32_t rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
  return static_cast<uint16_t>((u & 0x7fffffffu) > 0x7f800000u ? 0x7fc0u : rounded);
}

// An element as a value of L.
template <class L, class T>
static inline L widen(T x) {
  if constexpr (kSame<T, Half>) {
    return static_cast<L>(half_to_float(x.bits));
  } else if constexpr (kSame<T, BFloat16>) {
    return static_cast<L>(__builtin_bit_cast(float, uint32_t{x.bits} << 16));
  } else {
    return static_cast<L>(x);
  }
}

// A value as a stored element, rounded to nearest even.
template <class T, class L>
static inline T narrow(L x) {
  if constexpr (kIsHalf<T>) {
    T r;
    const float f = static_cast<float>(x);
    r.bits = kSame<T, Half> ? float_to_half(f) : float_to_bfloat16(f);
    return r;
  } else {
    return static_cast<T>(x);
  }
}

// ---- vectors ----

template <class L>
static inline Vec<L> splat(L x) {
  return x - Vec<L>{};
}

// The type whose vectors hold T's bits: vectors of bool or of a struct do not exist.
template <class T>
using Raw = If<kIsHalf<T>, uint16_t, If<kSame<T, bool>, uint8_t, T>>;

// The vector's elements as values of L. By doubling: g++ 12 takes apart conversions that widen
// more.
template <class L, int N, class T>
static inline typename VecOf<L, N>::type convert(typename VecOf<T, N>::type v) {
  if constexpr (sizeof(T) * 2 >= sizeof(L)) {
    return __builtin_convertvector(v, typename VecOf<L, N>::type);
  } else {
    constexpr bool is_unsigned = T(0) < T(-1);
    using Twice =
        If<sizeof(T) == 1, If<is_unsigned, uint16_t, int16_t>, If<is_unsigned, uint32_t, int32_t>>;
    return convert<L, N, Twice>(__builtin_convertvector(v, typename VecOf<Twice, N>::type));
  }
}

// Stored bits of N elements of T as values of L.
template <class L, class T, int N = kLanes<L>>
static inline typename VecOf<L, N>::type decode(typename VecOf<Raw<T>, N>::type raw) {
  using Out = typename VecOf<L, N>::type;
  if constexpr (kIsHalf<T> && kSame<L, double>) {
    return __builtin_convertvector(decode<float, T, N>(raw), Out);
  } else if constexpr (kSame<T, Half>) {
#if defined(__AVX512F__)
    if constexpr (N == 16) {
      return reinterpret_cast<Out>(_mm512_maskz_cvtph_ps(0xffff, reinterpret_cast<__m256i>(raw)));
    }
#endif
#if defined(__F16C__)
    if constexpr (N == 8) {
      return reinterpret_cast<Out>(_mm256_cvtph_ps(reinterpret_cast<__m128i>(raw)));
    }
#endif
    Out v;
    for (int i = 0; i < N; ++i) v[i] = half_to_float(raw[i]);
    return v;
  } else if constexpr (kSame<T, BFloat16>) {
    return reinterpret_cast<Out>(convert<uint32_t, N, uint16_t>(raw) << 16);
  } else if constexpr (kSame<Raw<T>, L>) {
    return raw;
  } else {
    return convert<L, N, Raw<T>>(raw);
  }
}

// A vector's lanes of consecutive elements, from any address, as values of L.
template <class L, class T>
static inline Vec<L> load(const T* p) {
  typename VecOf<Raw<T>, kLanes<L>>::type raw;
  __builtin_memcpy(&raw, p, sizeof raw);
  return decode<L, T>(raw);
}

template <class L>
static inline void store(L* p, Vec<L> v) {
  __builtin_memcpy(p, &v, sizeof v);
}

// Lane i of the result is lane (i + Shift) mod N of v.
template <int Shift, class V>
static inline V rotate(V v) {
  using Index = typename VecOf<IntOf<decltype(v[0] + v[0])>, kLanes<decltype(v[0] + v[0])>>::type;
  constexpr int n = sizeof(V) / sizeof(v[0]);
  Index index;
  for (int i = 0; i < n; ++i) index[i] = (i + Shift) % n;
  return __builtin_shuffle(v, index);
}

// One bit a lane of a comparison's result, lane 0 lowest.
template <class M>
static inline uint32_t lane_bits(M mask) {
  constexpr bool wide = sizeof(mask[0]) == 8;
#if defined(PT_ISA_IS_AVX512)
  const __m512i m = reinterpret_cast<__m512i>(mask);
  return wide ? uint32_t{_mm512_movepi64_mask(m)} : uint32_t{_mm512_movepi32_mask(m)};
#elif defined(PT_ISA_IS_AVX2)
  return static_cast<uint32_t>(wide ? _mm256_movemask_pd(reinterpret_cast<__m256d>(mask))
                                    : _mm256_movemask_ps(reinterpret_cast<__m256>(mask)));
#elif defined(__SSE2__)
  return static_cast<uint32_t>(wide ? _mm_movemask_pd(reinterpret_cast<__m128d>(mask))
                                    : _mm_movemask_ps(reinterpret_cast<__m128>(mask)));
#else
  uint32_t r = 0;
  for (unsigned i = 0; i < sizeof mask / sizeof(mask[0]); ++i) r |= (mask[i] & 1u) << i;
  return r;
#endif
}

// All lanes of v merged into one, in a fixed order.
template <class L, int Step = kLanes<L> / 2, class F>
static inline L across(Vec<L> v, F merge) {
  if constexpr (Step == 0) {
    return v[0];
  } else {
    return across<L, Step / 2>(merge(v, rotate<Step>(v)), merge);
  }
}

// Elements i .. n of p, fewer than a vector's lanes, in some lanes; `pad` in the others.
template <class L, class T>
static inline Vec<L> load_tail(const T* p, int64_t i, int64_t n, L pad) {
  constexpr int lanes = kLanes<L>;
  Vec<IntOf<L>> lane;
  for (int j = 0; j < lanes; ++j) lane[j] = j;
  const auto count = splat(static_cast<IntOf<L>>(n - i));
#if defined(PT_ISA_IS_AVX512)
  using Raws = typename VecOf<Raw<T>, lanes>::type;
  const uint64_t bytes = ~uint64_t{0} >> (64 - (n - i) * static_cast<int64_t>(sizeof(T)));
  Raws raw;
  if constexpr (sizeof(Raws) == 64) {
    raw = reinterpret_cast<Raws>(_mm512_maskz_loadu_epi8(bytes, p + i));
  } else if constexpr (sizeof(Raws) == 32) {
    raw = reinterpret_cast<Raws>(_mm256_maskz_loadu_epi8(static_cast<__mmask32>(bytes), p + i));
  } else {
    const __m128i r = _mm_maskz_loadu_epi8(static_cast<__mmask16>(bytes), p + i);
    __builtin_memcpy(&raw, &r, sizeof raw);
  }
  return lane < count ? decode<L, T>(raw) : splat<L>(pad);
#else
  if (n >= lanes) {
    return lane >= lanes - count ? load<L>(p + n - lanes) : splat<L>(pad);
  }
  L tail[lanes];
  for (int j = 0; j < lanes; ++j) tail[j] = i + j < n ? widen<L>(p[i + j]) : pad;
  return load<L>(tail);
#endif
}

// ---- blocks: n consecutive elements to and from values of L ----

template <class L, class T>
static inline void widen_block(const T* __restrict in, L* __restrict out, int64_t n) {
  int64_t i = 0;
  if constexpr (kSame<T, Half> && kSame<L, float>) {
    for (; i + kLanes<float> <= n; i += kLanes<float>) store(out + i, load<float>(in + i));
  }
  for (; i < n; ++i) out[i] = widen<L>(in[i]);
}

template <class T, class L>
static inline void narrow_block(const L* __restrict in, T* __restrict out, int64_t n) {
  int64_t i = 0;
#if defined(__F16C__)
  if constexpr (kSame<T, Half> && kSame<L, float>) {
    for (; i + 8 <= n; i += 8) {
      const __m128i raw = _mm256_cvtps_ph(_mm256_loadu_ps(in + i), _MM_FROUND_TO_NEAREST_INT);
      __builtin_memcpy(out + i, &raw, sizeof raw);
    }
  }
#endif
  for (; i < n; ++i) out[i] = narrow<T>(in[i]);
}

}  // namespace pt::PT_ISA

// Numbers on their way from memory into the tiles of the bfloat16 units: each rounded to bfloat16,
// or float32 ones as the sum of two (Henry, Tang, Heinecke, "Leveraging the bfloat16 artificial
// intelligence datatype for higher-precision computations", 2019). Used by what packs operands.
#pragma once

#include "cpu/gemm/tiles.h"

#if defined(PT_ISA_IS_AVX512)

namespace pt::PT_ISA::gemm {

PT_GEMM_INLINE uint32_t mask_of(int64_t n) { return n >= 32 ? ~0u : (1u << n) - 1; }

// Two vectors of floats as 32 bfloat16, those of `low` first.
PT_GEMM_INLINE __m512i narrow(__m512 low, __m512 high) {
  __m512i both;
  asm("vcvtne2ps2bf16 %2, %1, %0" : "=v"(both) : "v"(high), "v"(low));
  return both;
}
PT_GEMM_INLINE __m256i narrow(__m512 v) {
  __m256i half;
  asm("vcvtneps2bf16 %1, %0" : "=v"(half) : "v"(v));
  return half;
}

// A float32 as the sum of two bfloat16 numbers has 16 or 17 of its 24 bits. Infinities, NaN and
// what is rounded to infinity are no such sums: products with their parts could be of either sign,
// so who packs them is told.
inline thread_local bool met_infinite = false;

// Sees the low parts, which are NaN or infinite of such numbers.
struct FiniteCheck {
  __m512 sum = {};
  PT_GEMM_INLINE void see(__m512 low) { sum = _mm512_fmadd_ps(low, __m512{}, sum); }
  PT_GEMM_INLINE ~FiniteCheck() {
    if (_mm512_cmp_ps_mask(sum, sum, _CMP_UNORD_Q) != 0) met_infinite = true;
  }
};

// What the threads that take part in a product with two parts have met.
class InfinityWatch {
 public:
  // The share of one chunk of work.
  class Share {
   public:
    explicit Share(InfinityWatch& all) : all_(all) { met_infinite = false; }
    ~Share() {
      if (met_infinite) __atomic_store_n(&all_.met_, true, __ATOMIC_RELAXED);
    }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

   private:
    InfinityWatch& all_;
  };
  bool met() const { return __atomic_load_n(&met_, __ATOMIC_RELAXED); }

 private:
  bool met_ = false;
};

// The first n of 32 numbers as bfloat16; zeros after them.
PT_GEMM_INLINE __m512i load_32(const BFloat16* p, int64_t n) {
  return _mm512_maskz_loadu_epi16(mask_of(n), p);
}
PT_GEMM_INLINE __m512i load_32(const float* p, int64_t n) {
  const uint32_t mask = mask_of(n);
  return narrow(_mm512_maskz_loadu_ps(static_cast<__mmask16>(mask & 0xffffu), p),
                _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask >> 16), p + 16));
}

// (low0, high0, low1, high1, ...) of the first or second 16 numbers of two vectors.
struct Interleave {
  __m512i first, second;
  Interleave() {
    alignas(64) uint16_t a[32], b[32];
    for (int i = 0; i < 32; i++) {
      a[i] = static_cast<uint16_t>(i / 2 + 32 * (i & 1));
      b[i] = static_cast<uint16_t>(a[i] + 16);
    }
    first = _mm512_load_si512(a);
    second = _mm512_load_si512(b);
  }
  PT_GEMM_INLINE __m512i low(__m512i x, __m512i y) const {
    return _mm512_permutex2var_epi16(x, first, y);
  }
  PT_GEMM_INLINE __m512i high(__m512i x, __m512i y) const {
    return _mm512_permutex2var_epi16(x, second, y);
  }
};

// 32 numbers on their way into tiles, as themselves or in two parts.
template <class T, int kParts>
struct Numbers {
  static_assert(kParts == 1);
  __m512i v = {};
  PT_GEMM_INLINE static Numbers of(__m512 first, __m512 second, FiniteCheck&) {
    return {narrow(first, second)};
  }
  PT_GEMM_INLINE static Numbers load(const T* p, uint32_t mask, FiniteCheck& check) {
    if constexpr (std::is_same_v<T, BFloat16>) {
      return {_mm512_maskz_loadu_epi16(mask, p)};
    } else {
      return of(_mm512_maskz_loadu_ps(static_cast<__mmask16>(mask & 0xffffu), p),
                _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask >> 16), p + 16), check);
    }
  }
  PT_GEMM_INLINE void put(uint16_t* to, int64_t) const { _mm512_storeu_si512(to, v); }
  PT_GEMM_INLINE void put(uint16_t* to, int64_t, uint32_t mask) const {
    _mm512_mask_storeu_epi16(to, mask, v);
  }
  // Pairs of a number of x and one of y: the first 16 and the others.
  PT_GEMM_INLINE static void put_pairs(const Interleave& zip, const Numbers& x, const Numbers& y,
                                       uint16_t* first, uint16_t* second, int64_t) {
    _mm512_storeu_si512(first, zip.low(x.v, y.v));
    _mm512_storeu_si512(second, zip.high(x.v, y.v));
  }
};

// The parts are the upper halves of 32-bit lanes, so that pairs are made without moving lanes: high
// ones with zeros below, low ones with bits that do not count.
template <>
struct Numbers<float, 2> {
  __m512i high[2] = {}, low[2] = {};
  PT_GEMM_INLINE static Numbers of(__m512 first, __m512 second, FiniteCheck& check) {
    const __m512i half = _mm512_set1_epi32(0x8000);
    const __m512 v[2] = {first, second};
    Numbers n;
    PT_GEMM_UNROLL for (int i = 0; i < 2; i++) {
      n.high[i] = upper() & _mm512_add_epi32((__m512i)v[i], half);
      const __m512 rest = v[i] - (__m512)n.high[i];
      check.see(rest);
      n.low[i] = _mm512_add_epi32((__m512i)rest, half);
    }
    return n;
  }
  PT_GEMM_INLINE static Numbers load(const float* p, uint32_t mask, FiniteCheck& check) {
    return of(_mm512_maskz_loadu_ps(static_cast<__mmask16>(mask & 0xffffu), p),
              _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask >> 16), p + 16), check);
  }
  PT_GEMM_INLINE void put(uint16_t* to, int64_t step) const {
    _mm512_storeu_si512(to, in_order(high));
    _mm512_storeu_si512(to + step, in_order(low));
  }
  PT_GEMM_INLINE void put(uint16_t* to, int64_t step, uint32_t mask) const {
    _mm512_mask_storeu_epi16(to, mask, in_order(high));
    _mm512_mask_storeu_epi16(to + step, mask, in_order(low));
  }
  PT_GEMM_INLINE static void put_pairs(const Interleave&, const Numbers& x, const Numbers& y,
                                       uint16_t* first, uint16_t* second, int64_t step) {
    _mm512_storeu_si512(first, pairs(x.high[0], y.high[0]));
    _mm512_storeu_si512(second, pairs(x.high[1], y.high[1]));
    _mm512_storeu_si512(first + step, pairs(x.low[0], y.low[0]));
    _mm512_storeu_si512(second + step, pairs(x.low[1], y.low[1]));
  }

 private:
  PT_GEMM_INLINE static __m512i upper() {
    return _mm512_set1_epi32(static_cast<int32_t>(0xffff0000u));
  }
  PT_GEMM_INLINE static __m512i pairs(__m512i x, __m512i y) {
    // The mask only keeps g++ 12 from warning about its own header.
    const __m512i below = _mm512_maskz_srli_epi32(0xffff, x, 16);
    return _mm512_ternarylogic_epi32(upper(), y, below, 0xea);  // (upper & y) | below
  }
  PT_GEMM_INLINE static __m512i in_order(const __m512i* v) {
    alignas(64) static constexpr uint16_t kOdd[32] = {1,  3,  5,  7,  9,  11, 13, 15, 17, 19, 21,
                                                      23, 25, 27, 29, 31, 33, 35, 37, 39, 41, 43,
                                                      45, 47, 49, 51, 53, 55, 57, 59, 61, 63};
    return _mm512_permutex2var_epi16(v[0], _mm512_load_si512(kOdd), v[1]);
  }
};

}  // namespace pt::PT_ISA::gemm

#endif

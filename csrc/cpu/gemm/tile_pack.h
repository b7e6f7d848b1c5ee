// Packs operands of the bfloat16 units (tiles.h) from bfloat16 or float32 matrices of any strides.
//
// "Lines" are the rows of A or the columns of B; they run along k. A tile of A holds 16 lines of 32
// numbers; a tile of B the same numbers with pairs (k, k+1) as the elements of a transposed 16 x 16
// matrix. So a matrix whose lines lie contiguous is copied for A and transposed for B, and one that
// is contiguous across its lines is interleaved for B, and interleaved and transposed for A.
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

// The low part of a float32, what rounding it to bfloat16 loses: together they have 16 or 17 of its
// 24 bits. Packing from a float32 matrix gives the high parts, from the same memory seen as LowPart
// the low ones. Infinities, NaN and what is rounded to infinity have none: products with parts of
// them could be of either sign, so the caller is told.
inline thread_local bool met_infinite = false;
struct LowPart {
  float number;
  LowPart() = default;
  explicit LowPart(float f) : number(f) {}
};
PT_GEMM_INLINE __m512 low_part(__m512 v) {
  const __m256i high = narrow(v);
  // The masks only keep g++ 12 from warning about its own headers.
  constexpr __mmask16 kAll = 0xffff;
  const __m512i widened =
      _mm512_maskz_slli_epi32(kAll, _mm512_maskz_cvtepu16_epi32(kAll, high), 16);
  const __m512 rest = v - (__m512)widened;
  constexpr int kQuietNaN = 0x01, kInfinite = 0x08 | 0x10, kSignallingNaN = 0x80;
  const __mmask16 none = _mm512_fpclass_ps_mask(rest, kQuietNaN | kInfinite | kSignallingNaN);
  if (__builtin_expect(none, 0)) met_infinite = true;
  return rest;
}

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

// One number as packing rounds it.
PT_GEMM_INLINE BFloat16 rounded(BFloat16 x) { return x; }
PT_GEMM_INLINE BFloat16 rounded(float x) { return BFloat16(x); }
PT_GEMM_INLINE BFloat16 rounded(LowPart x) {
  const float rest = x.number - static_cast<float>(BFloat16(x.number));
  if (rest - rest != 0) met_infinite = true;
  return BFloat16(rest);
}

// Two vectors of floats as what packing from T makes of them.
template <class T>
PT_GEMM_INLINE __m512i narrow_as(__m512 low, __m512 high) {
  if constexpr (std::is_same_v<T, LowPart>) return narrow(low_part(low), low_part(high));
  return narrow(low, high);
}

// 32 numbers as bfloat16, zeros where the mask has none.
template <class T>
PT_GEMM_INLINE __m512i load_under(const T* p, uint32_t mask) {
  if constexpr (std::is_same_v<T, BFloat16>) {
    return _mm512_maskz_loadu_epi16(mask, p);
  } else {
    const auto* from = reinterpret_cast<const float*>(p);
    return narrow_as<T>(_mm512_maskz_loadu_ps(static_cast<__mmask16>(mask & 0xffffu), from),
                        _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask >> 16), from + 16));
  }
}
// The first n of 32 numbers as bfloat16; zeros after them.
template <class T>
PT_GEMM_INLINE __m512i load_32(const T* p, int64_t n) {
  return load_under(p, mask_of(n));
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

// Transposes 16 vectors of 16 pairs.
PT_GEMM_INLINE void transpose_pairs(const uint16_t* from, int64_t pitch, uint16_t* to) {
  Vec<float> r[16];
  PT_GEMM_UNROLL for (int i = 0; i < 16; i++) {
    r[i] = (Vec<float>)_mm512_loadu_si512(from + i * pitch);
  }
  transpose<float>(r);
  PT_GEMM_UNROLL for (int i = 0; i < 16; i++) {
    _mm512_storeu_si512(to + i * kTileDepth, (__m512i)r[i]);
  }
}

// A panel of at most 32 lines and its place: [steps][2 tiles][16][32].
template <class T>
struct Lines {
  const T* at;           // line 0, k = 0
  int64_t line, k;       // strides
  int64_t count, depth;  // lines, numbers of each
  int64_t steps() const { return divide_up(depth, kTileDepth); }
};

// Lines without a contiguous direction are copied to a contiguous tile first.
template <class T>
__attribute__((noinline)) void gather_tile(const Lines<T>& from, int64_t line0, int64_t k0, T* to) {
  for (int64_t i = 0; i < kTileRows; i++) {
    for (int64_t k = 0; k < kTileDepth; k++) {
      const bool inside = line0 + i < from.count && k0 + k < from.depth;
      to[i * kTileDepth + k] =
          inside ? from.at[(line0 + i) * from.line + (k0 + k) * from.k] : T(0.0f);
    }
  }
}

// kTranspose: as B from contiguous lines, as A from lines side by side.
template <bool kTranspose, class T>
void pack_along_k(const Lines<T>& from, uint16_t* to) {
  const int64_t steps = from.steps(), tiles = divide_up(from.count, kTileRows);
  const bool contiguous = from.k == 1;
  alignas(64) uint16_t tile[kTileSize];
  alignas(64) T gathered[kTileSize];
  if (!kTranspose && contiguous) {
    for (int64_t i = 0; i < tiles * kTileRows; i++) {
      uint16_t* row = to + i / kTileRows * kTileSize + i % kTileRows * kTileDepth;
      const T* line = from.at + i * from.line;
      for (int64_t s = 0; s < steps; s++, row += 2 * kTileSize) {
        const int64_t n = i < from.count ? from.depth - s * kTileDepth : 0;
        _mm512_storeu_si512(row, n > 0 ? load_32(line + s * kTileDepth, n) : __m512i{});
      }
    }
    return;
  }
  for (int64_t t = 0; t < tiles; t++) {
    for (int64_t s = 0; s < steps; s++) {
      uint16_t* out = to + (2 * s + t) * kTileSize;
      const T* line = from.at + t * kTileRows * from.line + s * kTileDepth * from.k;
      int64_t pitch = from.line, count = from.count - t * kTileRows;
      int64_t n = from.depth - s * kTileDepth;
      if (!contiguous) {
        gather_tile(from, t * kTileRows, s * kTileDepth, gathered);
        line = gathered, pitch = kTileDepth, count = kTileRows, n = kTileDepth;
      }
      uint16_t* rows = kTranspose ? tile : out;
      for (int64_t i = 0; i < kTileRows; i++) {
        _mm512_storeu_si512(rows + i * kTileDepth,
                            i < count ? load_32(line + i * pitch, n) : __m512i{});
      }
      if (kTranspose) transpose_pairs(tile, kTileDepth, out);
    }
  }
}

// Panels of 32 lines that lie side by side, `panel` numbers apart in the result; a few panels at a
// time, so that whole stretches of each row k are read.
template <bool kTranspose, class T>
void pack_across_k(const Lines<T>& from, int64_t panel, uint16_t* to) {
  constexpr int64_t kTogether = 4;
  const Interleave zip;
  const int64_t steps = from.steps(), panels = divide_up(from.count, kBlock);
  alignas(64) uint16_t tiles[2 * kTileSize];
  for (int64_t p0 = 0; p0 < panels; p0 += kTogether) {
    const int64_t p1 = min_of(panels, p0 + kTogether);
    for (int64_t s = 0; s < steps; s++) {
      for (int64_t p = p0; p < p1; p++) {
        const int64_t count = from.count - p * kBlock;
        uint16_t* out = to + p * panel + 2 * s * kTileSize;
        uint16_t* rows = kTranspose ? tiles : out;
        const T* at = from.at + p * kBlock + s * kTileDepth * from.k;
        for (int64_t r = 0; r < kTileRows; r++, at += 2 * from.k) {
          const int64_t left = from.depth - s * kTileDepth - 2 * r;
          const __m512i x = left > 0 ? load_32(at, count) : __m512i{};
          const __m512i y = left > 1 ? load_32(at + from.k, count) : __m512i{};
          _mm512_storeu_si512(rows + r * kTileDepth, zip.low(x, y));
          _mm512_storeu_si512(rows + kTileSize + r * kTileDepth, zip.high(x, y));
        }
        if (kTranspose) {
          transpose_pairs(tiles, kTileDepth, out);
          if (count > kTileRows) transpose_pairs(tiles + kTileSize, kTileDepth, out + kTileSize);
        }
      }
    }
  }
}

// Packs all lines as panels of 32, `panel` numbers apart. kIsB: pairs across (see above).
template <bool kIsB, class T>
void pack_panels(const Lines<T>& from, int64_t panel, uint16_t* to) {
  if (from.line == 1 && from.k != 1) return pack_across_k<!kIsB>(from, panel, to);
  for (int64_t i = 0; i < from.count; i += kBlock, to += panel) {
    Lines<T> some = from;
    some.at += i * from.line;
    some.count = min_of<int64_t>(kBlock, from.count - i);
    pack_along_k<kIsB>(some, to);
  }
}

}  // namespace pt::PT_ISA::gemm

#endif

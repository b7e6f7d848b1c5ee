// Packs operands of the bfloat16 units (tiles.h) from bfloat16 or float32 matrices of any strides,
// as the numbers of tile_numbers.h.
//
// "Lines" are the rows of A or the columns of B; they run along k. A tile of A holds 16 lines of 32
// numbers; a tile of B the same numbers with pairs (k, k+1) as the elements of a transposed 16 x 16
// matrix. So a matrix whose lines lie contiguous is copied for A and transposed for B, and one that
// is contiguous across its lines is interleaved for B, and interleaved and transposed for A.
#pragma once

#include "cpu/gemm/tile_numbers.h"

#if defined(PT_ISA_IS_AVX512)

namespace pt::PT_ISA::gemm {

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

// kTranspose: as B from contiguous lines, as A from lines side by side. Low parts go `low` numbers
// after the high ones, here and below.
template <bool kTranspose, int kParts, class T>
void pack_along_k(const Lines<T>& from, uint16_t* to, int64_t low) {
  using N = Numbers<T, kParts>;
  const int64_t steps = from.steps(), tiles = divide_up(from.count, kTileRows);
  const bool contiguous = from.k == 1;
  FiniteCheck check;
  alignas(64) uint16_t tile[kParts * kTileSize];
  alignas(64) T gathered[kTileSize];
  if (!kTranspose && contiguous) {
    for (int64_t i = 0; i < tiles * kTileRows; i++) {
      uint16_t* row = to + i / kTileRows * kTileSize + i % kTileRows * kTileDepth;
      const T* line = from.at + i * from.line;
      for (int64_t s = 0; s < steps; s++, row += 2 * kTileSize) {
        const int64_t n = i < from.count ? from.depth - s * kTileDepth : 0;
        (n > 0 ? N::load(line + s * kTileDepth, mask_of(n), check) : N{}).put(row, low);
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
        (i < count ? N::load(line + i * pitch, mask_of(n), check) : N{})
            .put(rows + i * kTileDepth, kTranspose ? kTileSize : low);
      }
      if (kTranspose) {
        for (int q = 0; q < kParts; q++) {
          transpose_pairs(tile + q * kTileSize, kTileDepth, out + q * low);
        }
      }
    }
  }
}

// Panels of 32 lines that lie side by side, `panel` numbers apart in the result; a few panels at a
// time, so that whole stretches of each row k are read.
template <bool kTranspose, int kParts, class T>
void pack_across_k(const Lines<T>& from, int64_t panel, uint16_t* to, int64_t low) {
  using N = Numbers<T, kParts>;
  constexpr int64_t kTogether = 4;
  const Interleave zip;
  FiniteCheck check;
  const int64_t steps = from.steps(), panels = divide_up(from.count, kBlock);
  alignas(64) uint16_t tiles[kParts * 2 * kTileSize];
  for (int64_t p0 = 0; p0 < panels; p0 += kTogether) {
    const int64_t p1 = min_of(panels, p0 + kTogether);
    for (int64_t s = 0; s < steps; s++) {
      for (int64_t p = p0; p < p1; p++) {
        const int64_t count = from.count - p * kBlock;
        const uint32_t mask = mask_of(count);
        uint16_t* out = to + p * panel + 2 * s * kTileSize;
        uint16_t* rows = kTranspose ? tiles : out;
        const T* at = from.at + p * kBlock + s * kTileDepth * from.k;
        for (int64_t r = 0; r < kTileRows; r++, at += 2 * from.k) {
          const int64_t left = from.depth - s * kTileDepth - 2 * r;
          const N x = left > 0 ? N::load(at, mask, check) : N{};
          const N y = left > 1 ? N::load(at + from.k, mask, check) : N{};
          N::put_pairs(zip, x, y, rows + r * kTileDepth, rows + kTileSize + r * kTileDepth,
                       kTranspose ? 2 * kTileSize : low);
        }
        for (int q = 0; kTranspose && q < kParts; q++) {
          const uint16_t* part = tiles + q * 2 * kTileSize;
          transpose_pairs(part, kTileDepth, out + q * low);
          if (count > kTileRows) {
            transpose_pairs(part + kTileSize, kTileDepth, out + q * low + kTileSize);
          }
        }
      }
    }
  }
}

// Packs all lines as panels of 32, `panel` numbers apart. kIsB: pairs across (see above).
template <bool kIsB, int kParts = 1, class T>
void pack_panels(const Lines<T>& from, int64_t panel, uint16_t* to, int64_t low = 0) {
  if (from.line == 1 && from.k != 1) return pack_across_k<!kIsB, kParts>(from, panel, to, low);
  for (int64_t i = 0; i < from.count; i += kBlock, to += panel) {
    Lines<T> some = from;
    some.at += i * from.line;
    some.count = min_of<int64_t>(kBlock, from.count - i);
    pack_along_k<kIsB, kParts>(some, to, low);
  }
}

}  // namespace pt::PT_ISA::gemm

#endif

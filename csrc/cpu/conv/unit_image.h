// Images as the bfloat16 units read them, for convolutions (unit_product.h, unit_weight.h).
//
// A plane is one channel as seen by one residue of the stride, with zeros where taps reach outside
// of the image: the value under tap t of result pixel (y, x) is plane(y + shift_y, x + shift_x).
// Rows of a plane follow each other, so that moving a tap is adding a constant: a run of pixels of
// the result is a run of numbers under every tap, also across the ends of rows. What comes out at
// the columns between the result's width and the plane's is never stored.
#pragma once

#include "cpu/conv/forward.h"
#include "cpu/gemm/tile_driver.h"

#if defined(PT_ISA_IS_AVX512)

namespace pt::PT_ISA::conv {

using gemm::kBlock;
using gemm::kTileDepth;
using gemm::kTileRows;
using gemm::kTileSize;
using gemm::Numbers;
using gemm::round_up;

inline constexpr int kMostUnitTaps = 1024;
// Fewer channels than this are unfolded: each pair of a channel and a tap becomes a plane.
inline constexpr int64_t kFewChannels = 16;

// Taps along one dimension: tap t reads the image at q * step + first + t * next.
struct UnitAxis {
  int64_t size = 1, grid = 1, step = 1;
  int64_t taps = 1, first = 0, next = 1;

  static int64_t floor_div(int64_t a, int64_t b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }
  int64_t offset(int64_t t) const { return first + t * next; }
  int64_t residue(int64_t t) const { return offset(t) - floor_div(offset(t), step) * step; }
  // Residues of the stride that taps read; few taps have one each.
  int64_t residues() const { return min_of(step, taps); }
  int64_t index_of(int64_t t) const { return taps < step ? t : residue(t); }
  int64_t residue_at(int64_t index) const { return taps < step ? residue(index) : index; }
  int64_t lowest() const { return floor_div(min_of(offset(0), offset(taps - 1)), step); }
  int64_t shift(int64_t t) const { return floor_div(offset(t), step) - lowest(); }
  int64_t most_shift() const { return max_of(shift(0), shift(taps - 1)); }
};

template <class T>
struct UnitImage {
  const T* image = nullptr;
  int64_t image_step = 0, channel_step = 0, channels = 1;
  UnitAxis y, x;

  int64_t num_taps() const { return y.taps * x.taps; }
  bool unfolded() const {
    return num_taps() > 1 && channels < kFewChannels && channels * num_taps() <= kMostUnitTaps;
  }
  // Of the planes: how many make a row of the product, and their sizes for `rows` rows of results.
  int64_t lines() const { return unfolded() ? channels * num_taps() : channels; }
  int64_t residues() const { return unfolded() ? 1 : y.residues() * x.residues(); }
  int64_t width() const { return x.grid + (unfolded() ? 0 : x.most_shift()); }
  int64_t height(int64_t rows) const { return rows + (unfolded() ? 0 : y.most_shift()); }
  // Where tap t's numbers begin, relative to its channel's first plane; planes are `plane` long.
  int64_t tap_start(int64_t t, int64_t plane) const {
    if (unfolded()) return 0;
    const int64_t ty = t / x.taps, tx = t % x.taps;
    return (y.index_of(ty) * x.residues() + x.index_of(tx)) * plane + y.shift(ty) * width() +
           x.shift(tx);
  }
};

alignas(64) inline constexpr uint16_t kEven[32] = {0,  2,  4,  6,  8,  10, 12, 14, 16, 18, 20,
                                                   22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 42,
                                                   44, 46, 48, 50, 52, 54, 56, 58, 60, 62};

alignas(64) inline constexpr uint32_t kEvenFloats[16] = {0,  2,  4,  6,  8,  10, 12, 14,
                                                         16, 18, 20, 22, 24, 26, 28, 30};

// How the rows of one plane are read: row q is the image's row y0 + q * step_y, of which numbers
// x0 + i * step_x, low <= i < high, lie inside.
template <class T>
struct PlaneReader {
  const T* channel = nullptr;  // or null: a plane of zeros
  int64_t row_size = 0, rows = 0, step_x = 1, step_y = 1;
  int64_t x0 = 0, y0 = 0, low = 0, high = 0;

  PlaneReader() = default;
  PlaneReader(const UnitImage<T>& m, const T* image, int64_t line, int64_t residue) {
    if (line >= m.lines()) return;
    row_size = m.x.size, rows = m.y.size;
    step_x = m.x.step, step_y = m.y.step;
    int64_t c = line;
    if (m.unfolded()) {
      const int64_t taps = m.num_taps(), t = line % taps;
      c = line / taps;
      y0 = m.y.offset(t / m.x.taps);
      x0 = m.x.offset(t % m.x.taps);
    } else {
      y0 = m.y.lowest() * step_y + m.y.residue_at(residue / m.x.residues());
      x0 = m.x.lowest() * step_x + m.x.residue_at(residue % m.x.residues());
    }
    channel = image + c * m.channel_step;
    const int64_t width = m.width();
    low = min_of(width, x0 >= 0 ? 0 : divide_up(-x0, step_x));
    high = min_of(width, x0 >= row_size ? 0 : divide_up(row_size - x0, step_x));
  }

  // Row q from its number 0 on, or null where it is all zeros.
  PT_GEMM_INLINE const T* row(int64_t q) const {
    const int64_t y = y0 + q * step_y;
    return channel && y >= 0 && y < rows ? channel + y * row_size + x0 : nullptr;
  }

  // Numbers [i, i + 32) of a row, with zeros outside of the image.
  template <int kStep, int kParts>
  PT_GEMM_INLINE Numbers<T, kParts> load(const T* from, int64_t i, gemm::FiniteCheck& check) const {
    using N = Numbers<T, kParts>;
    if (!from) return {};
    const int64_t lo = low > i ? low - i : 0, hi = high > i ? high - i : 0;
    if (lo >= hi || lo >= 32) return {};
    if constexpr (kStep == 1) {
      return N::load(from + i, gemm::mask_of(hi) & ~gemm::mask_of(lo), check);
    } else if constexpr (kStep == 2) {
      // Every other number of 64, of which the last one may lie outside.
      const uint64_t end = hi >= 32 ? ~uint64_t{0} >> 1 : (uint64_t{1} << (2 * hi - 1)) - 1;
      const uint64_t mask = end & ~((uint64_t{1} << (2 * lo)) - 1);
      const T* at = from + 2 * i;
      if constexpr (std::is_same_v<T, BFloat16>) {
        const __m512i a = _mm512_maskz_loadu_epi16(static_cast<uint32_t>(mask), at);
        const __m512i b = _mm512_maskz_loadu_epi16(static_cast<uint32_t>(mask >> 32), at + 32);
        return {_mm512_permutex2var_epi16(a, _mm512_load_si512(kEven), b)};
      } else {
        const __m512i even = _mm512_load_si512(kEvenFloats);
        __m512 v[4];
        PT_GEMM_UNROLL for (int q = 0; q < 4; q++) {
          v[q] = _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask >> (16 * q)), at + 16 * q);
        }
        return N::of(_mm512_permutex2var_ps(v[0], even, v[1]),
                     _mm512_permutex2var_ps(v[2], even, v[3]), check);
      }
    } else {
      alignas(64) T numbers[32] = {};
      for (int64_t j = lo; j < min_of<int64_t>(hi, 32); j++) numbers[j] = from[(i + j) * step_x];
      return N::load(numbers, ~0u, check);
    }
  }
};

// Calls f with the step of rows as a constant.
template <class F>
PT_GEMM_INLINE void with_step(int64_t step, F f) {
  if (step == 1) {
    f(std::integral_constant<int, 1>{});
  } else if (step == 2) {
    f(std::integral_constant<int, 2>{});
  } else {
    f(std::integral_constant<int, 0>{});
  }
}

// Moves between numbers in the order [place][tap] and one vector of 32 places for each tap: vectors
// are permuted with one pattern for each, under masks for each pair of them. For few taps.
class TapShuffle {
 public:
  static constexpr int kMostTaps = 32;

  explicit TapShuffle(int taps) : taps_(taps) {
    for (int i = 0; i < taps; i++) {
      for (int j = 0; j < 32; j++) {
        gather_[i][j] = static_cast<uint16_t>((i + taps * j) % 32);
        scatter_[i][j] = static_cast<uint16_t>((32 * i + j) / taps);
      }
      for (int v = 0; v < taps; v++) {
        gather_mask_[i][v] = scatter_mask_[i][v] = 0;
        for (int j = 0; j < 32; j++) {
          if ((i + taps * j) / 32 == v) gather_mask_[i][v] |= 1u << j;
          if ((32 * i + j) % taps == v) scatter_mask_[i][v] |= 1u << j;
        }
      }
    }
  }

  // Tap t of 32 places (or `count`, then zeros) from a dense run of them.
  template <class T>
  PT_GEMM_INLINE __m512i gather(const T* run, int64_t t, int64_t count) const {
    const __m512i places = _mm512_load_si512(gather_[t]);
    const uint32_t kept = gemm::mask_of(count);
    const int64_t length = count * taps_;
    __m512i result = {};
    for (int v = 0; v < taps_ && 32 * v < length; v++) {
      const __m512i some = gemm::load_32(run + 32 * v, length - 32 * v);
      result = _mm512_mask_permutexvar_epi16(result, gather_mask_[t][v] & kept, places, some);
    }
    return result;
  }
  // The i-th vector of the dense run whose taps are `of_taps`.
  PT_GEMM_INLINE __m512i scatter(const __m512i* of_taps, int64_t i) const {
    const __m512i places = _mm512_load_si512(scatter_[i]);
    __m512i result = {};
    for (int v = 0; v < taps_; v++) {
      result = _mm512_mask_permutexvar_epi16(result, scatter_mask_[i][v], places, of_taps[v]);
    }
    return result;
  }

 private:
  int taps_;
  alignas(64) uint16_t gather_[kMostTaps][32], scatter_[kMostTaps][32];
  uint32_t gather_mask_[kMostTaps][kMostTaps], scatter_mask_[kMostTaps][kMostTaps];
};

// 1x1 convolutions of stride 1 see an image as one row.
template <class T>
bool join_rows(UnitImage<T>* m) {
  constexpr int64_t kMostPixels = 4096;
  if (m->num_taps() != 1 || m->x.step != 1 || m->y.step != 1 || m->x.first != 0 ||
      m->y.first != 0 || m->x.grid != m->x.size || m->y.grid != m->y.size ||
      m->x.grid * m->y.grid > kMostPixels) {
    return false;
  }
  m->x.grid = m->x.size = m->x.grid * m->y.grid;
  m->y.grid = m->y.size = 1;
  return true;
}

}  // namespace pt::PT_ISA::conv

#endif

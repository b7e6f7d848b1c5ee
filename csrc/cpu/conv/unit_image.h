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
  bool unfolded() const { return num_taps() > 1 && channels < kFewChannels; }
  // Of the planes: how many make a row of the product, and their sizes for `rows` rows of results.
  int64_t lines() const { return unfolded() ? channels * num_taps() : channels; }
  int64_t residues() const { return unfolded() ? 1 : y.step * x.step; }
  int64_t width() const { return x.grid + (unfolded() ? 0 : x.most_shift()); }
  int64_t height(int64_t rows) const { return rows + (unfolded() ? 0 : y.most_shift()); }
  // Where tap t's numbers begin, relative to its channel's first plane; planes are `plane` long.
  int64_t tap_start(int64_t t, int64_t plane) const {
    if (unfolded()) return 0;
    const int64_t ty = t / x.taps, tx = t % x.taps;
    return (y.residue(ty) * x.step + x.residue(tx)) * plane + y.shift(ty) * width() + x.shift(tx);
  }
};

// Numbers begin + i * step of a row, 0 <= i < count, zeros outside of the row. `to` has room for
// whole vectors.
template <class T>
PT_GEMM_INLINE void copy_line(const T* row, int64_t begin, int64_t step, int64_t size,
                              int64_t count, uint16_t* to) {
  if (step == 1 && begin >= 0 && begin + count <= size) {
    for (int64_t i = 0; i < count; i += 32) {
      _mm512_storeu_si512(to + i, gemm::load_32(row + begin + i, count - i));
    }
    return;
  }
  for (int64_t i = 0; i < count; i += 32) _mm512_storeu_si512(to + i, __m512i{});
  const int64_t low = min_of(count, begin >= 0 ? 0 : divide_up(-begin, step));
  const int64_t high = min_of(count, begin >= size ? 0 : divide_up(size - begin, step));
  const T* from = row + begin;
  if (step == 1) {
    for (int64_t i = low; i < high; i += 32) {
      const uint32_t mask = gemm::mask_of(high - i);
      _mm512_mask_storeu_epi16(to + i, mask, gemm::load_32(from + i, high - i));
    }
    return;
  }
  int64_t i = low;
  if constexpr (std::is_same_v<T, BFloat16>) {
    if (step == 2) {  // the lower halves of 16 pairs; the last pair may end outside of the row
      for (; i + 16 < high; i += 16) {
        const __m512i pairs = _mm512_loadu_si512(from + 2 * i);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i),
                            _mm512_maskz_cvtepi32_epi16(0xffff, pairs));
      }
    }
  }
  for (; i < high; i++) to[i] = BFloat16(static_cast<float>(from[i * step])).bits;
}

// One row of a plane: the image's row `q` (in results) of line l and residue r.
template <class T>
PT_GEMM_INLINE void copy_plane_row(const UnitImage<T>& m, const T* image, int64_t l, int64_t r,
                                   int64_t q, uint16_t* to) {
  int64_t y, x, channel = l;
  if (m.unfolded()) {
    const int64_t t = l % m.num_taps();
    channel = l / m.num_taps();
    y = q * m.y.step + m.y.offset(t / m.x.taps);
    x = m.x.offset(t % m.x.taps);
  } else {
    y = (q + m.y.lowest()) * m.y.step + r / m.x.step;
    x = m.x.lowest() * m.x.step + r % m.x.step;
  }
  const int64_t width = m.width();
  if (y < 0 || y >= m.y.size || channel >= m.channels) {
    for (int64_t i = 0; i < width; i += 32) _mm512_storeu_si512(to + i, __m512i{});
    return;
  }
  copy_line(image + channel * m.channel_step + y * m.x.size, x, m.x.step, m.x.size, width, to);
}

}  // namespace pt::PT_ISA::conv

#endif

// The matrix of a convolution without the matrix: its rows are read straight from the images.
//
// Row k belongs to a channel and a tap of the kernel, column j to a pixel of the result; element
// (k, j) is the image's value under that tap, or zero outside the image. Columns run over all
// images of the batch, so that small images fill whole vectors. Used by product.h (columns are
// packed as B) and weight.h (rows are packed as A).
#pragma once

#include "cpu/conv/lanes.h"
#include "cpu/conv_args.h"
#include "cpu/gemm/blocks.h"

namespace pt::PT_ISA::conv {

using gemm::divide_up;
using gemm::max_of;
using gemm::min_of;

// The taps along one dimension: tap t reads the image at q * step + first + t * next.
struct TapAxis {
  int64_t count = 1, first = 0, next = 0;
};

template <class T>
struct ImageMatrix {
  const T* image = nullptr;
  int64_t image_step = 0, channel_step = 0;  // from image to image, channel to channel
  int64_t channels = 1;
  int64_t size[3] = {1, 1, 1};  // of a channel
  int64_t grid[3] = {1, 1, 1};  // pixels of the result of one image
  int64_t step[3] = {1, 1, 1};
  TapAxis taps[3];
  bool taps_outside = false;  // row k is k = tap * channels + channel, else channel * taps + tap

  int64_t num_taps() const { return taps[0].count * taps[1].count * taps[2].count; }
  int64_t rows() const { return num_taps() * channels; }
  int64_t pixels() const { return grid[0] * grid[1] * grid[2]; }
};

// At most kLanes pixels next to each other in one row of the grid.
struct Run {
  int64_t image, q0, q1, q2;
  int32_t column, count;
};

// Splits the pixels [begin, begin + count) into runs; `column` counts from 0. Returns how many.
template <class T>
int find_runs(const ImageMatrix<T>& m, int64_t begin, int64_t count, Run* runs) {
  constexpr int kL = kLanes<T>;
  const int64_t pixels = m.pixels(), width = m.grid[2];
  int64_t image = begin / pixels, rest = begin % pixels;
  int64_t q2 = rest % width, row = rest / width;
  int64_t q1 = row % m.grid[1], q0 = row / m.grid[1];
  int n = 0;
  for (int64_t column = 0; column < count;) {
    int64_t length = min_of(width - q2, count - column);
    for (int64_t at = 0; at < length; at += kL) {
      runs[n++] = {image,
                   q0,
                   q1,
                   q2 + at,
                   static_cast<int32_t>(column + at),
                   static_cast<int32_t>(min_of<int64_t>(kL, length - at))};
    }
    column += length;
    q2 = 0;
    if (++q1 == m.grid[1]) {
      q1 = 0;
      if (++q0 == m.grid[0]) {
        q0 = 0;
        ++image;
      }
    }
  }
  return n;
}

// What one run reads under one tap, relative to the channel; where it goes in a row of the result.
struct Read {
  int64_t offset;
  Access access;
  int32_t column;
  int32_t partial;  // 0: a whole vector may be stored
};

// First and last lane of `count` whose position begin + lane * step lies in [0, size).
PT_GEMM_INLINE void clip(int64_t begin, int64_t step, int64_t size, int count, int* lo, int* hi) {
  const int64_t low = begin >= 0 ? 0 : divide_up(-begin, step);
  const int64_t high = begin >= size ? 0 : divide_up(size - begin, step);
  *lo = static_cast<int>(min_of<int64_t>(low, count));
  *hi = static_cast<int>(min_of<int64_t>(high, count));
}

template <class T>
PT_GEMM_INLINE Read make_read(const ImageMatrix<T>& m, const Run& run, int64_t t0, int64_t t1,
                              int64_t t2, int row_length) {
  Read r{};
  r.column = run.column;
  r.partial = run.column + kLanes<T> <= row_length ? 0 : run.count;
  const int64_t i0 = run.q0 * m.step[0] + m.taps[0].first + t0 * m.taps[0].next;
  const int64_t i1 = run.q1 * m.step[1] + m.taps[1].first + t1 * m.taps[1].next;
  const int64_t i2 = run.q2 * m.step[2] + m.taps[2].first + t2 * m.taps[2].next;
  if (i0 < 0 || i0 >= m.size[0] || i1 < 0 || i1 >= m.size[1]) return r;
  int lo, hi;
  clip(i2, m.step[2], m.size[2], run.count, &lo, &hi);
  if (hi <= lo) return r;
  r.access = make_access<T>(lo, hi, m.step[2]);
  r.offset = run.image * m.image_step + (i0 * m.size[1] + i1) * m.size[2] + i2;
  return r;
}

// The reads of all runs under the taps [begin, end), tap after tap.
template <class T>
void make_reads(const ImageMatrix<T>& m, const Run* runs, int num_runs, int64_t begin, int64_t end,
                int row_length, Read* reads) {
  int64_t t2 = begin % m.taps[2].count, rest = begin / m.taps[2].count;
  int64_t t1 = rest % m.taps[1].count, t0 = rest / m.taps[1].count;
  for (int64_t t = begin; t < end; t++) {
    for (int r = 0; r < num_runs; r++) *reads++ = make_read(m, runs[r], t0, t1, t2, row_length);
    if (++t2 < m.taps[2].count) continue;
    t2 = 0;
    if (++t1 < m.taps[1].count) continue;
    t1 = 0;
    t0++;
  }
}

template <int kStep, class T>
PT_GEMM_INLINE void copy_read(const T* channel, const Read& r, int64_t step, T* to) {
  const Vec<T> v = load_access<kStep>(channel + r.offset, r.access, step);
  if (r.partial == 0) {
    store(to + r.column, v);
  } else {
    store_n(to + r.column, v, r.partial);
  }
}

// Rows [k0, k1) of the columns in `runs`, row k at to + (k - k0) * pitch. `reads` holds the reads
// of all taps (from make_reads).
template <int kStep, class T>
void copy_rows_step(const ImageMatrix<T>& m, int num_runs, const Read* reads, int64_t k0,
                    int64_t k1, T* to, int64_t pitch) {
  const int64_t taps = m.num_taps(), step = m.step[2];
  if (m.taps_outside) {
    for (int64_t k = k0, next; k < k1; k = next) {
      const int64_t tap = k / m.channels, c0 = k % m.channels;
      const int64_t count = min_of(m.channels - c0, k1 - k);
      next = k + count;
      for (int q = 0; q < num_runs; q++) {  // from left to right: the next overwrites the surplus
        const Read& r = reads[tap * num_runs + q];
        const T* channel = m.image + c0 * m.channel_step;
        T* out = to + (k - k0) * pitch;
        for (int64_t c = 0; c < count; c++, channel += m.channel_step, out += pitch) {
          copy_read<kStep>(channel, r, step, out);
        }
      }
    }
    return;
  }
  int64_t channel = k0 / taps, tap = k0 % taps;
  for (int64_t k = k0; k < k1; channel++, tap = 0) {
    const T* from = m.image + channel * m.channel_step;
    const int64_t end = min_of(taps, tap + k1 - k);
    const Read* r = reads + tap * num_runs;
    for (; tap < end; tap++, k++, to += pitch) {
      for (int q = 0; q < num_runs; q++) copy_read<kStep>(from, *r++, step, to);
    }
  }
}

template <class T>
void copy_rows(const ImageMatrix<T>& m, int num_runs, const Read* reads, int64_t k0, int64_t k1,
               T* to, int64_t pitch) {
  if (m.step[2] == 1) {
    copy_rows_step<1>(m, num_runs, reads, k0, k1, to, pitch);
  } else if (m.step[2] == 2) {
    copy_rows_step<2>(m, num_runs, reads, k0, k1, to, pitch);
  } else {
    copy_rows_step<0>(m, num_runs, reads, k0, k1, to, pitch);
  }
}

}  // namespace pt::PT_ISA::conv

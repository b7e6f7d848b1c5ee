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
  // For a copy with borders (split.h), in which no tap reaches outside and whole vectors may be
  // read: what each tap adds to the place of a pixel. Else null.
  const int64_t* tap_offsets = nullptr;

  int64_t num_taps() const { return taps[0].count * taps[1].count * taps[2].count; }
  int64_t rows() const { return num_taps() * channels; }
  int64_t pixels() const { return grid[0] * grid[1] * grid[2]; }
  int64_t reads_per_run() const { return tap_offsets ? 1 : num_taps(); }
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
  uint16_t column;
  LaneMask kept;  // lanes to store: all of them where a whole vector fits
};

// First and last lane of `count` whose position begin + lane * step lies in [0, size).
PT_GEMM_INLINE void clip(int64_t begin, int64_t step, int64_t size, int count, int* lo, int* hi) {
  const int64_t low = begin >= 0 ? 0 : divide_up(-begin, step);
  const int64_t high = begin >= size ? 0 : divide_up(size - begin, step);
  *lo = static_cast<int>(min_of<int64_t>(low, count));
  *hi = static_cast<int>(min_of<int64_t>(high, count));
}

template <class T>
PT_GEMM_INLINE Read place_run(const Run& run, int row_length) {
  Read r{};
  r.column = static_cast<uint16_t>(run.column);
  const bool whole = run.column + kLanes<T> <= row_length;
  r.kept = lanes_between(0, whole ? kLanes<T> : run.count);
  return r;
}

template <class T>
PT_GEMM_INLINE Read make_read(const ImageMatrix<T>& m, const Run& run, int64_t t0, int64_t t1,
                              int64_t t2, int row_length) {
  Read r = place_run<T>(run, row_length);
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

// The reads of all runs under all taps, tap after tap; under the first tap only if the others
// follow from tap_offsets. Returns their end.
template <class T>
Read* make_reads(const ImageMatrix<T>& m, const Run* runs, int num_runs, int row_length,
                 Read* reads) {
  if (m.tap_offsets) {
    for (int i = 0; i < num_runs; i++, reads++) {
      const Run& run = runs[i];
      *reads = place_run<T>(run, row_length);
      const int64_t line = run.q0 * m.step[0] * m.size[1] + run.q1 * m.step[1];
      reads->offset = run.image * m.image_step + line * m.size[2] + run.q2;
    }
    return reads;
  }
  for (int64_t t0 = 0; t0 < m.taps[0].count; t0++) {
    for (int64_t t1 = 0; t1 < m.taps[1].count; t1++) {
      for (int64_t t2 = 0; t2 < m.taps[2].count; t2++) {
        for (int r = 0; r < num_runs; r++) {
          *reads++ = make_read(m, runs[r], t0, t1, t2, row_length);
        }
      }
    }
  }
  return reads;
}

template <int kStep, class T>
PT_GEMM_INLINE void copy_read(const T* channel, const Read& r, int64_t step, T* to) {
  store_lanes(to + r.column, load_access<kStep>(channel + r.offset, r.access, step), r.kept);
}

// A few columns of the matrix: how many runs they have, their reads, and where row k0 of them goes.
template <class T>
struct Panel {
  const Read* reads;
  int32_t num_runs;
  T* to;
};

// How copy_rows() reads: with steps of 1, 2 or any number, or at tap_offsets.
inline constexpr int kAnyStep = 0, kAtOffsets = -1;

// Copies the rows [k0, k1) of the panels, rows `pitch` apart. A channel at a time, for all panels,
// so that the image is read in order.
template <int kStep, class T>
void copy_rows_step(const ImageMatrix<T>& m, const Panel<T>* panels, int64_t num_panels, int64_t k0,
                    int64_t k1, int64_t pitch) {
  const int64_t taps = m.num_taps(), step = m.step[2];
  const int64_t row_step = m.taps_outside ? m.channels : 1;  // from tap to tap
  const int64_t first = m.taps_outside ? 0 : k0 / taps;
  const int64_t end = m.taps_outside ? m.channels : divide_up(k1, taps);
  for (int64_t c = first; c < end; c++) {
    const int64_t row = m.taps_outside ? c : c * taps;  // of tap 0
    const int64_t t0 = row >= k0 ? 0 : divide_up(k0 - row, row_step);
    const int64_t t1 = min_of(taps, divide_up(k1 - row, row_step));
    const T* channel = m.image + c * m.channel_step;
    for (int64_t q = 0; q < num_panels; q++) {
      const int num_runs = panels[q].num_runs;
      T* to = panels[q].to + (row + t0 * row_step - k0) * pitch;
      // From left to right: the next run overwrites the surplus of a whole vector.
      if constexpr (kStep == kAtOffsets) {
        const Read* r = panels[q].reads;
        for (int64_t t = t0; t < t1; t++, to += row_step * pitch) {
          const T* at = channel + m.tap_offsets[t];
          for (int i = 0; i < num_runs; i++) {
            store_lanes(to + r[i].column, load(at + r[i].offset), r[i].kept);
          }
        }
      } else {
        const Read* r = panels[q].reads + t0 * num_runs;
        for (int64_t t = t0; t < t1; t++, to += row_step * pitch) {
          for (int i = 0; i < num_runs; i++) copy_read<kStep>(channel, *r++, step, to);
        }
      }
    }
  }
}

template <class T>
void copy_rows(const ImageMatrix<T>& m, const Panel<T>* panels, int64_t num_panels, int64_t k0,
               int64_t k1, int64_t pitch) {
  if (m.tap_offsets) {
    copy_rows_step<kAtOffsets>(m, panels, num_panels, k0, k1, pitch);
  } else if (m.step[2] == 1) {
    copy_rows_step<1>(m, panels, num_panels, k0, k1, pitch);
  } else if (m.step[2] == 2) {
    copy_rows_step<2>(m, panels, num_panels, k0, k1, pitch);
  } else {
    copy_rows_step<kAnyStep>(m, panels, num_panels, k0, k1, pitch);
  }
}

}  // namespace pt::PT_ISA::conv

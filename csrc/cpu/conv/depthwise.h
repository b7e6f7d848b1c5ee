// Convolutions with one input channel to a group, without a matrix: depthwise ones and first
// layers.
//
// Each plane of the image is copied once with its border of zeros (and its even and odd columns
// apart for stride 2), so that every tap of the kernel reads whole vectors. A block of rows of the
// result stays in registers while the taps pass by. Kernels up to kMostWidth wide, strides 1 and 2
// along rows; anything else goes the way of product.h.
#pragma once

#include "cpu/conv/depthwise3.h"

namespace pt::PT_ISA::conv {

inline constexpr int kMostWidth = 32;

inline constexpr Scratch scratch_plane{ScratchUse::kPlane}, scratch_sums{ScratchUse::kPlaneSums};

inline bool is_flat(const ConvArgs& p) {
  return p.in[0] == 1 && p.out[0] == 1 && p.kernel[0] == 1 && p.padding[0] == 0;
}
// Few rows of a matrix would be computed for each element of it that is packed.
inline bool depthwise_fits(const ConvArgs& p) {
  return p.in_channels == 1 && p.out_channels <= 16 && is_flat(p) && p.stride[2] <= 2 &&
         p.kernel[2] <= kMostWidth;
}

// A plane with borders: element (r, c) of the padded plane, r < rows, at r * pitch +
// (c % step) * width + c / step.
struct PlaneShape {
  int64_t rows, width, pitch, step;
  int64_t size;  // in elements, with room for whole vectors at the end
};

// For reads of `columns` results of step `step` under taps that reach `reach` elements.
template <class T>
PlaneShape plane_shape(int64_t rows, int64_t columns, int64_t step, int64_t reach) {
  PlaneShape s;
  s.rows = rows;
  s.step = step;
  s.width = gemm::round_up(columns + reach / step + 1, kLanes<T>);
  s.pitch = s.width * step;
  s.size = rows * s.pitch + 4 * kLanes<T>;
  return s;
}

template <int kStep, class T>
void pad_rows(const T* from, int64_t height, int64_t width, int64_t pad_row, int64_t pad_column,
              const PlaneShape& s, T* to) {
  constexpr int kL = kLanes<T>, kKept = 32;
  const int64_t vectors = s.pitch / kL, of_phase = s.width / kL;
  Access kept[kKept];
  const auto begin_of = [&](int64_t v) {
    return v % of_phase * kL * kStep + v / of_phase - pad_column;
  };
  const auto find = [&](int64_t v) {
    int lo, hi;
    clip(begin_of(v), kStep, width, kL, &lo, &hi);
    return make_access<T>(lo, hi, kStep);
  };
  for (int64_t v = 0; v < min_of<int64_t>(vectors, kKept); v++) kept[v] = find(v);
  for (int64_t r = 0; r < s.rows; r++) {
    const int64_t row = r - pad_row;
    T* out = to + r * s.pitch;
    if (row < 0 || row >= height) {
      for (int64_t v = 0; v < vectors; v++) store(out + v * kL, Vec<T>{});
      continue;
    }
    const T* line = from + row * width;
    for (int64_t v = 0; v < vectors; v++) {
      const Access access = v < kKept ? kept[v] : find(v);
      store(out + v * kL, load_access<kStep>(line + begin_of(v), access, kStep));
    }
  }
}

template <class T>
T* pad_plane(const T* from, int64_t height, int64_t width, int64_t pad_row, int64_t pad_column,
             const PlaneShape& s) {
  T* to = scratch_plane.get<T>(s.size);
  if (s.step == 1) {
    pad_rows<1>(from, height, width, pad_row, pad_column, s, to);
  } else {
    pad_rows<2>(from, height, width, pad_row, pad_column, s, to);
  }
  for (int64_t i = s.rows * s.pitch; i < s.size; i++) to[i] = T(0);
  return to;
}

// One kernel slid over a padded plane.
template <class T>
struct PlaneKernel {
  const T* weight;  // [height][width]
  int64_t height, width;
  int64_t row_step, tap_step;   // from result row to row, tap row to row
  int64_t columns[kMostWidth];  // where each tap of a row starts
  T* out;
  PlaneFinish<T> finish;
};

// Rows of results from `plane` (their first element under the first tap), kV vectors wide, of which
// the last has `tail` columns.
template <int kR, int kV, class T>
PT_GEMM_INLINE void slide_block(const PlaneKernel<T>& k, const T* plane, T* out, int64_t out_pitch,
                                int tail) {
  constexpr int kL = kLanes<T>;
  Vec<T> sum[kR][kV];
  const Vec<T> first = gemm::broadcast<T>(k.finish.start());
  PT_GEMM_UNROLL for (int i = 0; i < kR; i++) {
    PT_GEMM_UNROLL for (int v = 0; v < kV; v++) sum[i][v] = first;
  }
  const T* w = k.weight;
  for (int64_t a = 0; a < k.height; a++, plane += k.tap_step) {
    for (int64_t b = 0; b < k.width; b++) {
      const Vec<T> wv = gemm::broadcast<T>(*w++);
      const T* from = plane + k.columns[b];
      PT_GEMM_UNROLL for (int i = 0; i < kR; i++) {
        PT_GEMM_UNROLL for (int v = 0; v < kV; v++) {
          sum[i][v] += wv * load(from + i * k.row_step + v * kL);
        }
      }
    }
  }
  PT_GEMM_UNROLL for (int i = 0; i < kR; i++) {
    PT_GEMM_UNROLL for (int v = 0; v < kV; v++) {
      T* to = out + i * out_pitch + v * kL;
      const Vec<T> r = k.finish(sum[i][v], to - k.out, v < kV - 1 ? kL : tail);
      v < kV - 1 ? store(to, r) : store_n(to, r, tail);
    }
  }
}

template <int kV, class T>
void slide_columns(const PlaneKernel<T>& k, const T* plane, T* out, int64_t rows, int64_t out_pitch,
                   int tail) {
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    slide_block<4, kV>(k, plane + r * k.row_step, out + r * out_pitch, out_pitch, tail);
  }
  plane += r * k.row_step;
  out += r * out_pitch;
  if (rows - r == 3) slide_block<3, kV>(k, plane, out, out_pitch, tail);
  if (rows - r == 2) slide_block<2, kV>(k, plane, out, out_pitch, tail);
  if (rows - r == 1) slide_block<1, kV>(k, plane, out, out_pitch, tail);
}

template <class T>
void slide(const PlaneKernel<T>& k, const T* plane, T* out, int64_t rows, int64_t columns) {
  constexpr int kL = kLanes<T>;
  int64_t c = 0;
  for (; columns - c > kL; c += 2 * kL) {
    const int tail = static_cast<int>(min_of<int64_t>(kL, columns - c - kL));
    slide_columns<2>(k, plane + c, out + c, rows, columns, tail);
  }
  if (c < columns) {
    slide_columns<1>(k, plane + c, out + c, rows, columns, static_cast<int>(columns - c));
  }
}

// The convolution of planes with kernels of the same sizes: what forward() computes, and for stride
// 1, with the kernel turned around, the gradient by the input too.
template <class T>
void slide_planes(const ConvArgs& p) {
  if (is_3x3(p)) return p.stride[1] == 1 ? slide_3x3<1, T>(p) : slide_3x3<2, T>(p);
  const int64_t in_plane = p.in[1] * p.in[2], out_plane = p.out[1] * p.out[2];
  const int64_t reach = (p.kernel[2] - 1) * p.dilation[2];
  const int64_t rows = (p.out[1] - 1) * p.stride[1] + (p.kernel[1] - 1) * p.dilation[1] + 1;
  const PlaneShape s = plane_shape<T>(rows, p.out[2], p.stride[2], reach);
  parallel_for(0, p.batch * p.groups, plane_grain(p), [&](int64_t begin, int64_t end) {
    PlaneKernel<T> k;
    k.height = p.kernel[1], k.width = p.kernel[2];
    k.row_step = p.stride[1] * s.pitch, k.tap_step = p.dilation[1] * s.pitch;
    for (int64_t b = 0; b < k.width; b++) {
      const int64_t c = b * p.dilation[2];
      k.columns[b] = c % s.step * s.width + c / s.step;
    }
    for (int64_t i = begin; i < end; i++) {
      const T* plane = pad_plane(static_cast<const T*>(p.input) + i * in_plane, p.in[1], p.in[2],
                                 p.padding[1], p.padding[2], s);
      for (int64_t j = 0; j < p.out_channels; j++) {
        const int64_t channel = i % p.groups * p.out_channels + j;
        k.weight = static_cast<const T*>(p.weight) + channel * k.height * k.width;
        const int64_t at = (i * p.out_channels + j) * out_plane;
        k.finish = PlaneFinish<T>(p, channel, at);
        k.out = static_cast<T*>(p.output) + at;
        slide(k, plane, k.out, p.out[1], p.out[2]);
      }
    }
  });
}

}  // namespace pt::PT_ISA::conv

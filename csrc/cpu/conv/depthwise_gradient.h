// The gradients of depthwise convolutions (see depthwise.h).
#pragma once

#include "cpu/conv/depthwise.h"

namespace pt::PT_ISA::conv {

inline bool depthwise_input_gradient_fits(const ConvArgs& p) {
  return depthwise_fits(p) && p.out_channels == 1 && p.kernel[1] <= kMostWidth;
}

// The taps of one residue of columns: result q of the residue reads the padded output at
// q + offset[t] under tap index[t] of a kernel row.
struct ColumnTaps {
  int count = 0;
  int index[kMostWidth];
  int64_t offset[kMostWidth];
};

// A row of the gradient, a row of the output that reaches it and the row of the kernel between.
struct RowTap {
  int64_t result, output, kernel;
};

// All of them, in order, and an end mark.
inline void find_row_taps(const ConvArgs& p, RowTap* to) {
  for (int64_t r = 0; r < p.in[1]; r++) {
    for (int64_t k = 0; k < p.kernel[1]; k++) {
      const int64_t at = r + p.padding[1] - k * p.dilation[1];
      if (at < 0 || at % p.stride[1] != 0 || at / p.stride[1] >= p.out[1]) continue;
      *to++ = {r, at / p.stride[1], k};
    }
  }
  to->result = -1;
}

// kV vectors of one row and one residue of the gradient: sums over the kernel rows that reach it.
template <int kV, class T>
PT_GEMM_INLINE void gather_row(const T* const* rows, const T* const* weights, int num_rows,
                               const ColumnTaps& taps, T bias, Vec<T> (&sum)[kV]) {
  constexpr int kL = kLanes<T>;
  PT_GEMM_UNROLL for (int v = 0; v < kV; v++) sum[v] = gemm::broadcast<T>(bias);
  for (int r = 0; r < num_rows; r++) {
    for (int t = 0; t < taps.count; t++) {
      const Vec<T> w = gemm::broadcast<T>(weights[r][taps.index[t]]);
      const T* from = rows[r] + taps.offset[t];
      PT_GEMM_UNROLL for (int v = 0; v < kV; v++) sum[v] += w * load(from + v * kL);
    }
  }
}

// kStep * kV vectors of one row of the gradient, as far as `width` reaches.
template <int kStep, int kV, class T>
PT_GEMM_INLINE void gather_block(const T* const* rows, const T* const* weights, int num_rows,
                                 const ColumnTaps* taps, T bias, T* out, int64_t width) {
  constexpr int kL = kLanes<T>;
  Vec<T> sum[kStep][kV], line[kStep * kV];
  PT_GEMM_UNROLL for (int f = 0; f < kStep; f++) {
    gather_row<kV>(rows, weights, num_rows, taps[f], bias, sum[f]);
  }
  PT_GEMM_UNROLL for (int v = 0; v < kV; v++) {
    if constexpr (kStep == 1) {
      line[v] = sum[0][v];
    } else {
      line[2 * v] = gemm::zip_low<T>(sum[0][v], sum[1][v], gemm::LanesOf<T>{});
      line[2 * v + 1] = gemm::zip_high<T>(sum[0][v], sum[1][v], gemm::LanesOf<T>{});
    }
  }
  PT_GEMM_UNROLL for (int v = 0; v < kStep * kV; v++) {
    const int64_t left = width - v * kL;
    if (left >= kL) {
      store(out + v * kL, line[v]);
    } else if (left > 0) {
      store_n(out + v * kL, line[v], static_cast<int>(left));
    }
  }
}

// One row of the gradient, `width` columns of stride 1 or 2.
template <int kStep, class T>
void gather_columns(const T* const* rows, const T* const* weights, int num_rows,
                    const ColumnTaps* taps, T bias, T* out, int64_t width) {
  constexpr int kL = kLanes<T>;
  const T* shifted[kMostWidth];
  for (int64_t c = 0; c < width; c += kStep * 2 * kL) {
    for (int r = 0; r < num_rows; r++) shifted[r] = rows[r] + c / kStep;
    if (width - c > kStep * kL) {
      gather_block<kStep, 2>(shifted, weights, num_rows, taps, bias, out + c, width - c);
    } else {
      gather_block<kStep, 1>(shifted, weights, num_rows, taps, bias, out + c, width - c);
    }
  }
}

// With stride 1 the gradient slides the kernel, turned around, over the output's gradient.
template <class T>
void slide_turned(const ConvArgs& p) {
  const int64_t taps = p.kernel[1] * p.kernel[2];
  ConvArgs q = p;
  T* turned =
      static_cast<T*>(p.allocate(p.owner, p.groups * taps * static_cast<int64_t>(sizeof(T))));
  const T* weight = static_cast<const T*>(p.weight);
  for (int64_t c = 0; c < p.groups; c++) {
    for (int64_t t = 0; t < taps; t++) turned[c * taps + t] = weight[(c + 1) * taps - 1 - t];
  }
  q.weight = turned;
  q.input = p.output, q.output = p.input;
  for (int d = 1; d < 3; d++) {
    q.in[d] = p.out[d], q.out[d] = p.in[d];
    q.padding[d] = (p.kernel[d] - 1) * p.dilation[d] - p.padding[d];
  }
  slide_planes<T>(q);
}

template <class T>
void depthwise_input_gradient(const ConvArgs& p) {
  if (p.stride[1] == 1 && p.stride[2] == 1) return slide_turned<T>(p);
  if (spread_3x3_fits(p)) return spread_3x3<T>(p);
  const int64_t in_plane = p.in[1] * p.in[2], out_plane = p.out[1] * p.out[2];
  const int64_t step = p.stride[2], reach = (p.kernel[2] - 1) * p.dilation[2];
  // Result i reads outputs (i + padding - tap) / step; `border` zeros on the left reach the least.
  const int64_t border = max_of(0, reach - p.padding[2]) / step + 1;
  const int64_t furthest = (p.in[2] - 1 + p.padding[2]) / step;
  const PlaneShape s = plane_shape<T>(p.out[1], border + furthest + 1, 1, 0);
  ColumnTaps taps[2];
  for (int64_t f = 0; f < step; f++) {
    for (int64_t k = 0; k < p.kernel[2]; k++) {
      const int64_t at = f + p.padding[2] - k * p.dilation[2];
      if (at % step != 0) continue;
      taps[f].index[taps[f].count] = static_cast<int>(k);
      taps[f].offset[taps[f].count++] = border + at / step;
    }
  }
  RowTap* row_taps = static_cast<RowTap*>(
      p.allocate(p.owner, (p.in[1] * p.kernel[1] + 1) * static_cast<int64_t>(sizeof(RowTap))));
  find_row_taps(p, row_taps);
  parallel_for(0, p.batch * p.groups, plane_grain(p), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const T* plane = pad_plane(static_cast<const T*>(p.output) + i * out_plane, p.out[1],
                                 p.out[2], int64_t{0}, border, s);
      const int64_t channel = i % p.groups;
      const T* weight = static_cast<const T*>(p.weight) + channel * p.kernel[1] * p.kernel[2];
      const T bias = p.bias ? static_cast<const T*>(p.bias)[channel] : T(0);
      T* to = static_cast<T*>(p.input) + i * in_plane;
      const RowTap* tap = row_taps;
      for (int64_t r = 0; r < p.in[1]; r++, to += p.in[2]) {
        const T* rows[kMostWidth];
        const T* weights[kMostWidth];
        int num_rows = 0;
        for (; tap->result == r; tap++) {
          rows[num_rows] = plane + tap->output * s.pitch;
          weights[num_rows++] = weight + tap->kernel * p.kernel[2];
        }
        if (step == 1) {
          gather_columns<1>(rows, weights, num_rows, taps, bias, to, p.in[2]);
        } else {
          gather_columns<2>(rows, weights, num_rows, taps, bias, to, p.in[2]);
        }
      }
    }
  });
}

template <int kValue>
struct Number {
  static constexpr int value = kValue;
};

// sums[a][b] += output rows times the padded plane under tap (a, b), for kH x kW taps.
template <int kH, int kW, class T>
void correlate(const T* output, int64_t rows, int64_t columns, const T* plane, int64_t row_step,
               int64_t tap_step, const int64_t* taps, Vec<T>* sums) {
  constexpr int kL = kLanes<T>;
  Vec<T> sum[kH][kW];
  PT_GEMM_UNROLL for (int a = 0; a < kH; a++) {
    PT_GEMM_UNROLL for (int b = 0; b < kW; b++) sum[a][b] = sums[a * kW + b];
  }
  int64_t at[kW];
  PT_GEMM_UNROLL for (int b = 0; b < kW; b++) at[b] = taps[b];
  for (int64_t r = 0; r < rows; r++, output += columns, plane += row_step) {
    int64_t c = 0;
    for (; c + kL <= columns; c += kL) {
      const Vec<T> y = load(output + c);
      PT_GEMM_UNROLL for (int a = 0; a < kH; a++) {
        PT_GEMM_UNROLL for (int b = 0; b < kW; b++) {
          sum[a][b] += y * load(plane + c + a * tap_step + at[b]);
        }
      }
    }
    if (c < columns) {  // masked on both sides: zero times infinity would not be zero
      const int tail = static_cast<int>(columns - c);
      const Vec<T> y = load_n(output + c, tail);
      PT_GEMM_UNROLL for (int a = 0; a < kH; a++) {
        PT_GEMM_UNROLL for (int b = 0; b < kW; b++) {
          sum[a][b] += y * load_n(plane + c + a * tap_step + at[b], tail);
        }
      }
    }
  }
  PT_GEMM_UNROLL for (int a = 0; a < kH; a++) {
    PT_GEMM_UNROLL for (int b = 0; b < kW; b++) sums[a * kW + b] = sum[a][b];
  }
}

template <class T>
void depthwise_weight_gradient(const ConvArgs& p) {
  if (is_3x3(p)) {
    return p.stride[1] == 1 ? weight_gradient_3x3<1, T>(p) : weight_gradient_3x3<2, T>(p);
  }
  const int64_t in_plane = p.in[1] * p.in[2], out_plane = p.out[1] * p.out[2];
  const int64_t height = p.kernel[1], width = p.kernel[2];
  const int64_t reach = (width - 1) * p.dilation[2];
  const int64_t rows = (p.out[1] - 1) * p.stride[1] + (height - 1) * p.dilation[1] + 1;
  const PlaneShape s = plane_shape<T>(rows, p.out[2], p.stride[2], reach);
  int64_t taps[kMostWidth];
  for (int64_t b = 0; b < width; b++) {
    const int64_t c = b * p.dilation[2];
    taps[b] = c % s.step * s.width + c / s.step;
  }
  const int64_t row_step = p.stride[1] * s.pitch, tap_step = p.dilation[1] * s.pitch;
  const int64_t channels = p.groups * p.out_channels;
  // One task has a channel of all images, so that the order of its sum is always the same.
  const int64_t grain = max_of(1, plane_grain(p) * p.out_channels / p.batch);
  parallel_for(0, channels, grain, [&](int64_t begin, int64_t end) {
    Vec<T>* sums = scratch_sums.get<Vec<T>>(height * width);
    for (int64_t channel = begin; channel < end; channel++) {
      for (int64_t t = 0; t < height * width; t++) sums[t] = Vec<T>{};
      for (int64_t n = 0; n < p.batch; n++) {
        const int64_t from = n * p.groups + channel / p.out_channels;
        const T* plane = pad_plane(static_cast<const T*>(p.input) + from * in_plane, p.in[1],
                                   p.in[2], p.padding[1], p.padding[2], s);
        const T* y = static_cast<const T*>(p.output) + (n * channels + channel) * out_plane;
        const auto run = [&](auto h, auto w) {
          for (int64_t a = 0; a < height; a += h.value) {
            for (int64_t b = 0; b < width; b += w.value) {
              correlate<h.value, w.value>(y, p.out[1], p.out[2], plane + a * tap_step, row_step,
                                          tap_step, taps + b, sums + a * width + b);
            }
          }
        };
        if (height == 5 && width == 5) {
          run(Number<5>{}, Number<5>{});
        } else if (width == 7) {
          run(Number<1>{}, Number<7>{});
        } else if (width == 3) {
          run(Number<1>{}, Number<3>{});
        } else {
          run(Number<1>{}, Number<1>{});
        }
      }
      T* to = static_cast<T*>(p.weight) + channel * height * width;
      for (int64_t t = 0; t < height * width; t++) to[t] = gemm::sum_lanes<T>(sums[t]);
    }
  });
}

}  // namespace pt::PT_ISA::conv

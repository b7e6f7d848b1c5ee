// Depthwise convolutions with 3x3 kernels, stride 1 or 2, and their gradients: the planes are read
// as they lie.
//
// A block of at most two vectors of columns walks down the plane. Every row of the input is loaded
// once, as three vectors, one for each column of the kernel; masks leave out what is beside the
// plane. The rows of a kernel are added in order, so that a result is the same sum as in
// depthwise.h, whose copy of the plane is not needed here.
#pragma once

#include "core/parallel.h"
#include "cpu/conv/finish.h"
#include "cpu/conv/image.h"
#include "cpu/gemm/problem.h"

namespace pt::PT_ISA::conv {

inline constexpr Scratch scratch_blocks{ScratchUse::kBlocks};

inline bool is_3x3(const ConvArgs& p) {
  for (int d = 1; d < 3; d++) {
    if (p.kernel[d] != 3 || p.dilation[d] != 1 || p.padding[d] < 0 || p.padding[d] > 2) {
      return false;
    }
  }
  return p.stride[1] == p.stride[2] && p.stride[1] <= 2;
}

// Columns [begin, begin + ...) of the result: `vectors` of them, the last one with `tail` columns.
struct ColumnBlock {
  int64_t begin, from;  // from: the column of the input under the first tap
  int32_t vectors, tail;
  bool whole;           // all that is loaded lies inside the row
  LaneMask mask[2][4];  // else, of each vector that is loaded
};

// Step 1 loads a vector for each tap. Step 2 loads two vectors twice: the even and odd columns, and
// the even ones two columns later.
template <class T>
ColumnBlock column_block(int64_t begin, int64_t columns, int64_t width, int64_t padding,
                         int64_t step, int most) {
  constexpr int kL = kLanes<T>;
  ColumnBlock b{};
  b.begin = begin;
  b.from = begin * step - padding;
  b.vectors = columns - begin > kL ? most : 1;
  const int64_t end = min_of(columns, begin + b.vectors * kL);
  b.tail = static_cast<int32_t>(end - begin - (b.vectors - 1) * kL);
  b.whole = b.from >= 0 && b.tail == kL && b.from + step * b.vectors * kL + 2 <= width;
  for (int64_t v = 0; v < b.vectors; v++) {
    const int64_t count = v == b.vectors - 1 ? b.tail : kL;
    for (int64_t i = 0; i < (step == 1 ? 3 : 4); i++) {
      const int64_t half = step == 1 ? 0 : i % 2;
      const int64_t at = b.from + v * step * kL + (step == 1 ? i : i / 2 * 2 + half * kL);
      const int64_t lo = max_of(0, min_of<int64_t>(kL, -at));
      const int64_t hi =
          max_of(lo, min_of(min_of<int64_t>(kL, width - at), step * count - half * kL));
      b.mask[v][i] = lanes_between(static_cast<int>(lo), static_cast<int>(hi));
    }
  }
  return b;
}

// All blocks of the columns of `p`, of at most `most` vectors. They live until the next call.
template <class T>
struct ColumnBlocks {
  int64_t count;
  ColumnBlock* blocks;
  ColumnBlocks(const ConvArgs& p, int most) {
    const int64_t step = most * kLanes<T>;
    count = divide_up(p.out[2], step);
    blocks = scratch_blocks.get<ColumnBlock>(count);
    for (int64_t i = 0; i < count; i++) {
      blocks[i] = column_block<T>(i * step, p.out[2], p.in[2], p.padding[2], p.stride[2], most);
    }
  }
};

template <int kV, class T>
using TapVectors = Vec<T>[3][kV];

template <int kStep, int kV, bool kWhole, class T>
PT_GEMM_INLINE void load_taps(const T* from, const ColumnBlock& b, TapVectors<kV, T>& x) {
  constexpr int kL = kLanes<T>;
  const auto get = [&](int v, int i, int64_t at) __attribute__((always_inline)) {
    return kWhole ? load(from + at) : load_lanes(from + at, b.mask[v][i]);
  };
  PT_GEMM_UNROLL for (int v = 0; v < kV; v++) {
    const int64_t at = v * kStep * kL;
    if constexpr (kStep == 1) {
      PT_GEMM_UNROLL for (int i = 0; i < 3; i++) x[i][v] = get(v, i, at + i);
    } else {
      const gemm::LanesOf<T> lanes{};
      const Vec<T> first = get(v, 0, at), second = get(v, 1, at + kL);
      x[0][v] = even_lanes<T>(first, second, lanes);
      x[1][v] = odd_lanes<T>(first, second, lanes);
      x[2][v] = even_lanes<T>(get(v, 2, at + 2), get(v, 3, at + kL + 2), lanes);
    }
  }
}

template <int kStep, int kV, bool kWhole, class T>
PT_GEMM_INLINE void slide_3x3_block(const ConvArgs& p, const ColumnBlock& block, const T* plane,
                                    const T* weight, const PlaneFinish<T>& finish, T* out) {
  constexpr int kL = kLanes<T>;
  Vec<T> w[3][3];
  PT_GEMM_UNROLL for (int t = 0; t < 9; t++) w[t / 3][t % 3] = gemm::broadcast<T>(weight[t]);
  const ColumnBlock b = block;
  const Vec<T> first_sum = gemm::broadcast<T>(finish.start());
  plane += b.from;
  out += b.begin;
  TapVectors<kV, T> x;
  const auto load_row = [&](int64_t i) __attribute__((always_inline)) {
    if (i < 0 || i >= p.in[1]) return false;
    load_taps<kStep, kV, kWhole>(plane + i * p.in[2], b, x);
    return true;
  };
  const auto add = [&](int a, Vec<T>(&sum)[kV]) __attribute__((always_inline)) {
    PT_GEMM_UNROLL for (int i = 0; i < 3; i++) {
      PT_GEMM_UNROLL for (int v = 0; v < kV; v++) sum[v] += w[a][i] * x[i][v];
    }
  };
  const auto start = [&](Vec<T>(&sum)[kV]) __attribute__((always_inline)) {
    PT_GEMM_UNROLL for (int v = 0; v < kV; v++) sum[v] = first_sum;
  };
  const auto put = [&](int64_t q, const Vec<T>(&sum)[kV]) __attribute__((always_inline)) {
    PT_GEMM_UNROLL for (int v = 0; v < kV; v++) {
      const int64_t at = q * p.out[2] + v * kL;
      const int count = kWhole || v < kV - 1 ? kL : b.tail;
      const Vec<T> r = finish(sum[v], b.begin + at, count);
      count == kL ? store(out + at, r) : store_n(out + at, r, count);
    }
  };
  if constexpr (kStep == 1) {
    Vec<T> first[kV], middle[kV], last[kV];  // results that wait for one, two, three more rows
    start(first);
    start(middle);
    for (int64_t i = -p.padding[1], q = -2; q < p.out[1]; i++, q++) {
      start(last);
      if (load_row(i)) {
        add(2, first);
        add(1, middle);
        add(0, last);
      }
      if (q >= 0) put(q, first);
      PT_GEMM_UNROLL for (int v = 0; v < kV; v++) first[v] = middle[v], middle[v] = last[v];
    }
  } else {
    bool inside = load_row(-p.padding[1]);
    for (int64_t i = -p.padding[1], q = 0; q < p.out[1]; i += 2, q++) {
      Vec<T> sum[kV];
      start(sum);
      if (inside) add(0, sum);
      if (load_row(i + 1)) add(1, sum);
      inside = load_row(i + 2);
      if (inside) add(2, sum);
      put(q, sum);
    }
  }
}

// The result of one plane and kernel.
template <int kStep, class T>
void slide_3x3_plane(const ConvArgs& p, const ColumnBlocks<T>& blocks, const T* plane,
                     const T* weight, const PlaneFinish<T>& finish, T* out) {
  for (int64_t i = 0; i < blocks.count; i++) {
    const ColumnBlock& b = blocks.blocks[i];
    if (b.vectors == 1) {
      slide_3x3_block<kStep, 1, false>(p, b, plane, weight, finish, out);
    } else if (b.whole) {
      slide_3x3_block<kStep, 2, true>(p, b, plane, weight, finish, out);
    } else {
      slide_3x3_block<kStep, 2, false>(p, b, plane, weight, finish, out);
    }
  }
}

// Adds to sums[tap] the output's gradient times the plane under each tap, a vector of columns.
template <int kStep, bool kWhole, class T>
void correlate_3x3(const ConvArgs& p, const ColumnBlock& block, const T* plane, const T* output,
                   Vec<T>* sums) {
  const ColumnBlock b = block;
  plane += b.from;
  output += b.begin;
  Vec<T> sum[9];
  PT_GEMM_UNROLL for (int t = 0; t < 9; t++) sum[t] = sums[t];
  // Rows of zeros above and below the plane.
  const auto load_row = [&](int64_t i, TapVectors<1, T>& x) __attribute__((always_inline)) {
    if (i >= 0 && i < p.in[1]) {
      load_taps<kStep, 1, kWhole>(plane + i * p.in[2], b, x);
    } else {
      PT_GEMM_UNROLL for (int t = 0; t < 3; t++) x[t][0] = Vec<T>{};
    }
  };
  const auto add = [&](int64_t q, TapVectors<1, T>& x0, TapVectors<1, T>& x1, TapVectors<1, T>& x2)
                       __attribute__((always_inline)) {
                         const T* from = output + q * p.out[2];
                         const Vec<T> y = kWhole ? load(from) : load_n(from, b.tail);
                         PT_GEMM_UNROLL for (int t = 0; t < 3; t++) {
                           sum[t] += y * x0[t][0];
                           sum[3 + t] += y * x1[t][0];
                           sum[6 + t] += y * x2[t][0];
                         }
                       };
  TapVectors<1, T> x0, x1, x2 = {};  // set before use, which GCC does not see
  load_row(-p.padding[1], x0);
  if constexpr (kStep == 1) {
    load_row(1 - p.padding[1], x1);
    int64_t q = 0, i = 2 - p.padding[1];
    for (; q + 3 <= p.out[1]; q += 3, i += 3) {
      load_row(i, x2);
      add(q, x0, x1, x2);
      load_row(i + 1, x0);
      add(q + 1, x1, x2, x0);
      load_row(i + 2, x1);
      add(q + 2, x2, x0, x1);
    }
    if (q < p.out[1]) {
      load_row(i, x2);
      add(q, x0, x1, x2);
    }
    if (q + 1 < p.out[1]) {
      load_row(i + 1, x0);
      add(q + 1, x1, x2, x0);
    }
  } else {
    int64_t q = 0, i = 1 - p.padding[1];
    for (; q + 2 <= p.out[1]; q += 2, i += 4) {
      load_row(i, x1);
      load_row(i + 1, x2);
      add(q, x0, x1, x2);
      load_row(i + 2, x1);
      load_row(i + 3, x0);
      add(q + 1, x2, x1, x0);
    }
    if (q < p.out[1]) {
      load_row(i, x1);
      load_row(i + 1, x2);
      add(q, x0, x1, x2);
    }
  }
  PT_GEMM_UNROLL for (int t = 0; t < 9; t++) sums[t] = sum[t];
}

// Planes a task takes: about 50 us of work.
inline int64_t plane_grain(const ConvArgs& p) {
  const int64_t work = p.out[1] * p.out[2] * (p.kernel[1] * p.kernel[2] + 8) * p.out_channels;
  return max_of(1, 1'000'000 / work);
}

template <int kStep, class T>
void slide_3x3(const ConvArgs& p) {
  const int64_t in_plane = p.in[1] * p.in[2], out_plane = p.out[1] * p.out[2];
  const ColumnBlocks<T> blocks(p, 2);
  parallel_for(0, p.batch * p.groups, plane_grain(p), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const T* plane = static_cast<const T*>(p.input) + i * in_plane;
      for (int64_t j = 0; j < p.out_channels; j++) {
        const int64_t channel = i % p.groups * p.out_channels + j;
        const int64_t at = (i * p.out_channels + j) * out_plane;
        slide_3x3_plane<kStep>(p, blocks, plane, static_cast<const T*>(p.weight) + channel * 9,
                               PlaneFinish<T>(p, channel, at), static_cast<T*>(p.output) + at);
      }
    }
  });
}

// The gradient by the weight. One vector of columns at a time: more would not fit the registers.
template <int kStep, class T>
void weight_gradient_3x3(const ConvArgs& p) {
  const int64_t in_plane = p.in[1] * p.in[2], out_plane = p.out[1] * p.out[2];
  const int64_t channels = p.groups * p.out_channels;
  const ColumnBlocks<T> blocks(p, 1);
  // One task has a channel of all images, so that the order of its sum is always the same.
  const int64_t grain = max_of(1, plane_grain(p) * p.out_channels / p.batch);
  parallel_for(0, channels, grain, [&](int64_t begin, int64_t end) {
    for (int64_t channel = begin; channel < end; channel++) {
      Vec<T> sums[9] = {};
      for (int64_t n = 0; n < p.batch; n++) {
        const int64_t from = n * p.groups + channel / p.out_channels;
        const T* plane = static_cast<const T*>(p.input) + from * in_plane;
        const T* y = static_cast<const T*>(p.output) + (n * channels + channel) * out_plane;
        for (int64_t i = 0; i < blocks.count; i++) {
          const ColumnBlock& b = blocks.blocks[i];
          b.whole ? correlate_3x3<kStep, true>(p, b, plane, y, sums)
                  : correlate_3x3<kStep, false>(p, b, plane, y, sums);
        }
      }
      T* to = static_cast<T*>(p.weight) + channel * 9;
      gemm::sum_lanes_of_4<T>(sums, to);
      gemm::sum_lanes_of_4<T>(sums + 4, to + 4);
      to[8] = gemm::sum_lanes<T>(sums[8]);
    }
  });
}

// The gradient by the input for stride 2 and padding 1: row r of the output and the next one give
// rows 2 r and 2 r + 1.
inline bool spread_3x3_fits(const ConvArgs& p) {
  if (p.out_channels != 1 || !is_3x3(p) || p.stride[1] != 2) return false;
  for (int d = 1; d < 3; d++) {
    if (p.padding[d] != 1 || (p.in[d] + 1) / 2 != p.out[d]) return false;
  }
  return true;
}

template <class T>
void spread_3x3_plane(const ConvArgs& p, const T* output, const T* weight, T bias, T* plane) {
  constexpr int kL = kLanes<T>;
  Vec<T> w[9];
  PT_GEMM_UNROLL for (int t = 0; t < 9; t++) w[t] = gemm::broadcast<T>(weight[t]);
  const Vec<T> start = gemm::broadcast<T>(bias);
  for (int64_t c = 0; c < p.out[2]; c += kL) {
    const int left = static_cast<int>(min_of<int64_t>(kL + 1, p.out[2] - c));
    const LaneMask here = lanes_between(0, min_of(left, kL)), after = lanes_between(0, left - 1);
    const int64_t width = p.in[2] - 2 * c;
    const T* from = output + c;
    T* to = plane + 2 * c;
    Vec<T> a = load_lanes(from, here), b = load_lanes(from + 1, after);
    for (int64_t r = 0; r < p.out[1]; r++, to += 2 * p.in[2]) {
      store_pairs<T>(to, start + w[4] * a, start + w[3] * b + w[5] * a, width);
      if (2 * r + 1 == p.in[1]) break;
      Vec<T> even = start, odd = start;
      const Vec<T> above = a, above_next = b;
      if (r + 1 < p.out[1]) {
        from += p.out[2];
        a = load_lanes(from, here), b = load_lanes(from + 1, after);
        even += w[1] * a;
        odd += w[0] * b;
        odd += w[2] * a;
      }
      even += w[7] * above;
      odd += w[6] * above_next;
      odd += w[8] * above;
      store_pairs<T>(to + p.in[2], even, odd, width);
    }
  }
}

template <class T>
void spread_3x3(const ConvArgs& p) {
  const int64_t in_plane = p.in[1] * p.in[2], out_plane = p.out[1] * p.out[2];
  parallel_for(0, p.batch * p.groups, plane_grain(p), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t channel = i % p.groups;
      const T bias = p.bias ? static_cast<const T*>(p.bias)[channel] : T(0);
      spread_3x3_plane<T>(p, static_cast<const T*>(p.output) + i * out_plane,
                          static_cast<const T*>(p.weight) + channel * 9, bias,
                          static_cast<T*>(p.input) + i * in_plane);
    }
  });
}

}  // namespace pt::PT_ISA::conv

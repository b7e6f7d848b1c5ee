// The gradient of a convolution by its input, the other way around: the products of the weight with
// pixels of the output's gradient are added up where they belong (columns to image).
//
// The weight is read as it lies. It takes less time than gathering (forward.h) where an image has
// few channels, where the weight is large beside the image, or where strides leave gaps. A block of
// pixels times a panel of rows stays in the L1 cache until it is added.
#pragma once

#include "cpu/conv/forward.h"

namespace pt::PT_ISA::conv {

// to[0], to[step]... += from[0], from[1]...
template <class T>
PT_GEMM_INLINE void add_row(const T* from, int64_t count, T* to, int64_t step) {
  constexpr int kL = kLanes<T>;
  if (step == 1) {
    int64_t i = 0;
    for (; i + kL <= count; i += kL) store(to + i, load(to + i) + load(from + i));
    const int left = static_cast<int>(count - i);
    if (left > 0) store_n(to + i, load_n(to + i, left) + load_n(from + i, left), left);
  } else {
    for (int64_t i = 0; i < count; i++) to[i * step] += from[i];
  }
}

// Adds row (channel, tap) of a block of output rows [begin, end) to its plane of the gradient.
template <class T>
void add_tap(const ConvArgs& p, int64_t tap, int64_t begin, int64_t end, const T* from, T* plane) {
  const int64_t k2 = tap % p.kernel[2], rest = tap / p.kernel[2];
  const int64_t k1 = rest % p.kernel[1], k0 = rest / p.kernel[1];
  const int64_t width = p.out[2], step = p.stride[2];
  const int64_t at2 = k2 * p.dilation[2] - p.padding[2];
  const int64_t lo = at2 >= 0 ? 0 : min_of(width, divide_up(-at2, step));
  const int64_t hi = at2 >= p.in[2] ? 0 : min_of(width, divide_up(p.in[2] - at2, step));
  if (hi <= lo) return;
  int64_t o0 = begin / p.out[1], o1 = begin % p.out[1];
  for (int64_t row = begin; row < end; o0++, o1 = 0) {
    const int64_t stop = min_of(end, row + p.out[1] - o1);
    const int64_t i0 = o0 * p.stride[0] - p.padding[0] + k0 * p.dilation[0];
    int64_t i1 = o1 * p.stride[1] - p.padding[1] + k1 * p.dilation[1];
    const bool inside = i0 >= 0 && i0 < p.in[0];
    T* to = plane + (i0 * p.in[1] + i1) * p.in[2] + at2 + lo * step;
    for (; row < stop; row++, from += width) {
      if (inside && i1 >= 0 && i1 < p.in[1]) add_row(from + lo, hi - lo, to, step);
      i1 += p.stride[1];
      to += p.stride[1] * p.in[2];
    }
  }
}

// Channels [c0, c1) of one image and group.
template <class T>
void scatter_channels(const ConvArgs& p, int64_t image, int64_t group, int64_t c0, int64_t c1) {
  using B = Blocks<T>;
  constexpr int kRows = B::kRows, kColumns = B::kColumns;
  const gemm::KernelTable<T>& kernels = gemm::kernel_table<T>();
  const int64_t in_plane = volume(p.in), out_plane = volume(p.out), taps = volume(p.kernel);
  const int64_t depth_all = p.in_channels * taps, rows = (c1 - c0) * taps;
  const T* y =
      static_cast<const T*>(p.output) + (image * p.groups + group) * p.out_channels * out_plane;
  T* x = static_cast<T*>(p.input) + ((image * p.groups + group) * p.in_channels + c0) * in_plane;
  for (int64_t c = 0; c < c1 - c0; c++) {
    const T bias = p.bias ? static_cast<const T*>(p.bias)[group * p.in_channels + c0 + c] : T(0);
    for (int64_t i = 0; i < in_plane; i++) x[c * in_plane + i] = bias;
  }
  // Whole rows of the output, as many as fit.
  const int64_t width = p.out[2], lines = p.out[0] * p.out[1];
  const int64_t most = max_of(1, min_of(lines, B::kDepth / width));
  for (int64_t line = 0, count; line < lines; line += count) {
    count = min_of(most, lines - line);
    const int64_t pixels = count * width, panels = divide_up(pixels, kColumns);
    const int64_t pitch = panels * kColumns + 16;
    T* tile = gemm::scratch_c.get<T>(kRows * pitch);
    GemmArgs of_a;
    of_a.m = rows, of_a.n = pixels, of_a.k = p.out_channels;
    of_a.a = static_cast<const T*>(p.weight) + group * p.out_channels * depth_all + c0 * taps;
    of_a.a_row = 1, of_a.a_col = depth_all;
    const gemm::Problem<T> problem(of_a);
    gemm::PanelsOfA<T> a_panels(problem);
    for (int64_t k0 = 0, depth; k0 < p.out_channels; k0 += depth) {
      depth = gemm::next_block(p.out_channels - k0, B::kDepth);
      T* b = gemm::scratch_b.get<T>(panels * kColumns * depth);
      gemm::pack_b(y + k0 * out_plane + line * width, out_plane, int64_t{1}, depth, pixels, b);
      a_panels.begin(k0, depth);
      for (int64_t i = 0, r; i < rows; i += r) {
        r = rows - i;
        if (r > kRows) r = r >= 2 * kRows ? kRows : (r + 1) / 2;
        const auto panel = a_panels.get(i, r);
        for (int64_t q = 0; q < panels; q++) {
          const int n = static_cast<int>(min_of<int64_t>(kColumns, pixels - q * kColumns));
          kernels.get(panel.layout, static_cast<int>(r), n)(
              depth, panel.a, panel.stride, b + q * kColumns * depth, kColumns, 8 * kColumns,
              tile + q * kColumns, pitch, n, false);
        }
        for (int64_t j = 0; j < r; j++) {
          const int64_t row = i + j;
          add_tap(p, row % taps, line, line + count, tile + j * pitch, x + row / taps * in_plane);
        }
      }
    }
  }
  if (p.relu) {
    for (int64_t i = 0; i < (c1 - c0) * in_plane; i++) x[i] = x[i] < T(0) ? T(0) : x[i];
  }
}

// Where it is the quicker way (measured).
inline bool scatter_fits(const ConvArgs& p) {
  if (volume(p.kernel) == 1) return false;
  const bool strided = p.stride[0] > 1 || p.stride[1] > 1 || p.stride[2] > 1;
  if (strided && p.batch * volume(p.out) <= 64) return true;
  return p.in_channels < 32 || (!strided && 2 * p.in_channels <= p.out_channels);
}

template <class T>
void scatter_input_gradient(const ConvArgs& p) {
  const int64_t images = p.batch * p.groups, threads = get_num_threads();
  const int64_t work =
      gemm::work_of(p.in_channels * volume(p.kernel), volume(p.out), p.out_channels);
  // Channels are cut where there are few images; no sum depends on it.
  const int64_t cuts = images >= 2 * threads || images * work < gemm::kSerialWork
                           ? 1
                           : min_of(p.in_channels, divide_up(2 * threads, images));
  const int64_t channels = divide_up(p.in_channels, cuts),
                parts = divide_up(p.in_channels, channels);
  const int64_t grain = max_of(1, gemm::kTaskWork * parts / work);
  parallel_for(0, images * parts, grain, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; task++) {
      const int64_t image = task / parts / p.groups, group = task / parts % p.groups;
      const int64_t c0 = task % parts * channels;
      scatter_channels<T>(p, image, group, c0, min_of(p.in_channels, c0 + channels));
    }
  });
}

}  // namespace pt::PT_ISA::conv

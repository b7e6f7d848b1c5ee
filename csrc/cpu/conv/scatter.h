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

// For stride 1 along rows: the sums of each row of the gradient pass through registers once.
template <class T>
class RowSums {
 public:
  explicit RowSums(const ConvArgs& p) : p_(p), chunks_(divide_up(p.in[2], kLanes<T>)) {
    masks_ = scratch_reads.get<LaneMask>(chunks_ * p.kernel[2]);
    for (int64_t c = 0; c < chunks_; c++) {
      for (int64_t k = 0; k < p.kernel[2]; k++) {
        int lo, hi;
        const int64_t begin = c * kLanes<T> + p.padding[2] - k * p.dilation[2];
        clip(begin, 1, p.out[2], kLanes<T>, &lo, &hi);
        masks_[c * p.kernel[2] + k] = lanes_between(lo, hi);
      }
    }
    lines_ = scratch_places.get<const T*>(p.kernel[0] * p.kernel[1]);
  }

  // Adds all taps of the output rows [begin, end), tap t at taps + t * pitch, to a plane.
  void add(const T* taps, int64_t pitch, int64_t begin, int64_t end, T* plane) const {
    for (int64_t i0 = 0; i0 < p_.in[0]; i0++) {
      for (int64_t i1 = 0; i1 < p_.in[1]; i1++, plane += p_.in[2]) {
        const int count = find_lines(taps, pitch, begin, end, i0, i1);
        if (count > 0) add_lines(count, pitch, plane);
      }
    }
  }

 private:
  // The rows of the output under the taps of a row of the gradient.
  int find_lines(const T* taps, int64_t pitch, int64_t begin, int64_t end, int64_t i0,
                 int64_t i1) const {
    int count = 0;
    for (int64_t k0 = 0; k0 < p_.kernel[0]; k0++) {
      int64_t o0 = i0 + p_.padding[0] - k0 * p_.dilation[0];
      if (!divide(p_.stride[0], p_.out[0], &o0)) continue;
      for (int64_t k1 = 0; k1 < p_.kernel[1]; k1++) {
        int64_t o1 = i1 + p_.padding[1] - k1 * p_.dilation[1];
        if (!divide(p_.stride[1], p_.out[1], &o1)) continue;
        const int64_t line = o0 * p_.out[1] + o1;
        if (line < begin || line >= end) continue;
        lines_[count++] =
            taps + (k0 * p_.kernel[1] + k1) * p_.kernel[2] * pitch + (line - begin) * p_.out[2];
      }
    }
    return count;
  }

  static bool divide(int64_t stride, int64_t size, int64_t* at) {
    if (*at < 0) return false;
    if (stride > 1) {
      if (*at % stride != 0) return false;
      *at /= stride;
    }
    return *at < size;
  }

  void add_lines(int count, int64_t pitch, T* row) const {
    constexpr int kL = kLanes<T>;
    const int64_t taps = p_.kernel[2], step = pitch - p_.dilation[2];
    for (int64_t c = 0; c < chunks_; c++) {
      const int width = static_cast<int>(min_of<int64_t>(kL, p_.in[2] - c * kL));
      Vec<T> sum = load_n(row + c * kL, width);
      const LaneMask* masks = masks_ + c * taps;
      for (int i = 0; i < count; i++) {
        const T* from = lines_[i] + c * kL + p_.padding[2];
        for (int64_t k = 0; k < taps; k++, from += step) sum += load_lanes(from, masks[k]);
      }
      store_n(row + c * kL, sum, width);
    }
  }

  const ConvArgs& p_;
  int64_t chunks_;
  LaneMask* masks_;
  const T** lines_;
};

// Channels [c0, c1) of one image and group.
template <class T>
void scatter_channels(const ConvArgs& p, int64_t image, int64_t group, int64_t c0, int64_t c1) {
  using B = Blocks<T>;
  constexpr int kRows = B::kRows, kColumns = B::kColumns;
  const gemm::KernelTable<T>& kernels = gemm::kernel_table<T>();
  const int64_t in_plane = volume(p.in), out_plane = volume(p.out), taps = volume(p.kernel);
  const int64_t depth_all = p.in_channels * taps;
  const T* weight = static_cast<const T*>(p.weight) + group * p.out_channels * depth_all;
  const T* y =
      static_cast<const T*>(p.output) + (image * p.groups + group) * p.out_channels * out_plane;
  T* x = static_cast<T*>(p.input) + (image * p.groups + group) * p.in_channels * in_plane;
  for (int64_t c = c0; c < c1; c++) {
    const T bias = p.bias ? static_cast<const T*>(p.bias)[group * p.in_channels + c] : T(0);
    for (int64_t i = 0; i < in_plane; i++) x[c * in_plane + i] = bias;
  }
  const RowSums<T> row_sums(p);
  // Whole rows of the output, as many as fit.
  const int64_t width = p.out[2], lines = p.out[0] * p.out[1];
  const int64_t most = max_of(1, min_of(lines, B::kDepth / width));
  for (int64_t line = 0, count; line < lines; line += count) {
    count = min_of(most, lines - line);
    const int64_t pixels = count * width, panels = divide_up(pixels, kColumns);
    const int64_t pitch = panels * kColumns + 16;
    T* tile = gemm::scratch_c.get<T>(taps * pitch);
    for (int64_t k0 = 0, depth; k0 < p.out_channels; k0 += depth) {
      depth = gemm::next_block(p.out_channels - k0, B::kDepth);
      T* b = gemm::scratch_b.get<T>(panels * kColumns * depth);
      T* a = gemm::scratch_a.get<T>(kRows * depth);
      gemm::pack_b(y + k0 * out_plane + line * width, out_plane, int64_t{1}, depth, pixels, b);
      for (int64_t c = c0; c < c1; c++) {
        for (int64_t t = 0, r; t < taps; t += r) {
          r = taps - t;
          if (r > kRows) r = r >= 2 * kRows ? kRows : (r + 1) / 2;
          const int rows = static_cast<int>(r);
          gemm::pack_columns(weight + k0 * depth_all + c * taps + t, int64_t{1}, depth_all, rows,
                             depth, a);
          for (int64_t q = 0; q < panels; q++) {
            const int n = static_cast<int>(min_of<int64_t>(kColumns, pixels - q * kColumns));
            kernels.get(gemm::kByColumn, rows, n)(depth, a, kRows, b + q * kColumns * depth,
                                                  kColumns, 8 * kColumns,
                                                  tile + t * pitch + q * kColumns, pitch, n, false);
          }
        }
        T* plane = x + c * in_plane;
        if (p.stride[2] == 1) {
          row_sums.add(tile, pitch, line, line + count, plane);
        } else {
          for (int64_t t = 0; t < taps; t++) {
            add_tap(p, t, line, line + count, tile + t * pitch, plane);
          }
        }
      }
    }
  }
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

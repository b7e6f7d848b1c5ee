// Copies of images for strided convolutions: the columns that a tap reads in steps lie side by
// side.
//
// A row of the copy holds, one after the other, the columns of each residue modulo the stride, with
// the zeros of the border. Packing a matrix from it (image.h) copies whole vectors, where reading
// the image itself picks every other element once for each tap and panel. For a kernel of one tap
// the copy has only what it reads, and the convolution becomes one of stride 1.
#pragma once

#include "core/parallel.h"
#include "cpu/conv/image.h"

namespace pt::PT_ISA::conv {

// Lines of `phases` x `width` elements: element (f, j) is column j * step + f - padding of a line
// of the image; line (a, b) of the copy is the image's line a * next[0] - before[0], and so on.
struct SplitShape {
  int64_t step, phases, width, padding;
  int64_t lines[2], next[2], before[2];
  int64_t pitch() const { return phases * width; }
  int64_t plane() const { return lines[0] * lines[1] * pitch(); }
};

inline SplitShape split_shape(const ConvArgs& p) {
  SplitShape s;
  s.step = p.stride[2];
  s.padding = p.padding[2];
  s.phases = 1;
  for (int64_t t = 0; t < min_of(p.kernel[2], s.step); t++) {
    s.phases = max_of(s.phases, t * p.dilation[2] % s.step + 1);
  }
  s.width = p.out[2] + (p.kernel[2] - 1) * p.dilation[2] / s.step;
  for (int d = 0; d < 2; d++) {
    s.next[d] = p.kernel[d] == 1 ? p.stride[d] : 1;
    s.lines[d] = (p.out[d] - 1) * p.stride[d] / s.next[d] + (p.kernel[d] - 1) * p.dilation[d] + 1;
    s.before[d] = p.padding[d];
  }
  return s;
}

// Whether such a copy serves: not for large steps, nor where the border would be most of it.
inline bool split_fits(const ConvArgs& p) {
  constexpr int64_t kMostStep = 8;
  if (p.out[2] == 1 || p.stride[2] == 1 || p.stride[2] > kMostStep) return false;
  const SplitShape s = split_shape(p);
  return s.pitch() <= 2 * p.in[2] + 64 && s.lines[1] <= 2 * p.in[1] + 8 &&
         s.lines[0] <= 2 * p.in[0] + 8;
}

// The elements of kStep vectors from `row` on that lie in the image, which begins `before` elements
// later and has `size`.
template <int kStep, class T>
PT_GEMM_INLINE void load_row(const T* row, int64_t before, int64_t size, Vec<T>* v) {
  constexpr int kL = kLanes<T>;
  if (before <= 0 && kStep * kL <= size + before) {
    PT_GEMM_UNROLL for (int i = 0; i < kStep; i++) v[i] = load(row + i * kL);
    return;
  }
  PT_GEMM_UNROLL for (int i = 0; i < kStep; i++) {
    const int64_t lo = max_of(0, before - i * kL), hi = min_of<int64_t>(kL, size + before - i * kL);
    v[i] = lo < hi
               ? load_lanes(row + i * kL, lanes_between(static_cast<int>(lo), static_cast<int>(hi)))
               : Vec<T>{};
  }
}

// One line of the copy. kStep is 2, 4, or 0 for any step.
template <int kStep, class T>
PT_GEMM_INLINE void split_line(const T* line, int64_t size, const SplitShape& s, T* to) {
  constexpr int kL = kLanes<T>;
  for (int64_t j = 0; j < s.width; j += kL) {
    const int64_t at = j * s.step - s.padding;
    const int count = static_cast<int>(min_of<int64_t>(kL, s.width - j));
    const auto put = [&](int64_t phase, Vec<T> v) __attribute__((always_inline)) {
      T* out = to + phase * s.width + j;
      count == kL ? store(out, v) : store_n(out, v, count);
    };
    if constexpr (kStep == 0) {
      for (int64_t f = 0; f < s.phases; f++) {
        int lo, hi;
        clip(at + f, s.step, size, count, &lo, &hi);
        put(f, load_strided(line + at + f, lo, hi, s.step));
      }
    } else {
      Vec<T> v[kStep], parts[kStep];
      load_row<kStep>(line + at, -at, size, v);
      take_apart<kStep, T>(v, parts);
      PT_GEMM_UNROLL for (int f = 0; f < kStep; f++) {
        if (f < s.phases) put(f, parts[f]);
      }
    }
  }
}

template <int kStep, class T>
void split_planes(const ConvArgs& p, const SplitShape& s, T* to) {
  const int64_t planes = p.batch * p.groups * p.in_channels, in_plane = p.in[0] * p.in[1] * p.in[2];
  const int64_t pitch = s.pitch();
  parallel_for(0, planes, max_of(1, 65536 / s.plane()), [&](int64_t begin, int64_t end) {
    const T* from = static_cast<const T*>(p.input) + begin * in_plane;
    T* out = to + begin * s.plane();
    for (int64_t c = begin; c < end; c++, from += in_plane) {
      for (int64_t a = 0; a < s.lines[0]; a++) {
        const int64_t i0 = a * s.next[0] - s.before[0];
        for (int64_t b = 0; b < s.lines[1]; b++, out += pitch) {
          const int64_t i1 = b * s.next[1] - s.before[1];
          if (i0 < 0 || i0 >= p.in[0] || i1 < 0 || i1 >= p.in[1]) {
            for (int64_t i = 0; i < pitch; i++) out[i] = T(0);
          } else {
            split_line<kStep>(from + (i0 * p.in[1] + i1) * p.in[2], p.in[2], s, out);
          }
        }
      }
    }
  });
}

// A copy of the input, with room to read a whole vector at each element.
template <class T>
T* split_input(const ConvArgs& p, const SplitShape& s) {
  const int64_t size = p.batch * p.groups * p.in_channels * s.plane() + kLanes<T>;
  T* to = static_cast<T*>(p.allocate(p.owner, size * static_cast<int64_t>(sizeof(T))));
  if (s.step == 2) {
    split_planes<2>(p, s, to);
  } else if (s.step == 4) {
    split_planes<4>(p, s, to);
  } else {
    split_planes<0>(p, s, to);
  }
  return to;
}

// The matrix of the input of group 0, its columns in the order of the output: of a split copy where
// that serves.
template <class T>
ImageMatrix<T> input_matrix(const ConvArgs& p) {
  ImageMatrix<T> m;
  m.image = static_cast<const T*>(p.input);
  m.channels = p.in_channels;
  for (int d = 0; d < 3; d++) {
    m.size[d] = p.in[d];
    m.grid[d] = p.out[d];
    m.step[d] = p.out[d] == 1 ? 1 : p.stride[d];
    m.taps[d] = {p.kernel[d], -p.padding[d], p.dilation[d]};
  }
  if (split_fits(p)) {
    const SplitShape s = split_shape(p);
    m.image = split_input<T>(p, s);
    for (int d = 0; d < 2; d++) {
      m.size[d] = s.lines[d];
      m.step[d] = p.stride[d] / s.next[d];
    }
    m.size[2] = s.pitch();
    m.step[2] = 1;
    auto* offsets = static_cast<int64_t*>(
        p.allocate(p.owner, m.num_taps() * static_cast<int64_t>(sizeof(int64_t))));
    m.tap_offsets = offsets;
    for (int64_t t0 = 0; t0 < p.kernel[0]; t0++) {
      for (int64_t t1 = 0; t1 < p.kernel[1]; t1++) {
        const int64_t line = t0 * p.dilation[0] * s.lines[1] + t1 * p.dilation[1];
        for (int64_t t2 = 0; t2 < p.kernel[2]; t2++) {
          const int64_t c = t2 * p.dilation[2];
          *offsets++ = line * s.pitch() + c % s.step * s.width + c / s.step;
        }
      }
    }
  }
  m.channel_step = m.size[0] * m.size[1] * m.size[2];
  m.image_step = p.groups * p.in_channels * m.channel_step;
  return m;
}

// A kernel of one tap, no borders.
inline bool is_pointwise(const ConvArgs& p) {
  for (int d = 0; d < 3; d++) {
    if (p.kernel[d] != 1 || p.padding[d] != 0) return false;
  }
  return true;
}

// The same convolution as one of stride 1 on the pixels that it reads. The input is left as it is.
inline ConvArgs without_steps(const ConvArgs& p) {
  ConvArgs q = p;
  for (int d = 0; d < 3; d++) q.in[d] = p.out[d], q.stride[d] = 1;
  return q;
}

// That, with a copy of the input.
template <class T>
ConvArgs picked_pixels(const ConvArgs& p) {
  ConvArgs q = without_steps(p);
  q.input = split_input<T>(p, split_shape(p));
  return q;
}

// The reverse of the copy for the gradient by the input: `pixels` go to the places that were read,
// the bias to all others.
template <class T>
void spread_pixels(const ConvArgs& p, const T* pixels) {
  constexpr int kL = kLanes<T>;
  const int64_t in_plane = p.in[0] * p.in[1] * p.in[2], out_plane = p.out[0] * p.out[1] * p.out[2];
  const int64_t planes = p.batch * p.groups * p.in_channels, width = p.out[2], step = p.stride[2];
  parallel_for(0, planes, max_of(1, 65536 / in_plane), [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; c++) {
      const int64_t channel = c % (p.groups * p.in_channels);
      const T gap = p.bias ? static_cast<const T*>(p.bias)[channel] : T(0);
      const Vec<T> gaps = gemm::broadcast<T>(gap);
      T* plane = static_cast<T*>(p.input) + c * in_plane;
      const T* from = pixels + c * out_plane;
      for (int64_t line = 0; line < p.in[0] * p.in[1]; line++, plane += p.in[2]) {
        const int64_t i0 = line / p.in[1], i1 = line % p.in[1];
        int64_t i = 0;
        if (i0 % p.stride[0] == 0 && i1 % p.stride[1] == 0 && i0 / p.stride[0] < p.out[0] &&
            i1 / p.stride[1] < p.out[1]) {
          int64_t j = 0;
          if (step == 2) {
            for (; j + kL <= width && 2 * (j + kL) <= p.in[2]; j += kL) {
              const Vec<T> v = load(from + j);
              store(plane + 2 * j, gemm::zip_low<T>(v, gaps, gemm::LanesOf<T>{}));
              store(plane + 2 * j + kL, gemm::zip_high<T>(v, gaps, gemm::LanesOf<T>{}));
            }
          }
          for (; j < width; j++) {
            plane[j * step] = from[j];
            for (int64_t k = j * step + 1; k < min_of(p.in[2], (j + 1) * step); k++) plane[k] = gap;
          }
          from += width;
          i = min_of(p.in[2], width * step);
        }
        for (; i < p.in[2]; i++) plane[i] = gap;
      }
    }
  });
}

}  // namespace pt::PT_ISA::conv

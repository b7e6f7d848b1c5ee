// The convolution and its gradient by the input as products with image matrices.
#pragma once

#include "cpu/conv/product.h"
#include "cpu/conv/split.h"
#include "cpu/conv/transpose.h"

namespace pt::PT_ISA::conv {

inline int64_t volume(const int64_t (&size)[3]) { return size[0] * size[1] * size[2]; }

template <class T>
void product_forward(const ConvArgs& p) {
  const int64_t out_plane = volume(p.out), depth = p.in_channels * volume(p.kernel);
  const ImageMatrix<T> m = input_matrix<T>(p);
  run_products<T>(p.groups, p.batch, [&](int64_t g) {
    Product<T> product;
    product.a = static_cast<const T*>(p.weight) + g * p.out_channels * depth;
    product.a_row = depth;
    product.rows = p.out_channels;
    product.matrix = m;
    product.matrix.image += g * p.in_channels * m.channel_step;
    product.out = static_cast<T*>(p.output) + g * p.out_channels * out_plane;
    product.out_image = p.groups * p.out_channels * out_plane;
    product.out_row = out_plane;
    product.out_step[0] = p.out[1] * p.out[2];
    product.out_step[1] = p.out[2];
    product.out_step[2] = 1;
    if (p.bias) product.bias = static_cast<const T*>(p.bias) + g * p.out_channels;
    product.relu = p.relu;
    return product;
  });
}

// One residue of input positions i = begin + q * stride along one dimension: the taps that reach
// them, k = first + t * next, read the output at q + shift + t * step.
struct Phase {
  int64_t begin = 0, count = 0;
  int64_t taps = 0, first = 0, next = 1;
  int64_t shift = 0, step = 0;
};

inline int64_t greatest_divisor(int64_t a, int64_t b) {
  while (b) {
    const int64_t r = a % b;
    a = b;
    b = r;
  }
  return a;
}

inline Phase find_phase(const ConvArgs& p, int d, int64_t begin) {
  Phase f;
  const int64_t s = p.stride[d], divisor = greatest_divisor(s, p.dilation[d]);
  f.begin = begin;
  f.count = divide_up(p.in[d] - begin, s);
  f.next = s / divisor;
  const int64_t at = begin + p.padding[d];
  if (at % divisor != 0) return f;
  for (int64_t k = 0; k < min_of(f.next, p.kernel[d]); k++) {
    if ((at - k * p.dilation[d]) % s != 0) continue;
    f.first = k;
    f.taps = (p.kernel[d] - 1 - k) / f.next + 1;
    f.shift = (at - k * p.dilation[d]) / s;
    f.step = -(p.dilation[d] / divisor);
    break;
  }
  return f;
}

// The weight as the gradient reads it: [groups][ci][tap][co].
template <class T>
T* transpose_weight(const ConvArgs& p) {
  const int64_t taps = volume(p.kernel), depth = p.in_channels * taps;
  const T* weight = static_cast<const T*>(p.weight);
  T* to = static_cast<T*>(
      p.allocate(p.owner, p.groups * depth * p.out_channels * static_cast<int64_t>(sizeof(T))));
  for (int64_t g = 0; g < p.groups; g++) {
    transpose_matrix(weight + g * depth * p.out_channels, p.out_channels, depth,
                     to + g * depth * p.out_channels);
  }
  return to;
}

// The rows of the transposed weight that belong to the taps of a phase.
template <class T>
T* weight_of_phase(const ConvArgs& p, const Phase* f, const T* transposed) {
  const int64_t taps = f[0].taps * f[1].taps * f[2].taps, all_taps = volume(p.kernel);
  const int64_t channels = p.groups * p.in_channels;
  T* to = static_cast<T*>(
      p.allocate(p.owner, channels * taps * p.out_channels * static_cast<int64_t>(sizeof(T))));
  const int64_t grain = max_of(1, 65536 / (taps * p.out_channels));
  parallel_for(0, channels, grain, [&](int64_t begin, int64_t end) {
    T* out = to + begin * taps * p.out_channels;
    for (int64_t c = begin; c < end; c++) {
      for (int64_t t = 0; t < taps; t++, out += p.out_channels) {
        const int64_t k2 = f[2].first + t % f[2].taps * f[2].next, rest = t / f[2].taps;
        const int64_t k1 = f[1].first + rest % f[1].taps * f[1].next;
        const int64_t k0 = f[0].first + rest / f[1].taps * f[0].next;
        const int64_t tap = (k0 * p.kernel[1] + k1) * p.kernel[2] + k2;
        const T* from = transposed + (c * all_taps + tap) * p.out_channels;
        for (int64_t i = 0; i < p.out_channels; i++) out[i] = from[i];
      }
    }
  });
  return to;
}

template <class T>
void fill_with_bias(const ConvArgs& p) {
  const int64_t plane = volume(p.in), channels = p.groups * p.in_channels;
  T* out = static_cast<T*>(p.input);
  const T* bias = static_cast<const T*>(p.bias);
  parallel_for(0, p.batch * channels, max_of(1, 32768 / plane), [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; c++) {
      T value = bias ? bias[c % channels] : T(0);
      if (p.relu && value < T(0)) value = T(0);
      for (int64_t i = 0; i < plane; i++) out[c * plane + i] = value;
    }
  });
}

template <class T>
void input_gradient_phase(const ConvArgs& p, const Phase* f, const T* transposed) {
  const int64_t in_plane = volume(p.in), out_plane = volume(p.out);
  const int64_t taps = f[0].taps * f[1].taps * f[2].taps, depth = taps * p.out_channels;
  const bool in_place = volume(p.kernel) == 1;  // the transpose is a matter of strides
  const T* a = in_place                   ? static_cast<const T*>(p.weight)
               : taps == volume(p.kernel) ? transposed
                                          : weight_of_phase(p, f, transposed);
  run_products<T>(p.groups, p.batch, [&](int64_t g) {
    Product<T> product;
    product.a = a + g * p.in_channels * depth;
    product.a_row = in_place ? 1 : depth;
    product.a_col = in_place ? p.in_channels : 1;
    product.rows = p.in_channels;
    ImageMatrix<T>& m = product.matrix;
    m.image = static_cast<const T*>(p.output) + g * p.out_channels * out_plane;
    m.image_step = p.groups * p.out_channels * out_plane;
    m.channel_step = out_plane;
    m.channels = p.out_channels;
    m.taps_outside = true;
    product.out = static_cast<T*>(p.input) + g * p.in_channels * in_plane;
    product.out_image = p.groups * p.in_channels * in_plane;
    product.out_row = in_plane;
    int64_t pitch = 1;
    for (int d = 2; d >= 0; d--) {
      m.size[d] = p.out[d];
      m.grid[d] = f[d].count;
      m.taps[d] = {f[d].taps, f[d].shift, f[d].step};
      product.out += f[d].begin * pitch;
      product.out_step[d] = pitch * (f[d].count == 1 ? 1 : p.stride[d]);
      pitch *= p.in[d];
    }
    if (p.bias) product.bias = static_cast<const T*>(p.bias) + g * p.in_channels;
    product.relu = p.relu;
    return product;
  });
}

template <class T>
void gather_input_gradient(const ConvArgs& p) {
  int64_t phases[3];
  bool gaps = false;
  for (int d = 0; d < 3; d++) {
    phases[d] = min_of(p.stride[d], p.in[d]);
    // Residues that no tap reaches.
    gaps = gaps || p.stride[d] > p.kernel[d] || greatest_divisor(p.stride[d], p.dilation[d]) > 1;
  }
  if (gaps) fill_with_bias<T>(p);
  const T* transposed = volume(p.kernel) == 1 ? nullptr : transpose_weight<T>(p);
  Phase f[3];
  // A residue without taps along one dimension stays as filled.
  for (int64_t a = 0; a < phases[0]; a++) {
    f[0] = find_phase(p, 0, a);
    for (int64_t b = 0; b < (f[0].taps ? phases[1] : 0); b++) {
      f[1] = find_phase(p, 1, b);
      for (int64_t c = 0; c < (f[1].taps ? phases[2] : 0); c++) {
        f[2] = find_phase(p, 2, c);
        if (f[2].taps) input_gradient_phase(p, f, transposed);
      }
    }
  }
}

}  // namespace pt::PT_ISA::conv

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
    product.finish = finish_of<T>(p, g * p.out_channels, g * p.out_channels * out_plane);
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

template <class T>
void fill_with_bias(const ConvArgs& p) {
  const int64_t plane = volume(p.in), channels = p.groups * p.in_channels;
  T* out = static_cast<T*>(p.input);
  const T* bias = static_cast<const T*>(p.bias);
  parallel_for(0, p.batch * channels, max_of(1, 32768 / plane), [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; c++) {
      const T value = bias ? bias[c % channels] : T(0);
      for (int64_t i = 0; i < plane; i++) out[c * plane + i] = value;
    }
  });
}

// The phases of a gradient: those of dimension d are phases[d], one for each residue.
struct PhaseGrid {
  const Phase* phases[3];
  int64_t count[3];

  explicit PhaseGrid(const ConvArgs& p) {
    for (int d = 0; d < 3; d++) {
      count[d] = min_of(p.stride[d], p.in[d]);
      auto* list =
          static_cast<Phase*>(p.allocate(p.owner, count[d] * static_cast<int64_t>(sizeof(Phase))));
      for (int64_t i = 0; i < count[d]; i++) list[i] = find_phase(p, d, i);
      phases[d] = list;
    }
  }
  // Calls f(index, phase of each dimension) for all that have taps.
  template <class F>
  void for_each(F&& f) const {
    for (int64_t i = 0; i < count[0] * count[1] * count[2]; i++) {
      const Phase* const of[3] = {&phases[0][i / count[2] / count[1]],
                                  &phases[1][i / count[2] % count[1]], &phases[2][i % count[2]]};
      if (of[0]->taps && of[1]->taps && of[2]->taps) f(i, of);
    }
  }
};

// The weight as the gradient reads it: [groups][ci][tap][co] for the taps of each phase.
template <class T>
class PhaseWeights {
 public:
  PhaseWeights(const ConvArgs& p, const PhaseGrid& grid) {
    const int64_t taps = volume(p.kernel), depth = p.in_channels * taps;
    const int64_t channels = p.groups * p.in_channels, size = channels * taps * p.out_channels;
    T* to = static_cast<T*>(p.allocate(p.owner, size * static_cast<int64_t>(sizeof(T))));
    auto* places =
        static_cast<Place*>(p.allocate(p.owner, taps * static_cast<int64_t>(sizeof(Place))));
    for (int64_t t = 0; t < taps; t++) places[t] = {nullptr, 0};
    all_ = static_cast<const T**>(p.allocate(
        p.owner, grid.count[0] * grid.count[1] * grid.count[2] * static_cast<int64_t>(sizeof(T*))));
    grid.for_each([&](int64_t i, const Phase* const(&f)[3]) {
      all_[i] = to;
      const int64_t row = f[0]->taps * f[1]->taps * f[2]->taps * p.out_channels;
      for (int64_t t0 = 0, n = 0; t0 < f[0]->taps; t0++) {
        for (int64_t t1 = 0; t1 < f[1]->taps; t1++) {
          for (int64_t t2 = 0; t2 < f[2]->taps; t2++, n++) {
            const int64_t k0 = f[0]->first + t0 * f[0]->next, k1 = f[1]->first + t1 * f[1]->next;
            const int64_t k2 = f[2]->first + t2 * f[2]->next;
            places[(k0 * p.kernel[1] + k1) * p.kernel[2] + k2] = {to + n * p.out_channels, row};
          }
        }
      }
      to += channels * row;
    });
    for (int64_t g = 0; g < p.groups; g++) {
      transpose_rows<4>(static_cast<const T*>(p.weight) + g * depth * p.out_channels,
                        p.out_channels, depth, [&](int64_t i) {
                          const Place& place = places[i % taps];
                          if (!place.first) return static_cast<T*>(nullptr);
                          return place.first + (g * p.in_channels + i / taps) * place.row;
                        });
    }
  }
  const T* of(int64_t phase) const { return all_[phase]; }

 private:
  // Where a tap of channel 0 goes, and how far it is from channel to channel.
  struct Place {
    T* first;
    int64_t row;
  };
  const T** all_;
};

// The results of one phase: into the gradient, or side by side into `pixels`
// [channel][image][pixels of the phase].
template <class T>
void input_gradient_phase(const ConvArgs& p, const Phase* const (&f)[3], const T* weight,
                          T* pixels) {
  const int64_t in_plane = volume(p.in), out_plane = volume(p.out);
  const int64_t depth = f[0]->taps * f[1]->taps * f[2]->taps * p.out_channels;
  run_products<T>(p.groups, p.batch, [&](int64_t g) {
    Product<T> product;
    product.a = weight + g * p.in_channels * depth;
    product.a_row = depth;
    if (volume(p.kernel) == 1) {  // as it lies: the transpose is a matter of strides
      product.a_row = 1;
      product.a_col = p.in_channels;
    }
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
      m.grid[d] = f[d]->count;
      m.taps[d] = {f[d]->taps, f[d]->shift, f[d]->step};
      product.out += f[d]->begin * pitch;
      product.out_step[d] = pitch * (f[d]->count == 1 ? 1 : p.stride[d]);
      pitch *= p.in[d];
    }
    if (pixels) {
      product.out_image = m.pixels();
      product.out_row = p.batch * m.pixels();
      product.out = pixels + g * p.in_channels * product.out_row;
      product.out_step[0] = m.grid[1] * m.grid[2];
      product.out_step[1] = m.grid[2];
      product.out_step[2] = 1;
    }
    product.finish = finish_of<T>(p, g * p.in_channels, 0);
    return product;
  });
}

// Puts the results of phases, or the bias where there are none, together to the gradient.
template <class T>
void join_phases(const ConvArgs& p, const PhaseGrid& grid, const T* const* pixels) {
  constexpr int kL = kLanes<T>;
  const int64_t plane = volume(p.in), channels = p.groups * p.in_channels;
  const int64_t steps = grid.count[2];
  const auto run = [&](int64_t task) {
    const int64_t image = task / channels, channel = task % channels;
    const T bias = p.bias ? static_cast<const T*>(p.bias)[channel] : T(0);
    T* to = static_cast<T*>(p.input) + task * plane;
    for (int64_t i0 = 0; i0 < p.in[0]; i0++) {
      const int64_t r0 = i0 % grid.count[0];
      const int64_t slab =
          (channel * p.batch + image) * grid.phases[0][r0].count + i0 / p.stride[0];
      int64_t r1 = 0, q1 = 0;  // of row i1 = q1 * stride + r1
      for (int64_t i1 = 0; i1 < p.in[1]; i1++, to += p.in[2]) {
        const int64_t line = slab * grid.phases[1][r1].count + q1;
        const T* const* from = pixels + (r0 * grid.count[1] + r1) * steps;
        if (++r1 == grid.count[1]) r1 = 0, q1++;
        if (steps == 2) {
          const T* even = from[0] ? from[0] + line * grid.phases[2][0].count : nullptr;
          const T* odd = from[1] ? from[1] + line * grid.phases[2][1].count : nullptr;
          const Vec<T> gap = gemm::broadcast<T>(bias);
          for (int64_t j = 0; 2 * j < p.in[2]; j += kL) {
            store_pairs<T>(to + 2 * j, even ? load(even + j) : gap, odd ? load(odd + j) : gap,
                           p.in[2] - 2 * j);
          }
          continue;
        }
        for (int64_t f = 0; f < steps; f++) {
          const int64_t width = grid.phases[2][f].count;
          for (int64_t j = 0; j < width; j++) {
            to[f + j * steps] = from[f] ? from[f][line * width + j] : bias;
          }
        }
      }
    }
  };
  parallel_for(0, p.batch * channels, max_of(1, 32768 / plane), [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; task++) run(task);
  });
}

template <class T>
void gather_input_gradient(const ConvArgs& p) {
  const PhaseGrid grid(p);
  const int64_t phases = grid.count[0] * grid.count[1] * grid.count[2];
  // Many phases are few pixels each.
  constexpr int64_t kMostPhases = 64;
  const bool join = grid.count[2] > 1 && phases <= kMostPhases;
  bool gaps = false;
  for (int d = 0; d < 3; d++) {
    // Residues that no tap reaches.
    gaps = gaps || p.stride[d] > p.kernel[d] || greatest_divisor(p.stride[d], p.dilation[d]) > 1;
  }
  if (gaps && !join) fill_with_bias<T>(p);
  const T* pixels[kMostPhases] = {};
  const auto run = [&](int64_t i, const Phase* const(&f)[3], const T* weight) {
    T* to = nullptr;
    if (join) {
      const int64_t size =
          p.batch * p.groups * p.in_channels * f[0]->count * f[1]->count * f[2]->count + kLanes<T>;
      to = static_cast<T*>(p.allocate(p.owner, size * static_cast<int64_t>(sizeof(T))));
      pixels[i] = to;
    }
    input_gradient_phase(p, f, weight, to);
  };
  if (volume(p.kernel) == 1) {
    grid.for_each(
        [&](int64_t i, const Phase* const(&f)[3]) { run(i, f, static_cast<const T*>(p.weight)); });
  } else {
    const PhaseWeights<T> weights(p, grid);
    grid.for_each([&](int64_t i, const Phase* const(&f)[3]) { run(i, f, weights.of(i)); });
  }
  if (join) join_phases(p, grid, pixels);
}

}  // namespace pt::PT_ISA::conv

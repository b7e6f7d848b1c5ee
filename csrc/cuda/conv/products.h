// Convolutions and their gradients as products: what rows, columns and terms stand for. Used by
// conv.cu and tensor_core.h.
#pragma once

#include "cpu/gemm_args.h"
#include "cuda/conv/product.h"

namespace pt::cuda {

inline int64_t volume(const int64_t* size) { return size[0] * size[1] * size[2]; }

// Terms in a sum before it goes on in double.
inline constexpr int64_t kUnbounded = int64_t{1} << 40, kLongestSum = 8192;

inline Places places(const int64_t* box, int64_t image_step, int64_t result_step,
                     const int64_t* step, int sign, const int64_t* shift, int shift_sign = 1) {
  Places p;
  p.size = Divider(volume(box));
  p.plane = Divider(box[1] * box[2]);
  p.row = Divider(box[2]);
  for (int d = 0; d < 3; ++d) {
    p.step[d] = step ? sign * static_cast<int>(step[d]) : 1;
    p.shift[d] = shift ? shift_sign * static_cast<int>(shift[d]) : 0;
  }
  p.image_step = image_step;
  p.result_step = result_step;
  return p;
}

// Whether all places are numbers of 31 bits, with room for sums of them.
inline bool small_sizes(const ConvArgs& a) {
  constexpr int64_t kMost = int64_t{1} << 28;
  const auto below = [](int64_t x, int64_t y) {
    return x < kMost && y < kMost && x * y < 4 * kMost;
  };
  for (int d = 0; d < 3; ++d) {
    const bool fits = a.in[d] < kMost && a.padding[d] < kMost &&
                      (a.kernel[d] - 1) * a.dilation[d] < kMost && a.dilation[d] < kMost &&
                      (a.out[d] - 1) * a.stride[d] < 2 * kMost && a.stride[d] < kMost;
    if (!fits) return false;
  }
  const auto small_box = [&](const int64_t* s) {
    return below(s[0], s[1]) && below(s[0] * s[1], s[2]);
  };
  if (!small_box(a.in) || !small_box(a.out) || !small_box(a.kernel)) return false;
  return a.groups < kMost && below(a.batch, volume(a.in)) && below(a.batch, volume(a.out)) &&
         below(a.in_channels, volume(a.kernel)) && below(a.out_channels, volume(a.kernel));
}

// A's terms lie in boxes of `box` neighbours.
template <class T>
bool term_packs(const void* a, int64_t box, int64_t row, int64_t group) {
  constexpr int64_t kPer = 16 / sizeof(T);
  return aligned(a, 16) && box % kPer == 0 && row % kPer == 0 && group % kPer == 0;
}
template <class T>
bool column_packs(const void* c, int64_t box) {
  return aligned(c, sizeof(T) * 4) && box % 4 == 0;
}

inline Product sized(const ConvArgs& a, int64_t m, int64_t n, int64_t k, const int64_t* size) {
  Product p{};
  p.m = static_cast<unsigned>(m);
  p.n = static_cast<unsigned>(n);
  p.k = static_cast<unsigned>(k);
  p.groups = static_cast<int>(a.groups);
  p.dense = true;
  for (int d = 0; d < 3; ++d) {
    p.size[d] = static_cast<int>(size[d]);
    p.every[d] = Divider(1);
  }
  return p;
}

// Rows: channels of the output. Columns: its places. Terms: what the kernel reads.
template <class T>
Product forward_product(const ConvArgs& a) {
  const int64_t in = volume(a.in), out = volume(a.out), kernel = volume(a.kernel);
  const int64_t terms = a.in_channels * kernel;
  Product p = sized(a, a.out_channels, a.batch * out, terms, a.in);
  p.a = a.weight;
  p.image = a.input;
  p.c = a.output;
  p.finish = ConvFinish(a);
  p.a_row = terms;
  p.c_row = out;
  p.a_group = a.out_channels * terms;
  p.image_group = a.in_channels * in;
  p.c_group = a.out_channels * out;
  p.terms = places(a.kernel, in, kernel, a.dilation, 1, nullptr);
  p.columns =
      places(a.out, a.groups * p.image_group, a.groups * p.c_group, a.stride, 1, a.padding, -1);
  p.a_packs = term_packs<T>(p.a, terms, terms, p.a_group);
  p.c_packs = column_packs<T>(p.c, out);
  return p;
}

// Rows: channels of the input. Columns: its places. Terms: who has read them.
template <class T>
Product input_gradient_product(const ConvArgs& a) {
  const int64_t in = volume(a.in), out = volume(a.out), kernel = volume(a.kernel);
  Product p = sized(a, a.in_channels, a.batch * in, a.out_channels * kernel, a.out);
  p.a = a.weight;
  p.image = a.output;
  p.c = a.input;
  p.finish.bias = a.bias;
  p.a_row = kernel;
  p.c_row = in;
  p.a_group = a.out_channels * a.in_channels * kernel;
  p.image_group = a.out_channels * out;
  p.c_group = a.in_channels * in;
  p.terms = places(a.kernel, out, a.in_channels * kernel, a.dilation, -1, nullptr);
  p.columns = places(a.in, a.groups * p.image_group, a.groups * p.c_group, nullptr, 1, a.padding);
  for (int d = 0; d < 3; ++d) {
    p.every[d] = Divider(a.stride[d]);
    p.dense = p.dense && a.stride[d] == 1;
  }
  p.a_packs = term_packs<T>(p.a, kernel, kernel, p.a_group);
  p.c_packs = column_packs<T>(p.c, in);
  return p;
}

// Rows: channels of the output. Columns: what the kernel reads. Terms: places of the output.
template <class T>
Product weight_gradient_product(const ConvArgs& a) {
  const int64_t in = volume(a.in), out = volume(a.out), kernel = volume(a.kernel);
  Product p = sized(a, a.out_channels, a.in_channels * kernel, a.batch * out, a.in);
  p.a = a.output;
  p.image = a.input;
  p.c = a.weight;
  p.a_row = out;
  p.c_row = a.in_channels * kernel;
  p.a_group = a.out_channels * out;
  p.image_group = a.in_channels * in;
  p.c_group = a.out_channels * p.c_row;
  p.terms =
      places(a.out, a.groups * p.image_group, a.groups * p.a_group, a.stride, 1, a.padding, -1);
  p.columns = places(a.kernel, in, kernel, a.dilation, 1, nullptr);
  p.a_packs = term_packs<T>(p.a, out, out, p.a_group);
  p.c_packs = column_packs<T>(p.c, p.c_row) && kernel % 4 == 0;
  return p;
}

// Convolutions of 1x1 are products of whole matrices, one for each image, where 16 bytes of a plane
// may be read at once.
template <class T>
bool pointwise(const ConvArgs& a) {
  bool plain = a.groups == 1 && volume(a.kernel) == 1 && volume(a.in) >= 64 &&
               volume(a.in) % (16 / static_cast<int64_t>(sizeof(T))) == 0;
  for (int d = 0; d < 3; ++d) plain = plain && a.stride[d] == 1 && a.padding[d] == 0;
  return plain && aligned(a.input, 16) && aligned(a.output, 16);
}
// `image` becomes `result`; the weight is read by rows for the result's channels, or across.
inline GemmArgs pointwise_gemm(const ConvArgs& a, const void* image, void* result, bool forward) {
  const int64_t plane = volume(a.in);
  GemmArgs g;
  g.m = forward ? a.out_channels : a.in_channels;
  g.k = forward ? a.in_channels : a.out_channels;
  g.n = plane;
  g.a = a.weight;
  g.a_row = forward ? a.in_channels : 1;
  g.a_col = forward ? 1 : a.in_channels;
  g.b = image;
  g.b_row = plane;
  g.b_col = 1;
  g.c = result;
  g.c_row = plane;
  g.c_col = 1;
  g.batch = a.batch;
  g.b_batch = g.k * plane;
  g.c_batch = g.m * plane;
  g.bias = a.bias;
  g.bias_row = 1;
  if (forward) {
    g.scale = a.scale;
    g.residual = a.residual;
    g.least = a.least;
    g.most = a.most;
  }
  g.rounding = a.tf32 ? Rounding::kBFloat16 : Rounding::kNone;
  return g;
}

// On tensor cores: T is Half, BFloat16, or float, whose operands are rounded to tf32.
template <class T>
void tensor_core_product(const Product& p, int64_t longest);

}  // namespace pt::cuda

// 1x1 convolutions of stride 1: plain matrix products on the images as they lie.
#pragma once

#include "cpu/conv/forward.h"

namespace pt::PT_ISA {

GemmFn gemm_f32, gemm_f64;

namespace conv {

inline GemmFn* gemm_of(const float*) { return gemm_f32; }
inline GemmFn* gemm_of(const double*) { return gemm_f64; }

inline bool pointwise_fits(const ConvArgs& p) {
  for (int d = 0; d < 3; d++) {
    if (p.kernel[d] != 1 || p.padding[d] != 0 || p.in[d] != p.out[d]) return false;
  }
  return true;
}

template <class T>
void pointwise(const ConvArgs& p, bool gradient) {
  const int64_t pixels = volume(p.out);
  const int64_t from = gradient ? p.out_channels : p.in_channels;
  const int64_t to = gradient ? p.in_channels : p.out_channels;
  GemmArgs g;
  g.m = to, g.n = pixels, g.k = from;
  g.a_row = gradient ? 1 : from, g.a_col = gradient ? to : 1;
  g.b_row = pixels, g.b_col = 1;
  g.c_row = pixels, g.c_col = 1;
  g.batch = p.batch;
  g.b_batch = p.groups * from * pixels, g.c_batch = p.groups * to * pixels;
  g.bias_row = 1;
  g.least = p.least, g.most = p.most;
  for (int64_t i = 0; i < p.groups; i++) {
    g.a = static_cast<const T*>(p.weight) + i * from * to;
    g.b = static_cast<const T*>(gradient ? p.output : p.input) + i * from * pixels;
    g.c = static_cast<T*>(gradient ? p.input : p.output) + i * to * pixels;
    const RowFinish<T> finish = finish_of<T>(p, i * to, i * to * pixels);
    g.bias = finish.bias, g.scale = finish.scale, g.residual = finish.residual;
    gemm_of(static_cast<const T*>(nullptr))(g);
  }
}

}  // namespace conv
}  // namespace pt::PT_ISA

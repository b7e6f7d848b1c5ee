// Convolutions of integers by plain loops: rare, so correct and short rather than quick.
#include "ops/conv/algorithms/direct.h"

#include "core/error.h"
#include "core/parallel.h"

namespace pt {

namespace {

struct Position {
  int64_t at[3];
};

Position position(int64_t index, const int64_t (&sizes)[3]) {
  Position p;
  for (int d = 2; d >= 0; d--) {
    p.at[d] = index % sizes[d];
    index /= sizes[d];
  }
  return p;
}

int64_t volume(const int64_t (&sizes)[3]) { return sizes[0] * sizes[1] * sizes[2]; }

// Index of the input element under tap `tap` of output element `out`, or -1.
int64_t input_index(const ConvArgs& a, const Position& out, const Position& tap) {
  int64_t index = 0;
  for (int d = 0; d < 3; d++) {
    const int64_t i = out.at[d] * a.stride[d] - a.padding[d] + tap.at[d] * a.dilation[d];
    if (i < 0 || i >= a.in[d]) return -1;
    index = index * a.in[d] + i;
  }
  return index;
}

// Calls f(output plane, input plane, weight block) for every pair of channels of image and group.
template <class T, class F>
void for_planes(const ConvArgs& a, int64_t image, int64_t group, F f) {
  const int64_t in = volume(a.in), out = volume(a.out), taps = volume(a.kernel);
  for (int64_t co = 0; co < a.out_channels; co++) {
    for (int64_t ci = 0; ci < a.in_channels; ci++) {
      const int64_t o = group * a.out_channels + co, i = group * a.in_channels + ci;
      f(static_cast<T*>(a.output) + (image * a.groups * a.out_channels + o) * out,
        static_cast<T*>(a.input) + (image * a.groups * a.in_channels + i) * in,
        static_cast<T*>(a.weight) + (o * a.in_channels + ci) * taps);
    }
  }
}

// Unsigned arithmetic wraps around without undefined behaviour.
template <class T>
T multiply_add(T sum, T x, T y) {
  return static_cast<T>(static_cast<uint64_t>(sum) +
                        static_cast<uint64_t>(x) * static_cast<uint64_t>(y));
}

template <class T>
void start_from_bias(const T* bias, T* to, int64_t channels, int64_t plane) {
  for (int64_t c = 0; c < channels; c++)
    for (int64_t i = 0; i < plane; i++) to[c * plane + i] = bias ? bias[c] : T(0);
}

template <class T, class F>
void run(const ConvArgs& a, bool to_output, F body) {
  const int64_t channels = a.groups * (to_output ? a.out_channels : a.in_channels);
  const int64_t plane = to_output ? volume(a.out) : volume(a.in);
  T* const to = static_cast<T*>(to_output ? a.output : a.input);
  parallel_for(0, a.batch, 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++) {
      start_from_bias(static_cast<const T*>(a.bias), to + n * channels * plane, channels, plane);
      for (int64_t g = 0; g < a.groups; g++) {
        for_planes<T>(a, n, g, [&](T* out, T* in, T* weight) {
          for (int64_t o = 0; o < volume(a.out); o++) {
            const Position at = position(o, a.out);
            for (int64_t k = 0; k < volume(a.kernel); k++) {
              const int64_t i = input_index(a, at, position(k, a.kernel));
              if (i >= 0) body(out[o], in[i], weight[k]);
            }
          }
        });
      }
    }
  });
}

template <class F>
void visit_integer(DType t, F f) {
  PT_CHECK(is_integral(t, false), "integer convolution of ", dtype_name(t));
  visit_dtype(t, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) f(zero);
  });
}

}  // namespace

void direct_forward(DType dtype, const ConvArgs& args) {
  visit_integer(dtype, [&](auto zero) {
    using T = decltype(zero);
    run<T>(args, true, [](T& out, const T& in, const T& w) { out = multiply_add(out, in, w); });
  });
}

void direct_input_gradient(DType dtype, const ConvArgs& args) {
  visit_integer(dtype, [&](auto zero) {
    using T = decltype(zero);
    run<T>(args, false, [](const T& out, T& in, const T& w) { in = multiply_add(in, out, w); });
  });
}

}  // namespace pt

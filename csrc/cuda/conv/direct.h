// Convolutions element by element: a thread for each element of the result, or a block for each
// element of the weight's gradient. Used for depthwise convolutions, which have too few products to
// share, and for integers.
#pragma once

#include "cpu/conv_args.h"
#include "cuda/conv/finish.h"
#include "cuda/pt_cuda.h"
#include "cuda/reduce/frame.h"

namespace pt::cuda {

inline constexpr int kDirectThreads = 256;

// ConvArgs in numbers of the type that indices are computed in.
template <class I>
struct ConvNumbers {
  I batch, groups, in_channels, out_channels;
  I in[3], out[3], kernel[3], stride[3], padding[3], dilation[3];
  void *input, *weight, *output;
  ConvFinish finish;

  explicit ConvNumbers(const ConvArgs& a)
      : batch(static_cast<I>(a.batch)),
        groups(static_cast<I>(a.groups)),
        in_channels(static_cast<I>(a.in_channels)),
        out_channels(static_cast<I>(a.out_channels)),
        input(a.input),
        weight(a.weight),
        output(a.output),
        finish(a) {
    for (int d = 0; d < 3; ++d) {
      in[d] = static_cast<I>(a.in[d]);
      out[d] = static_cast<I>(a.out[d]);
      kernel[d] = static_cast<I>(a.kernel[d]);
      stride[d] = static_cast<I>(a.stride[d]);
      padding[d] = static_cast<I>(a.padding[d]);
      dilation[d] = static_cast<I>(a.dilation[d]);
    }
  }
};

// An element of a box [channels, z, y, x] of a batch: channels are those of all groups.
template <class I>
struct Element {
  I sample, channel, at[3];
};
template <class I>
PT_DEVICE Element<I> element_of(I i, I channels, const I* size) {
  Element<I> e;
  PT_UNROLL
  for (int d = 2; d >= 0; --d) {
    e.at[d] = i % size[d];
    i /= size[d];
  }
  e.channel = i % channels;
  e.sample = i / channels;
  return e;
}

// Sums of integers wrap around; those of half types are float.
template <class T>
using ConvSum = std::conditional_t<kFloating<T>, Compute<T>, uint64_t>;

template <class T, class I>
__global__ void __launch_bounds__(kDirectThreads, sizeof(I) == 4 ? 4 : 2)
    direct_forward_kernel(ConvNumbers<I> a, I all) {
  const I in = a.in[0] * a.in[1] * a.in[2];
  const I kernel = a.kernel[0] * a.kernel[1] * a.kernel[2];
  const I step = static_cast<I>(gridDim.x) * blockDim.x;
  for (I i = static_cast<I>(blockIdx.x) * blockDim.x + threadIdx.x; i < all; i += step) {
    const Element<I> e = element_of<I>(i, a.groups * a.out_channels, a.out);
    const I group = e.channel / a.out_channels;
    const T* image =
        static_cast<const T*>(a.input) + (e.sample * a.groups + group) * a.in_channels * in;
    const T* weight = static_cast<const T*>(a.weight) + e.channel * a.in_channels * kernel;
    ConvSum<T> sum = 0;
    for (I c = 0; c < a.in_channels; ++c, image += in) {
      for (I kz = 0; kz < a.kernel[0]; ++kz) {
        const I z = e.at[0] * a.stride[0] - a.padding[0] + kz * a.dilation[0];
        for (I ky = 0; ky < a.kernel[1]; ++ky) {
          const I y = e.at[1] * a.stride[1] - a.padding[1] + ky * a.dilation[1];
          const bool row = z >= 0 && z < a.in[0] && y >= 0 && y < a.in[1];
          I x = e.at[2] * a.stride[2] - a.padding[2];
          for (I kx = 0; kx < a.kernel[2]; ++kx, x += a.dilation[2], ++weight)
            if (row && x >= 0 && x < a.in[2])
              sum += static_cast<ConvSum<T>>(*weight) *
                     static_cast<ConvSum<T>>(image[(z * a.in[1] + y) * a.in[2] + x]);
        }
      }
    }
    put<T>(a.output, i, finished<T>(a.finish, e.channel, i, sum));
  }
}

// The place in the output that tap k of it reads `at` from, or -1.
template <class I>
PT_DEVICE I reader(const ConvNumbers<I>& a, int d, I at, I k) {
  const I v = at + a.padding[d] - k * a.dilation[d];
  if (v < 0 || v % a.stride[d] != 0) return -1;
  const I o = v / a.stride[d];
  return o < a.out[d] ? o : -1;
}

template <class T, class I>
__global__ void __launch_bounds__(kDirectThreads, sizeof(I) == 4 ? 4 : 2)
    direct_input_gradient_kernel(ConvNumbers<I> a, I all) {
  const I out = a.out[0] * a.out[1] * a.out[2];
  const I kernel = a.kernel[0] * a.kernel[1] * a.kernel[2];
  const I step = static_cast<I>(gridDim.x) * blockDim.x;
  for (I i = static_cast<I>(blockIdx.x) * blockDim.x + threadIdx.x; i < all; i += step) {
    const Element<I> e = element_of<I>(i, a.groups * a.in_channels, a.in);
    const I group = e.channel / a.in_channels, own = e.channel % a.in_channels;
    ConvSum<T> sum = 0;
    for (I c = 0; c < a.out_channels; ++c) {
      const I channel = group * a.out_channels + c;
      const T* grad =
          static_cast<const T*>(a.output) + (e.sample * a.groups * a.out_channels + channel) * out;
      const T* weight = static_cast<const T*>(a.weight) + (channel * a.in_channels + own) * kernel;
      for (I kz = 0; kz < a.kernel[0]; ++kz) {
        const I z = reader(a, 0, e.at[0], kz);
        for (I ky = 0; ky < a.kernel[1]; ++ky) {
          const I y = reader(a, 1, e.at[1], ky);
          for (I kx = 0; kx < a.kernel[2]; ++kx, ++weight) {
            if (z < 0 || y < 0) continue;
            const I x = reader(a, 2, e.at[2], kx);
            if (x >= 0)
              sum += static_cast<ConvSum<T>>(*weight) *
                     static_cast<ConvSum<T>>(grad[(z * a.out[1] + y) * a.out[2] + x]);
          }
        }
      }
    }
    put<T>(a.input, i, finished<T>(a.finish, e.channel, i, sum));
  }
}

template <class T, class I>
__global__ void __launch_bounds__(kDirectThreads, sizeof(I) == 4 ? 4 : 2)
    direct_weight_gradient_kernel(ConvNumbers<I> a, I all) {
  const I in = a.in[0] * a.in[1] * a.in[2], out = a.out[0] * a.out[1] * a.out[2];
  for (I i = blockIdx.x; i < all; i += gridDim.x) {
    const Element<I> e =
        element_of<I>(i, a.in_channels, a.kernel);  // `sample`: the output's channel
    const I group = e.sample / a.out_channels;
    const I channels_in = a.groups * a.in_channels, channels_out = a.groups * a.out_channels;
    double total = 0;
    ConvSum<T> sum = 0;
    int terms = 0;
    for (I k = threadIdx.x; k < a.batch * out; k += blockDim.x) {
      const Element<I> o = element_of<I>(k, 1, a.out);
      I place = 0;
      bool inside = true;
      PT_UNROLL
      for (int d = 0; d < 3; ++d) {
        const I x = o.at[d] * a.stride[d] - a.padding[d] + e.at[d] * a.dilation[d];
        inside = inside && x >= 0 && x < a.in[d];
        place = place * a.in[d] + x;
      }
      if (!inside) continue;
      const I image = o.sample * channels_in + group * a.in_channels + e.channel;
      const T* grad = static_cast<const T*>(a.output);
      sum += static_cast<ConvSum<T>>(static_cast<const T*>(a.input)[image * in + place]) *
             static_cast<ConvSum<T>>(grad[(o.sample * channels_out + e.sample) * out + k % out]);
      if (++terms == kFlush) total += static_cast<double>(sum), sum = 0, terms = 0;
    }
    total += static_cast<double>(sum);
    total = block_reduce(total, 0.0, [](double x, double y) { return x + y; });
    if (threadIdx.x == 0) put<T>(a.weight, i, total);
  }
}

// Whether an int counts the elements of each tensor, with room for a step beyond the last.
inline bool few_elements(const ConvArgs& a) {
  constexpr double kMost = 1 << 30;
  double in = 1, out = 1, kernel = 1;
  for (int d = 0; d < 3; ++d) {
    in *= static_cast<double>(a.in[d]);
    out *= static_cast<double>(a.out[d]);
    kernel *= static_cast<double>(a.kernel[d]);
  }
  const double channels_in = static_cast<double>(a.groups * a.in_channels);
  const double channels_out = static_cast<double>(a.groups * a.out_channels);
  const double batch = static_cast<double>(a.batch);
  return batch * channels_in * in < kMost && batch * channels_out * out < kMost &&
         channels_out * static_cast<double>(a.in_channels) * kernel < kMost;
}

// `small`: all sizes and places are numbers of 30 bits, and so are products of channels and places.
template <class T>
void direct_forward(const ConvArgs& a, bool small) {
  const int64_t all = a.batch * a.groups * a.out_channels * a.out[0] * a.out[1] * a.out[2];
  const unsigned blocks = blocks_for(all, kDirectThreads);
  if (kFloating<T> && small && few_elements(a)) {
    PT_LAUNCH((direct_forward_kernel<T, int>), blocks, kDirectThreads, 0, ConvNumbers<int>(a),
              static_cast<int>(all));
  } else {
    PT_LAUNCH((direct_forward_kernel<T, int64_t>), blocks, kDirectThreads, 0,
              ConvNumbers<int64_t>(a), all);
  }
}
template <class T>
void direct_input_gradient(const ConvArgs& a, bool small) {
  const int64_t all = a.batch * a.groups * a.in_channels * a.in[0] * a.in[1] * a.in[2];
  const unsigned blocks = blocks_for(all, kDirectThreads);
  if (kFloating<T> && small && few_elements(a)) {
    PT_LAUNCH((direct_input_gradient_kernel<T, int>), blocks, kDirectThreads, 0,
              ConvNumbers<int>(a), static_cast<int>(all));
  } else {
    PT_LAUNCH((direct_input_gradient_kernel<T, int64_t>), blocks, kDirectThreads, 0,
              ConvNumbers<int64_t>(a), all);
  }
}
template <class T>
void direct_weight_gradient(const ConvArgs& a, bool small) {
  const int64_t all =
      a.groups * a.out_channels * a.in_channels * a.kernel[0] * a.kernel[1] * a.kernel[2];
  const unsigned blocks = blocks_for(all * kDirectThreads, kDirectThreads);
  if (kFloating<T> && small && few_elements(a)) {
    PT_LAUNCH((direct_weight_gradient_kernel<T, int>), blocks, kDirectThreads, 0,
              ConvNumbers<int>(a), static_cast<int>(all));
  } else {
    PT_LAUNCH((direct_weight_gradient_kernel<T, int64_t>), blocks, kDirectThreads, 0,
              ConvNumbers<int64_t>(a), all);
  }
}

}  // namespace pt::cuda

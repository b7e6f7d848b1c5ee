// What ConvArgs says of a sum, for the products and the direct kernels: clamp(scale * sum + bias +
// residual, least, most).
#pragma once

#include "cpu/conv_args.h"
#include "cuda/reduce/frame.h"

namespace pt::cuda {

struct ConvFinish {
  // A number for each channel of all groups, or null; the residual is laid out as the result.
  const void *bias = nullptr, *scale = nullptr, *residual = nullptr;
  double least = -__builtin_inf(), most = __builtin_inf();

  ConvFinish() = default;
  explicit ConvFinish(const ConvArgs& a)
      : bias(a.bias), scale(a.scale), residual(a.residual), least(a.least), most(a.most) {}
};

// `at`: the element's place in the result. S: the type of the sums, which may be whole numbers.
template <class T, class S>
PT_DEVICE S finished(const ConvFinish& f, int64_t channel, int64_t at, S v) {
  const S bias = f.bias ? static_cast<S>(static_cast<const T*>(f.bias)[channel]) : S(0);
  if constexpr (!kFloating<T>) {
    return v + bias;
  } else {
    if (f.scale) {
      const S scale = static_cast<S>(static_cast<const T*>(f.scale)[channel]);
      if constexpr (sizeof(S) == 4) {
        v = fmaf(scale, v, bias);
      } else {
        v = fma(scale, v, bias);
      }
    } else {
      v += bias;
    }
    if (f.residual) v += static_cast<S>(static_cast<const T*>(f.residual)[at]);
    const S least = static_cast<S>(f.least), most = static_cast<S>(f.most);
    return v < least ? least : v > most ? most : v;
  }
}

}  // namespace pt::cuda

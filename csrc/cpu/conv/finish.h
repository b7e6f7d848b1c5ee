// What a convolution does to its sums before they leave the registers or the L1 cache: scale, bias,
// residual and limits of ConvArgs, on the rows of gemm/finish.h.
#pragma once

#include "cpu/conv/lanes.h"
#include "cpu/conv_args.h"
#include "cpu/gemm/finish.h"

namespace pt::PT_ISA::conv {

using gemm::finish_rows;
using gemm::RowFinish;

// What follows the sums of the channels from `channel` on, whose results begin at `element`.
template <class T>
RowFinish<T> finish_of(const ConvArgs& p, int64_t channel, int64_t element) {
  RowFinish<T> f;
  if (p.scale) f.scale = static_cast<const T*>(p.scale) + channel;
  if (p.bias) f.bias = static_cast<const T*>(p.bias) + channel;
  if (p.residual) f.residual = static_cast<const T*>(p.residual) + element;
  f.least = static_cast<T>(p.least), f.most = static_cast<T>(p.most);
  return f;
}

// The same for one plane of results, vector by vector. Sums begin with start().
template <class T>
class PlaneFinish {
 public:
  PlaneFinish() = default;
  PlaneFinish(const ConvArgs& p, int64_t channel, int64_t element)
      : rest_(finish_of<T>(p, channel, element)),
        bias_(rest_.bias ? *rest_.bias : T(0)),
        scale_(rest_.scale ? *rest_.scale : T(1)) {}

  T start() const { return rest_.scale ? T(0) : bias_; }
  // The first `count` lanes belong to the elements of the plane from `at` on.
  PT_GEMM_INLINE Vec<T> operator()(Vec<T> sum, int64_t at, int count) const {
    if (rest_.scale) sum = sum * gemm::broadcast<T>(scale_) + gemm::broadcast<T>(bias_);
    if (rest_.residual) {
      const T* more = rest_.residual + at;
      sum += count == kLanes<T> ? load(more) : load_n(more, count);
    }
    return rest_.limit(sum);
  }

 private:
  RowFinish<T> rest_;
  T bias_ = T(0), scale_ = T(1);
};

}  // namespace pt::PT_ISA::conv

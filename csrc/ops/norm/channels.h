// Tensors [N, C, *] as the channel kernels see them. Included by the .cpp files of this folder.
#pragma once

#include "cpu/kernel_table.h"
#include "cpu/norm_args.h"
#include "op/define.h"

namespace pt {

// A tensor in a layout that the kernels know: its own if it is dense with channels second or last,
// else row-major.
struct Channels {
  ChannelArgs a;
  Tensor x;
  Dims strides;

  Channels() = default;
  explicit Channels(const Tensor& input);
  // Another tensor of the same shape in the same layout.
  Tensor arranged(const Tensor& t) const;
  Tensor empty() const;
  double count() const { return static_cast<double>(a.batch * a.spatial); }
};

// Sums over each of a's channels, as vectors of doubles.
struct ChannelSums {
  Tensor first, second;
};
// mean(x) and sum((x - mean)^2)
ChannelSums channel_moments(const ChannelArgs& a, DType dtype);
// sum(grad) and sum(grad * (x - mean)); mean is a vector of doubles.
ChannelSums channel_sums(ChannelArgs a, DType dtype, const Tensor& grad, const Tensor& mean);
// out = (x - mean) * scale + shift, from vectors of doubles.
void channel_affine(ChannelArgs a, DType dtype, const Tensor& mean, const Tensor& scale,
                    const Tensor& shift, const Tensor& out);
// out = grad * scale - shift - (x - mean) * slope
void channel_slope(ChannelArgs a, DType dtype, const Tensor& grad, const Tensor& mean,
                   const Tensor& scale, const Tensor& shift, const Tensor& slope,
                   const Tensor& out);

}  // namespace pt

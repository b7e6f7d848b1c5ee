// See channels.h.
#include "ops/norm/channels.h"

#include "op/copy.h"
#include "ops/norm/formula.h"

namespace pt {

namespace {

const Kernel<ChannelFn> kMoments{"channel_moments"}, kSums{"channel_sums"};
const Kernel<ChannelFn> kAffine{"channel_affine"}, kSlope{"channel_slope"};

bool is_channels_last(const Tensor& t) {
  if (t.dim() < 3 || t->sizes[1] == 1) return false;
  int64_t step = t->sizes[1];
  if (t->strides[1] != 1) return false;
  for (int i = t.dim() - 1; i >= 0; --i) {
    if (i == 1) continue;
    if (t->sizes[i] != 1 && t->strides[i] != step) return false;
    step *= t->sizes[i];
  }
  return true;
}

// Numbers of the type that the kernels compute in.
Tensor converted(const Tensor& t, DType dtype) {
  return as_contiguous(cast_to(t, accumulate_type(dtype)));
}

ChannelSums empty_sums(const ChannelArgs& a) {
  return {empty_tensor({{a.channels}}, DType::kFloat64),
          empty_tensor({{a.channels}}, DType::kFloat64)};
}

}  // namespace

Channels::Channels(const Tensor& input) {
  a.batch = input->sizes[0];
  a.channels = input->sizes[1];
  for (int i = 2; i < input.dim(); ++i) a.spatial *= input->sizes[i];
  a.channels_last = !input.is_contiguous() && is_channels_last(input);
  x = a.channels_last ? input : as_contiguous(input);
  strides = a.channels_last ? x.strides() : contiguous_strides(x.sizes());
  a.x = x.raw();
}

Tensor Channels::arranged(const Tensor& t) const {
  if (!a.channels_last) return as_contiguous(t);
  if (same(t.strides(), strides)) return t;
  const Tensor copy = empty();
  copy_into(copy, t);
  return copy;
}

Tensor Channels::empty() const { return empty_strided_tensor(x.sizes(), strides, x.dtype()); }

ChannelSums channel_moments(const ChannelArgs& args, DType dtype) {
  ChannelArgs a = args;
  const ChannelSums s = empty_sums(a);
  a.first = values(s.first);
  a.second = values(s.second);
  kMoments.get(dtype)(a);
  return s;
}

ChannelSums channel_sums(ChannelArgs a, DType dtype, const Tensor& grad, const Tensor& mean) {
  const ChannelSums s = empty_sums(a);
  const Tensor m = converted(mean, dtype);
  a.grad = grad.raw();
  a.mean = m.raw();
  a.first = values(s.first);
  a.second = values(s.second);
  kSums.get(dtype)(a);
  return s;
}

void channel_affine(ChannelArgs a, DType dtype, const Tensor& mean, const Tensor& scale,
                    const Tensor& shift, const Tensor& out) {
  const Tensor m = converted(mean, dtype), f = converted(scale, dtype), s = converted(shift, dtype);
  a.mean = m.raw();
  a.scale = f.raw();
  a.shift = s.raw();
  a.out = out.raw();
  kAffine.get(dtype)(a);
}

void channel_slope(ChannelArgs a, DType dtype, const Tensor& grad, const Tensor& mean,
                   const Tensor& scale, const Tensor& shift, const Tensor& slope,
                   const Tensor& out) {
  const Tensor m = converted(mean, dtype), f = converted(scale, dtype), s = converted(shift, dtype);
  const Tensor k = converted(slope, dtype);
  a.grad = grad.raw();
  a.mean = m.raw();
  a.scale = f.raw();
  a.shift = s.raw();
  a.slope = k.raw();
  a.out = out.raw();
  kSlope.get(dtype)(a);
}

}  // namespace pt

// Convolutions of inference, with what follows them done on the way out of the kernel.
//
// Batch normalization in evaluation is a factor and a summand of each channel, which the kernels
// apply to their sums: nothing is folded into the weight, so nothing has to be kept between calls
// or to be noticed when weights or statistics change.
#include <cmath>

#include "autograd/node.h"
#include "op/define.h"
#include "ops/conv/conv.h"
#include "ops/conv/geometry.h"
#include "ops/memory/memory.h"
#include "ops/norm/norm.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/unary.h"

namespace pt {

namespace {

struct Norm {
  const Tensor &mean, &var, &scale, &shift;
  double eps;
  bool any() const { return mean.defined(); }
};

struct Affine {
  Tensor scale, shift;
};

template <class T>
struct Vector {
  const T* data;
  int64_t step;
  explicit Vector(const Tensor& t)
      : data(t.defined() ? t.data<T>() : nullptr), step(t.defined() ? t->strides[0] : 0) {}
  double at(int64_t i, double without) const {
    return data ? static_cast<double>(data[i * step]) : without;
  }
};

// Normalization after a convolution with `bias`, which may be undefined: conv * scale + shift.
template <class T>
Affine affine_of(const Norm& n, const Tensor& bias) {
  const int64_t channels = n.mean.numel();
  const Affine a{empty_tensor({{channels}}, n.mean.dtype()),
                 empty_tensor({{channels}}, n.mean.dtype())};
  const Vector<T> mean(n.mean), var(n.var), weight(n.scale), added(n.shift), before(bias);
  for (int64_t c = 0; c < channels; ++c) {
    const double scale = weight.at(c, 1) / std::sqrt(var.at(c, 1) + n.eps);
    a.scale.data<T>()[c] = static_cast<T>(scale);
    a.shift.data<T>()[c] =
        static_cast<T>(added.at(c, 0) + (before.at(c, 0) - mean.at(c, 0)) * scale);
  }
  return a;
}

bool is_vector(const Tensor& t, DType dtype, int64_t length) {
  return !t.defined() || (t.dtype() == dtype && t.dim() == 1 && t.numel() == length);
}

// Whether the kernel can do it all: plain floats that nobody wants a gradient of.
bool kernel_fits(const Tensor& input, const Tensor& weight, const Tensor& bias, const Norm& n,
                 const Tensor& residual, const Dims& out) {
  const DType t = weight.dtype();
  const auto fits = [t](DType d) { return d == t || (t == DType::kFloat32 && is_half(d)); };
  if (!input.device().is_cpu() || (t != DType::kFloat32 && t != DType::kFloat64)) return false;
  for (const Tensor* v : {&bias, &n.mean, &n.var, &n.scale, &n.shift}) {
    if (!is_vector(*v, t, weight->sizes[0])) return false;
    if (grad_enabled() && v->defined() && v->requires_grad()) return false;
  }
  if (residual.defined()) {
    Dims full{input->sizes[0], weight->sizes[0]};
    for (int64_t s : out) full.push_back(s);
    if (!fits(residual.dtype()) || residual.sizes() != full) return false;
    if (grad_enabled() && residual.requires_grad()) return false;
  }
  if (grad_enabled() && (input.requires_grad() || weight.requires_grad())) return false;
  return fits(input.dtype()) && input.numel() > 0 && weight.numel() > 0;
}

}  // namespace

PT_OP(conv_fused)
    .composite([](const Tensor& input, const Tensor& weight, const Tensor& bias, const Tensor& mean,
                  const Tensor& var, const Tensor& scale, const Tensor& shift, double eps,
                  const Tensor& residual, IntList stride, IntList padding, IntList dilation,
                  int64_t groups, double least, double most, std::optional<DType> dtype) {
      const int64_t zero[] = {0};
      PT_CHECK(weight.dim() >= 3 && weight.dim() <= 2 + kMostSpatial,
               "conv_fused(): weight must have 3 to 5 dimensions, got ", weight.dim());
      PT_CHECK(mean.defined() == var.defined(), "conv_fused(): mean and var go together");
      const ConvSettings s =
          conv_settings(weight.dim() - 2, stride, padding, dilation, zero, groups, false);
      check_conv_tensors(input, weight, bias, s, dtype.has_value());
      const Dims out = conv_output_size(input, weight, s);
      const Norm norm{mean, var, scale, shift, eps};
      if (kernel_fits(input, weight, bias, norm, residual, out)) {
        Affine a{Tensor(), bias};
        if (norm.any()) {
          a = weight.dtype() == DType::kFloat32 ? affine_of<float>(norm, bias)
                                                : affine_of<double>(norm, bias);
        }
        return conv_finished(input, weight, a.scale, a.shift, residual, IntList(s.stride),
                             IntList(s.padding), IntList(s.dilation), IntList(out), groups, least,
                             most, dtype);
      }
      const Tensor x = dtype ? to_dtype(input, weight.dtype()) : input;
      Tensor y = conv_forward(x, weight, bias, IntList(s.stride), IntList(s.padding),
                              IntList(s.dilation), IntList(out), groups);
      if (norm.any()) y = batch_norm(y, scale, shift, mean, var, false, 0.0, eps, false);
      if (residual.defined()) y = add(y, residual);
      const bool limited = least > -HUGE_VAL || most < HUGE_VAL;
      if (limited) y = clamp(y, Scalar(least), Scalar(most));
      return dtype ? to_dtype(y, *dtype) : y;
    })
    .internal()
    .doc("A convolution, batch normalization with running statistics, a sum and limits.")
    .sample(
        "R(2, 3, 7), R(4, 3, 3), R(4), None, None, None, None, 0.0, None, [1], [1], [1], 1, 0.0, "
        "float('inf')")
    .sample(
        "R(2, 4, 5, 6), R(6, 2, 3, 2), None, torch.zeros(6).to(U().dtype), "
        "torch.ones(6).to(U().dtype), P(6), R(6), 1e-5, "
        "R(2, 6, 3, 4), [2, 1], [1, 0], [1, 2], 2, -2.0, 2.0");

}  // namespace pt

// Cross entropy: softmax, logarithm and loss in one kernel. See cross_entropy.h.
#include "ops/loss/cross_entropy.h"

#include "op/copy.h"
#include "op/promote.h"
#include "ops/index/index.h"
#include "ops/index/selection.h"
#include "ops/loss/classes.h"
#include "ops/loss/reduction.h"
#include "ops/memory/memory.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/compare.h"
#include "ops/pointwise/unary.h"
#include "ops/reduce/lines.h"
#include "ops/reduce/softmax.h"
#include "ops/reduce/sum.h"
#include "ops/view/view.h"

namespace pt {

namespace {

const Kernel<CrossEntropyFn> kForward{"cross_entropy"}, kBackward{"cross_entropy_backward"};

bool gives_probabilities(const Tensor& self, const Tensor& target) {
  return same(self.sizes(), target.sizes());
}

// The arguments of forward and backward that come from the op's.
struct Call {
  ClassTargets levels;
  DType dtype, accumulate;
  Tensor self, target, weight, weight_sum;
  CrossEntropyArgs a;

  Call(const Tensor& input, const Tensor& given, const Tensor& weights, int64_t ignore_index,
       double smoothing) {
    const bool probabilities = gives_probabilities(input, given);
    dtype = input.dtype();
    if (probabilities) {
      PT_CHECK(given.is_floating(),
               "Expected floating point type for target with class probabilities, got ",
               scalar_type_name(given.dtype()));
      PT_CHECK_INDEX(input.dim() > 0, "Dimension specified as 1 but tensor has no dimensions");
      PT_CHECK(ignore_index < 0, "ignore_index is not supported for floating point target");
      levels = class_levels(input);
      dtype = promote_types(dtype, given.dtype());
    } else {
      PT_CHECK(smoothing <= 1, "label_smoothing must be between 0.0 and 1.0. Got: ", smoothing);
    }
    PT_CHECK_KIND(ErrorKind::kNotImplemented, input.is_floating(),
                  "\"log_softmax_lastdim_kernel_impl\" not implemented for '",
                  scalar_type_name(input.dtype()), "'");
    if (!probabilities) levels = class_targets(input, given, weights);
    check_class_weight("cross_entropy: ", input, weights, levels.n);
    accumulate = is_half(dtype) ? DType::kFloat32 : dtype;
    self = as_lines(cast_to(input, dtype), levels.class_dim, a.in_stride);
    a.in = self.raw();
    a.outer = levels.outer;
    a.n = levels.n;
    a.inner = levels.inner;
    if (probabilities) {
      target = as_lines(cast_to(given, dtype), levels.class_dim, a.target_stride);
      a.probabilities = target.raw();
    } else {
      a.classes = levels.data();
      a.ignored = ignore_index;
    }
    a.smoothing = smoothing > 0 ? smoothing : 0;
    a.weight_sum = static_cast<double>(a.n);
    if (weights.defined()) {
      weight = as_contiguous(cast_to(weights, accumulate));
      a.weight = weight.raw();
    }
  }
  // What backward needs besides.
  void add_weights() {
    if (!weight.defined() || a.probabilities || a.smoothing == 0) return;
    weight_sum = sum(cast_to(weight, DType::kFloat64));
    if (call_on_device) {
      a.device_weight_sum = weight_sum.data<double>();
    } else {
      a.weight_sum = weight_sum.item().to_double();
    }
  }
  // The forward function where nothing may be read: the same results.
  std::tuple<Tensor, Tensor, Tensor> on_device(const Tensor& input, const Tensor& weights,
                                               LossReduction how, int64_t ignore_index) {
    const Tensor losses = zeros_tensor({{levels.count()}}, DType::kFloat64);
    const Tensor statistics = empty_tensor({{2, levels.count()}}, accumulate);
    set_statistics(statistics);
    a.losses = losses.data<double>();
    if (input.numel() > 0) kForward.get(dtype)(a);
    DeviceClasses classes(levels, weights, ignore_index);
    const auto [loss, divisor] = classes.total(losses, dtype, how == LossReduction::kMean);
    if (how != LossReduction::kNone) return {loss, statistics, divisor};
    const Tensor each =
        make_view(cast_to(losses, dtype), levels.shape, contiguous_strides(levels.shape), 0);
    return {each, statistics, divisor};
  }
  void set_statistics(const Tensor& t) {
    a.max = t.raw();
    a.log_sum = static_cast<char*>(t.raw()) + t.nbytes() / 2;
  }
};

// A tensor of the shape of the losses as a factor of the class scores.
Tensor along_classes(const Tensor& t, const Tensor& self) {
  return t.dim() > 0 && self.dim() > 1 ? unsqueeze(t, 1) : t;
}

Tensor weight_along_classes(const Tensor& weight, const Tensor& self) {
  Dims shape(self.dim(), 1);
  shape[self.dim() < 2 ? 0 : 1] = weight.numel();
  return reshape(weight, shape);
}

Tensor sum_classes(const Tensor& t, int64_t dim, bool keepdim) {
  const int64_t dims[] = {dim};
  return sum_dim(t, IntList(dims), keepdim);
}

// keep * p + spread, times the weight: the target's parts for given probabilities.
Tensor target_parts(const Tensor& self, const Tensor& target, const Tensor& weight,
                    double smoothing) {
  const int64_t n = self->sizes[self.dim() < 2 ? 0 : 1];
  const Tensor p = add(mul(target, 1 - smoothing), smoothing / static_cast<double>(n));
  return weight.defined() ? mul(p, weight_along_classes(weight, self)) : p;
}

// What multiplies the softmax in the gradient: the sum of a target's parts, to be broadcast along
// the classes.
Tensor target_mass(const Tensor& self, const Tensor& target, const Tensor& weight,
                   int64_t ignore_index, double smoothing) {
  const int64_t dim = self.dim() < 2 ? 0 : 1;
  if (gives_probabilities(self, target))
    return sum_classes(target_parts(self, target, weight, smoothing), dim, true);
  const Tensor counts = ne(target, ignore_index);
  if (!weight.defined()) return along_classes(to_dtype(counts, self.dtype()), self);
  const Tensor index = reshape(mul(cast_to(target, DType::kInt64), counts), Dims{-1});
  const Tensor own = reshape(index_select(weight, 0, index), target.sizes());
  const Tensor uniform = mul(sum(weight), smoothing / static_cast<double>(weight.numel()));
  return along_classes(mul(add(mul(own, 1 - smoothing), uniform), counts), self);
}

}  // namespace

PT_OP(cross_entropy_loss)
    .composite([](const Tensor& self, const Tensor& target, const Tensor& weight, int64_t reduction,
                  int64_t ignore_index, double label_smoothing) {
      return std::get<0>(
          cross_entropy(self, target, weight, reduction, ignore_index, label_smoothing));
    })
    .internal()
    .sample("R(3, 4), J(4, 3)")
    .sample("R(3, 5), J(5, 3), torch.tensor([1., 2., 0., 3., 1.]).to(U().dtype), 2, 1, 0.2")
    .sample("R(2, 3, 4, 2), J(3, 2, 4, 2), reduction=0, ignore_index=1")
    .sample("R(2, 3, 20), J(3, 2, 20), torch.tensor([1., 2., 3.]).to(U().dtype), 1, 1, 0.1")
    .sample("R(5), J(5), label_smoothing=0.1")
    .sample("R(70, 50), J(50, 70), reduction=1, ignore_index=3")
    .sample("R(10, 4), J(4, 10), reduction=1, label_smoothing=0.1")
    .sample("R(3, 4), U(3, 4), None, 1")
    .sample("R(2, 3, 20), P(2, 3, 20), torch.tensor([1., 2., 3.]).to(U().dtype), 0, -1, 0.1")
    .sample("R(10, 4), U(10, 4), reduction=2")
    .sample("R(3, 4), U(3, 4), reduction=0, label_smoothing=0.3");

PT_OP(cross_entropy)
    .on_device()
    .impl([](const Tensor& self, const Tensor& target, const Tensor& weight, int64_t reduction,
             int64_t ignore_index, double label_smoothing) {
      const LossReduction how = loss_reduction(reduction);
      Call call(self, target, weight, ignore_index, label_smoothing);
      const int64_t lines = call.levels.count();
      if (call_on_device) return call.on_device(self, weight, how, ignore_index);
      double divisor = 1;
      if (call.a.classes) {
        divisor = total_class_weight(call.levels, weight, ignore_index);
      } else {
        divisor = static_cast<double>(self.numel()) / static_cast<double>(call.levels.n);
      }
      const Tensor losses = zeros_tensor({{lines}}, DType::kFloat64);
      const Tensor statistics = empty_tensor({{2, lines}}, call.accumulate);
      call.set_statistics(statistics);
      call.a.losses = losses.data<double>();
      if (self.numel() > 0) kForward.get(call.dtype)(call.a);
      Tensor loss;
      if (how == LossReduction::kNone) {
        loss = make_view(cast_to(losses, call.dtype), call.levels.shape,
                         contiguous_strides(call.levels.shape), 0);
      } else {
        double total = sum_in_order(losses.data<double>(), lines);
        if (how == LossReduction::kMean) total /= divisor;
        loss = scalar_tensor(Scalar(total), call.dtype);
      }
      return std::tuple(loss, statistics, scalar_tensor(Scalar(divisor), DType::kFloat64));
    })
    .saves("self, target, weight, result1, result2")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& target, const Tensor& weight,
                 int64_t reduction, int64_t ignore_index, double label_smoothing) {
      if (g.needs(0)) {
        g[0] = cross_entropy_backward(g.grad(), self, target, weight, g.result(1), g.result(2),
                                      reduction, ignore_index, label_smoothing);
      }
      if (g.needs(1)) {
        const int64_t n = class_levels(self).count();
        const Tensor grad = along_classes(element_grad(g.grad(), reduction, n), self);
        Tensor slope = mul(log_softmax(self, self.dim() < 2 ? 0 : 1),
                           -(1 - (label_smoothing > 0 ? label_smoothing : 0)));
        if (weight.defined()) slope = mul(slope, weight_along_classes(weight, self));
        g[1] = mul(grad, slope);
      }
      PT_CHECK(!g.needs(2),
               "The function 'nll_loss_forward' is not differentiable with respect to argument "
               "'weight'. This input cannot have requires_grad True.");
    })
    .nondifferentiable_output(1)
    .nondifferentiable_output(2)
    .node_name("CrossEntropyBackward0")
    .internal();

PT_OP(cross_entropy_backward)
    .on_device()
    .impl([](const Tensor& grad, const Tensor& self, const Tensor& target, const Tensor& weight,
             const Tensor& statistics, const Tensor& divisor, int64_t reduction,
             int64_t ignore_index, double label_smoothing) {
      Call call(self, target, weight, ignore_index, label_smoothing);
      CrossEntropyArgs& a = call.a;
      call.add_weights();
      call.set_statistics(statistics);
      const bool mean = loss_reduction(reduction) == LossReduction::kMean;
      if (mean && !call_on_device) a.scale = 1 / divisor.item().to_double();
      a.single_grad = grad.dim() == 0;
      const Tensor shared = mean && call_on_device ? div(grad, divisor) : grad;
      const Tensor g = as_contiguous(cast_to(shared, call.accumulate));
      a.grad = g.raw();
      const Tensor out = empty_tensor(self.sizes(), call.dtype);
      a.out = out.raw();
      a.out_stride = row_major(line_shape(self.sizes(), call.levels.class_dim));
      if (out.numel() > 0) kBackward.get(call.dtype)(a);
      return out;
    })
    .saves("grad, self, target, weight, statistics, divisor")
    .backward([](BackwardCall& g, const Tensor& grad, const Tensor& self, const Tensor& target,
                 const Tensor& weight, const Tensor& statistics, const Tensor& divisor,
                 int64_t reduction, int64_t ignore_index, double label_smoothing) {
      const int64_t dim = self.dim() < 2 ? 0 : 1;
      const double smoothing = label_smoothing > 0 ? label_smoothing : 0;
      if (g.needs(0)) {
        const Tensor one = scalar_tensor(Scalar(1.0), self.dtype(), self.device());
        const Tensor slopes =
            mul(g.grad(), cross_entropy_backward(one, self, target, weight, statistics, divisor,
                                                 reduction, ignore_index, label_smoothing));
        g[0] = grad.dim() > 0 ? reshape(sum_classes(slopes, dim, false), grad.sizes()) : slopes;
      }
      if (!g.needs(1) && !g.needs(2)) return;
      Tensor scaled = along_classes(grad, self);
      if (loss_reduction(reduction) == LossReduction::kMean)
        scaled = to_dtype(div(scaled, divisor), scaled.dtype());
      const Tensor s = softmax(self, dim), product = mul(g.grad(), scaled);
      if (g.needs(1)) {
        const Tensor mass = target_mass(self, target, weight, ignore_index, smoothing);
        g[1] = softmax_backward(mul(product, mass), s, dim);
      }
      if (g.needs(2)) {
        Tensor mixed = sub(sum_classes(mul(product, s), dim, true), product);
        if (weight.defined()) mixed = mul(mixed, weight_along_classes(weight, self));
        g[2] = mul(mixed, 1 - smoothing);
      }
    })
    .internal();

}  // namespace pt

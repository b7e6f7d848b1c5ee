// Negative log likelihood. See nll.h.
#include "ops/loss/nll.h"

#include "op/copy.h"
#include "ops/index/selection.h"
#include "ops/loss/algorithms/pick.h"
#include "ops/loss/classes.h"
#include "ops/loss/reduction.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/reduce/lines.h"

namespace pt {

namespace {

const Kernel<ClassLossFn> kPick{"class_pick"}, kPlace{"class_place"};

// The forward function on a device.
std::tuple<Tensor, Tensor> nll_on_device(const Tensor& self, const ClassTargets& targets,
                                         const Tensor& weight, LossReduction how,
                                         int64_t ignore_index) {
  DeviceClasses d(targets, weight, ignore_index);
  const Tensor losses = empty_tensor({{targets.count()}}, DType::kFloat64);
  const Tensor source = as_lines(self, targets.class_dim, d.a.strides);
  d.a.scores = source.raw();
  d.a.made = losses.raw();
  kPick.get(self.dtype())(d.a);
  const auto [loss, divisor] = d.total(losses, self.dtype(), how == LossReduction::kMean);
  if (how != LossReduction::kNone) return {loss, divisor};
  return {
      make_view(cast_to(losses, self.dtype()), targets.shape, contiguous_strides(targets.shape), 0),
      divisor};
}

struct Call {
  ClassTargets targets;
  Tensor weight;
  Picks picks;

  Call(const Tensor& self, const Tensor& target, const Tensor& weights, int64_t ignore_index)
      : targets(class_targets(self, target, weights)) {
    picks.outer = targets.outer;
    picks.inner = targets.inner;
    picks.classes = targets.data();
    picks.ignored = ignore_index;
    picks.strides = row_major(line_shape(self.sizes(), targets.class_dim));
    if (!weights.defined()) return;
    weight = as_contiguous(cast_to(weights, DType::kFloat64));
    picks.weight = weight.data<double>();
  }
};

}  // namespace

PT_OP(nll_loss_nd)
    .composite([](const Tensor& self, const Tensor& target, const Tensor& weight, int64_t reduction,
                  int64_t ignore_index) {
      return std::get<0>(nll_loss(self, target, weight, reduction, ignore_index));
    })
    .internal()
    .sample("R(3, 4), J(4, 3)")
    .sample("R(3, 5), J(5, 3), torch.tensor([1., 2., 0., 3., 1.]).to(U().dtype), 1, 1")
    .sample("R(2, 3, 2, 2, 2), J(3, 2, 2, 2, 2), reduction=0, ignore_index=1")
    .sample("R(2, 3, 5), J(3, 2, 5), torch.tensor([1., 2., 3.]).to(U().dtype), 2")
    .sample("R(5), J(5), reduction=1");

PT_OP(nll_loss)
    .on_device()
    .impl([](const Tensor& self, const Tensor& target, const Tensor& weight, int64_t reduction,
             int64_t ignore_index) {
      const LossReduction how = loss_reduction(reduction);
      PT_CHECK_KIND(ErrorKind::kNotImplemented, self.is_floating(),
                    "\"nll_loss_out_frame\" not implemented for '", scalar_type_name(self.dtype()),
                    "'");
      if (call_on_device) {
        return nll_on_device(self, class_targets(self, target, weight), weight, how, ignore_index);
      }
      Call call(self, target, weight, ignore_index);
      const double divisor = total_class_weight(call.targets, weight, ignore_index);
      const int64_t lines = call.targets.count();
      const Tensor losses = empty_tensor({{lines}}, DType::kFloat64);
      const Tensor source = as_lines(self, call.targets.class_dim, call.picks.strides);
      double* each = losses.data<double>();
      pick_classes(call.picks, self.dtype(), source.raw(), each);
      for (int64_t i = 0; i < lines; ++i) each[i] = 0 - each[i];
      Tensor loss;
      if (how == LossReduction::kNone) {
        loss = make_view(cast_to(losses, self.dtype()), call.targets.shape,
                         contiguous_strides(call.targets.shape), 0);
      } else {
        const double total = sum_in_order(each, lines);
        loss = scalar_tensor(Scalar(how == LossReduction::kMean ? total / divisor : total),
                             self.dtype());
      }
      return std::tuple(loss, scalar_tensor(Scalar(divisor), DType::kFloat64));
    })
    .saves("shape:self, target, weight, result1")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& target, const Tensor& weight,
                 int64_t reduction, int64_t ignore_index) {
      PT_CHECK(!g.needs(2),
               "The function 'nll_loss_forward' is not differentiable with respect to argument "
               "'weight'. This input cannot have requires_grad True.");
      g[0] =
          nll_loss_backward(g.grad(), self, target, weight, g.result(1), reduction, ignore_index);
    })
    .nondifferentiable_output(1)
    .node_name("NllLossBackward0")
    .internal();

// Linear in grad: its gradient is the loss of the incoming gradient. Only self's shape is read.
PT_OP(nll_loss_backward)
    .on_device()
    .impl([](const Tensor& grad, const Tensor& self, const Tensor& target, const Tensor& weight,
             const Tensor& divisor, int64_t reduction, int64_t ignore_index) {
      const bool mean = loss_reduction(reduction) == LossReduction::kMean;
      const Tensor out = zeros_tensor(self.sizes(), self.dtype());
      if (call_on_device) {
        const ClassTargets targets = class_targets(self, target, weight);
        DeviceClasses d(targets, weight, ignore_index);
        const Tensor shared = mean ? div(grad, divisor) : grad;
        const Tensor each = as_contiguous(cast_to(shared, self.dtype()));
        d.a.strides = row_major(line_shape(self.sizes(), targets.class_dim));
        d.a.grad = each.raw();
        d.a.single_grad = grad.dim() == 0;
        d.a.made = out.raw();
        kPlace.get(self.dtype())(d.a);
        return out;
      }
      Call call(self, target, weight, ignore_index);
      const Tensor g = as_contiguous(cast_to(grad, self.dtype()));
      place_classes(call.picks, self.dtype(), g.raw(), grad.dim() == 0,
                    mean ? -1 / divisor.item().to_double() : -1, out.raw());
      return out;
    })
    .saves("shape:grad, shape:self, target, weight")
    .backward([](BackwardCall& g, const Tensor& grad, const Tensor&, const Tensor& target,
                 const Tensor& weight, const Tensor&, int64_t reduction, int64_t ignore_index) {
      if (!g.needs(0)) return;
      const bool each = grad.dim() > 0;
      g[0] = std::get<0>(nll_loss(g.grad(), target, weight, each ? 0 : reduction, ignore_index));
    })
    .internal();

}  // namespace pt

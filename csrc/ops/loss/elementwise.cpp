// Losses of pairs of elements: each a fused forward and a fused gradient. See elementwise.h.
//
// The gradient of a fused gradient: by `grad` it is the slope again, by self it is the loss's
// second derivative, by target the mixed one.
#include "ops/loss/elementwise.h"

#include "op/copy.h"
#include "op/device_check.h"
#include "ops/index/selection.h"
#include "ops/loss/reduction.h"
#include "ops/pointwise/activation.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/binary.h"
#include "ops/pointwise/compare.h"
#include "ops/pointwise/unary.h"
#include "ops/reduce/extremes.h"

namespace pt {

namespace {

#define PT_LOSS_KERNELS(name) \
  const ElementLossKernel k_##name##_value{#name "_value"}, k_##name##_slope{#name "_slope"}
PT_LOSS_KERNELS(mse);
PT_LOSS_KERNELS(l1);
PT_LOSS_KERNELS(smooth_l1);
PT_LOSS_KERNELS(huber);
PT_LOSS_KERNELS(bce);
PT_LOSS_KERNELS(bce_logits);
PT_LOSS_KERNELS(bce_logits_weighted);
PT_LOSS_KERNELS(soft_margin);
PT_LOSS_KERNELS(hinge_embedding);
PT_LOSS_KERNELS(kl_div);
PT_LOSS_KERNELS(kl_div_log);
PT_LOSS_KERNELS(poisson);
PT_LOSS_KERNELS(poisson_log);
#undef PT_LOSS_KERNELS
const ElementLossKernel k_poisson_full_value{"poisson_full_value"};
const ElementLossKernel k_poisson_log_full_value{"poisson_log_full_value"};

Tensor one_of(const Tensor& t) {
  const Tensor one = empty_tensor(Dims(), t.dtype(), t.device());
  fill_with(one, 1.0);
  return one;
}

// What the second derivatives of a loss are multiplied by: the gradient of its gradient, times the
// gradient, times a weight if there is one.
Tensor chained(const BackwardCall& g, const Tensor& grad, int64_t reduction, const Tensor& self,
               const Tensor& target, const Tensor& weight = {}) {
  const Dims shape = loss_shape({&self, &target, &weight});
  const Tensor product = mul(g.grad(), element_grad(grad, reduction, checked_numel(shape)));
  return weight.defined() ? mul(product, weight) : product;
}

Tensor weighted(const Tensor& t, const Tensor& weight) {
  return weight.defined() ? mul(t, weight) : t;
}

// Both gradients of a loss of the difference.
void set_opposite(BackwardCall& g, int first, const Tensor& grad) {
  if (g.needs(first)) g[first] = grad;
  if (g.needs(first + 1)) g[first + 1] = neg(grad);
}

void check_probabilities(const char* what, const Tensor& t, bool target) {
  if (call_on_device) {
    check_interval_later(t, 0, 1, target ? OutOfBounds::kTarget : OutOfBounds::kInput);
    return;
  }
  PT_CHECK(min_all(t).item().to_double() >= 0 && max_all(t).item().to_double() <= 1,
           "all elements of ", what, " should be between 0 and 1");
}

void check_both(const Tensor& self, const Tensor& target) {
  check_probabilities("input", self, false);
  check_probabilities("target", target, true);
}

// PyTorch computes these in the dtype of self.
void check_same_dtype(const Tensor& self, const Tensor& other) {
  PT_CHECK(!other.defined() || other.dtype() == self.dtype() || !self.is_floating(), "Found dtype ",
           scalar_type_name(other.dtype()), " but expected ", scalar_type_name(self.dtype()));
}

// A weight multiplies the losses, it does not broadcast them.
void check_weight(const Tensor& self, const Tensor& target, const Tensor& weight) {
  if (!weight.defined()) return;
  const Dims shape = loss_shape({&self, &target}), all = broadcast_shapes(shape, weight.sizes());
  PT_CHECK(same(shape, all), "output with shape ", shape, " doesn't match the broadcast shape ",
           all);
}

void check_cast(const Tensor& self, const Tensor& target) {
  PT_CHECK(can_cast(self.dtype(), target.dtype()), "result type ", dtype_name(self.dtype()),
           " can't be cast to the desired output type ", dtype_name(target.dtype()));
}

}  // namespace

PT_OP(mse_loss)
    .impl([](const Tensor& self, const Tensor& target, int64_t reduction) {
      return run_loss({k_mse_value, "mse_cpu"}, reduction, self, target);
    })
    .on_device()
    .saves("self, target")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& target, int64_t reduction) {
      set_opposite(g, 0, mse_loss_backward(g.grad(), self, target, reduction));
    })
    .internal()
    .node_name("MseLossBackward0")
    .sample("R(3, 4), R(3, 4)")
    .sample("R(3, 4), R(3, 1), 2")
    .sample("R(3, 4), R(3, 4), reduction=0");

PT_OP(mse_loss_backward)
    .impl([](const Tensor& grad, const Tensor& self, const Tensor& target, int64_t reduction) {
      return run_loss_slope({k_mse_slope, "mse_backward_cpu"}, grad, reduction, self, target);
    })
    .on_device()
    .saves("grad, self, target")
    .backward([](BackwardCall& g, const Tensor& grad, const Tensor& self, const Tensor& target,
                 int64_t reduction) {
      if (g.needs(0))
        g[0] = mul(g.grad(), mse_loss_backward(one_of(self), self, target, reduction));
      set_opposite(g, 1, mul(chained(g, grad, reduction, self, target), 2));
    })
    .internal()
    .sample("R(), R(3, 4), R(3, 4), 1")
    .sample("R(3, 4), R(3, 4), R(3, 4), 0");

PT_OP(l1_loss)
    .impl([](const Tensor& self, const Tensor& target, int64_t reduction) {
      if (!is_floating(promote_types(self.dtype(), target.dtype())))
        return reduce_loss(abs(sub(self, target)), reduction);
      return run_loss({k_l1_value, "l1_cpu"}, reduction, self, target);
    })
    .on_device()
    .saves("self, target")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& target, int64_t reduction) {
      set_opposite(g, 0, l1_loss_backward(g.grad(), self, target, reduction));
    })
    .internal()
    .node_name("L1LossBackward0")
    .sample("R(3, 4), R(3, 4)")
    .sample("R(3, 4), R(3, 1), 2")
    .sample("R(3, 4), R(3, 4), reduction=0");

PT_OP(l1_loss_backward)
    .impl([](const Tensor& grad, const Tensor& self, const Tensor& target, int64_t reduction) {
      return run_loss_slope({k_l1_slope, "l1_backward_cpu"}, grad, reduction, self, target);
    })
    .on_device()
    .saves("self, target")
    .backward([](BackwardCall& g, const Tensor&, const Tensor& self, const Tensor& target,
                 int64_t reduction) {
      if (g.needs(0)) g[0] = mul(g.grad(), l1_loss_backward(one_of(self), self, target, reduction));
    })
    .internal()
    .sample("R(), R(3, 4), R(3, 4), 1");

PT_OP(smooth_l1_loss)
    .impl([](const Tensor& self, const Tensor& target, int64_t reduction, double beta) {
      PT_CHECK(beta >= 0, "smooth_l1_loss does not support negative values for beta.");
      if (beta == 0) return run_loss({k_l1_value, "smooth_l1_cpu"}, reduction, self, target);
      return run_loss({k_smooth_l1_value, "smooth_l1_cpu", beta}, reduction, self, target);
    })
    .on_device()
    .saves("self, target")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& target, int64_t reduction,
                 double beta) {
      set_opposite(g, 0, smooth_l1_loss_backward(g.grad(), self, target, reduction, beta));
    })
    .internal()
    .node_name("SmoothL1LossBackward0")
    .sample("R(3, 4), R(3, 4)")
    .sample("R(3, 4), R(3, 1), 2, 0.5")
    .sample("R(3, 4), R(3, 4), 1, 0.0")
    .sample("R(3, 4), R(3, 4), reduction=0");

PT_OP(smooth_l1_loss_backward)
    .impl([](const Tensor& grad, const Tensor& self, const Tensor& target, int64_t reduction,
             double beta) {
      return run_loss_slope({k_smooth_l1_slope, "smooth_l1_backward_cpu", beta}, grad, reduction,
                            self, target);
    })
    .on_device()
    .saves("grad, self, target")
    .backward([](BackwardCall& g, const Tensor& grad, const Tensor& self, const Tensor& target,
                 int64_t reduction, double beta) {
      if (g.needs(0))
        g[0] = mul(g.grad(), smooth_l1_loss_backward(one_of(self), self, target, reduction, beta));
      if (!g.needs(1) && !g.needs(2)) return;
      const Tensor bent = div(chained(g, grad, reduction, self, target), beta);
      set_opposite(g, 1, where(lt(abs(sub(self, target)), beta), bent, 0.0));
    })
    .internal()
    .sample("R(), R(3, 4), R(3, 4), 1, 0.7")
    .sample("R(3, 4), R(3, 4), R(3, 4), 0, 1.0");

PT_OP(huber_loss)
    .impl([](const Tensor& self, const Tensor& target, int64_t reduction, double delta) {
      PT_CHECK(delta > 0, "huber_loss does not support non-positive values for delta.");
      return run_loss({k_huber_value, "huber_cpu", delta}, reduction, self, target);
    })
    .on_device()
    .saves("self, target")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& target, int64_t reduction,
                 double delta) {
      set_opposite(g, 0, huber_loss_backward(g.grad(), self, target, reduction, delta));
    })
    .internal()
    .node_name("HuberLossBackward0")
    .sample("R(3, 4), R(3, 4)")
    .sample("R(3, 4), R(3, 1), 2, 0.5")
    .sample("R(3, 4), R(3, 4), reduction=0");

PT_OP(huber_loss_backward)
    .impl([](const Tensor& grad, const Tensor& self, const Tensor& target, int64_t reduction,
             double delta) {
      return run_loss_slope({k_huber_slope, "huber_backward_cpu", delta}, grad, reduction, self,
                            target);
    })
    .on_device()
    .saves("grad, self, target")
    .backward([](BackwardCall& g, const Tensor& grad, const Tensor& self, const Tensor& target,
                 int64_t reduction, double delta) {
      if (g.needs(0))
        g[0] = mul(g.grad(), huber_loss_backward(one_of(self), self, target, reduction, delta));
      if (!g.needs(1) && !g.needs(2)) return;
      const Tensor bent = chained(g, grad, reduction, self, target);
      set_opposite(g, 1, where(lt(abs(sub(self, target)), delta), bent, 0.0));
    })
    .internal()
    .sample("R(), R(3, 4), R(3, 4), 1, 0.7")
    .sample("R(3, 4), R(3, 4), R(3, 4), 0, 1.0");

PT_OP(binary_cross_entropy)
    .impl([](const Tensor& self, const Tensor& target, const Tensor& weight, int64_t reduction) {
      check_same_dtype(self, target);
      check_same_dtype(self, weight);
      return run_loss({k_bce_value, "binary_cross_entropy", 0, false, check_both}, reduction, self,
                      target, weight);
    })
    .on_device()
    .saves("self, target, weight")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& target, const Tensor& weight,
                 int64_t reduction) {
      if (g.needs(0)) {
        g[0] = binary_cross_entropy_backward(g.grad(), self, target, weight, reduction);
      }
      if (g.needs(1)) {
        const int64_t n = checked_numel(loss_shape({&self, &target, &weight}));
        const Tensor slope = clamp(sub(log1p(neg(self)), log(self)), -100.0, 100.0);
        g[1] = weighted(mul(element_grad(g.grad(), reduction, n), slope), weight);
      }
    })
    .internal()
    .node_name("BinaryCrossEntropyBackward0")
    .sample("P(3, 4) / 2, P(3, 4) / 2")
    .sample("P(3, 4) / 2, P(3, 4) / 2, torch.tensor([1.0, 2.0, 0.0, 1.0]).to(U().dtype), 2")
    .sample("P(3, 4) / 2, P(3, 4) / 2, reduction=0");

PT_OP(binary_cross_entropy_backward)
    .impl([](const Tensor& grad, const Tensor& self, const Tensor& target, const Tensor& weight,
             int64_t reduction) {
      return run_loss_slope({k_bce_slope, "binary_cross_entropy_backward"}, grad, reduction, self,
                            target, weight);
    })
    .on_device()
    .saves("grad, self, target, weight")
    .backward([](BackwardCall& g, const Tensor& grad, const Tensor& self, const Tensor& target,
                 const Tensor& weight, int64_t reduction) {
      if (g.needs(0)) {
        g[0] = mul(g.grad(),
                   binary_cross_entropy_backward(one_of(self), self, target, weight, reduction));
      }
      if (!g.needs(1) && !g.needs(2)) return;
      const Tensor product = chained(g, grad, reduction, self, target, weight);
      const Tensor no = rsub(self, 1);
      if (g.needs(1)) {
        g[1] = mul(product, add(div(target, mul(self, self)), div(rsub(target, 1), mul(no, no))));
      }
      if (g.needs(2)) g[2] = neg(div(product, mul(self, no)));
    })
    .internal()
    .sample("R(), P(3, 4) / 2, U(3, 4), None, 1")
    .sample("R(3, 4), P(3, 4) / 2, U(3, 4), torch.tensor([1.0, 2.0, 0.0, 1.0]), 0");

PT_OP(binary_cross_entropy_with_logits)
    .impl([](const Tensor& self, const Tensor& target, const Tensor& weight,
             const Tensor& pos_weight, int64_t reduction) {
      check_cast(self, target);
      check_weight(self, target, weight);
      check_weight(self, target, pos_weight);
      const bool weighs = pos_weight.defined();
      return run_loss({weighs ? k_bce_logits_weighted_value : k_bce_logits_value,
                       "binary_cross_entropy_with_logits"},
                      reduction, self, target, weight, pos_weight);
    })
    .on_device()
    .saves("self, target, weight, pos_weight")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& target, const Tensor& weight,
                 const Tensor& pos_weight, int64_t reduction) {
      if (g.needs(0)) {
        g[0] = binary_cross_entropy_with_logits_backward(g.grad(), self, target, weight, pos_weight,
                                                         reduction);
      }
      if (!g.needs(1) && !g.needs(2) && !g.needs(3)) return;
      const int64_t n = checked_numel(loss_shape({&self, &target, &weight, &pos_weight}));
      const Tensor grad = element_grad(g.grad(), reduction, n);
      if (g.needs(1)) {
        Tensor slope = neg(self);
        if (pos_weight.defined()) slope = sub(slope, mul(sub(pos_weight, 1), log_sigmoid(self)));
        g[1] = weighted(mul(grad, slope), weight);
      }
      if (g.needs(2)) {
        const Tensor loss = binary_cross_entropy_with_logits(
            self, target, Tensor(), pos_weight, static_cast<int64_t>(LossReduction::kNone));
        g[2] = mul(grad, loss);
      }
      if (g.needs(3)) g[3] = neg(weighted(mul(mul(grad, target), log_sigmoid(self)), weight));
    })
    .function_only()
    .out()
    .doc(
        "The cross entropy of probabilities sigmoid(self), computed without overflow.\n\n"
        "Args:\n    target: probabilities, of self's shape\n"
        "    weight (optional): factors of the elements\n"
        "    pos_weight (optional): factors of target's part of the loss\n"
        "    reduction (int): 0 for none, 1 for the mean, 2 for the sum")
    .sample("R(3, 4), U(3, 4)")
    .sample("R(3, 4), U(3, 4), torch.tensor([1.0, 2.0, 0.0, 1.0]), None, 2")
    .sample("R(3, 4), U(3, 4), None, torch.tensor([1.0, 2.0, 0.5, 3.0]), reduction=0");

PT_OP(binary_cross_entropy_with_logits_backward)
    .impl([](const Tensor& grad, const Tensor& self, const Tensor& target, const Tensor& weight,
             const Tensor& pos_weight, int64_t reduction) {
      const bool weighs = pos_weight.defined();
      return run_loss_slope({weighs ? k_bce_logits_weighted_slope : k_bce_logits_slope,
                             "binary_cross_entropy_with_logits_backward"},
                            grad, reduction, self, target, weight, pos_weight);
    })
    .on_device()
    .saves("grad, self, target, weight, pos_weight")
    .backward([](BackwardCall& g, const Tensor& grad, const Tensor& self, const Tensor& target,
                 const Tensor& weight, const Tensor& pos_weight, int64_t reduction) {
      if (g.needs(0)) {
        g[0] = mul(g.grad(), binary_cross_entropy_with_logits_backward(
                                 one_of(self), self, target, weight, pos_weight, reduction));
      }
      const Dims shape = loss_shape({&self, &target, &weight, &pos_weight});
      const Tensor product = mul(g.grad(), element_grad(grad, reduction, checked_numel(shape)));
      const Tensor s = sigmoid(self), no = rsub(s, 1);
      if (g.needs(1)) {
        Tensor bent = mul(s, no);
        if (pos_weight.defined()) bent = mul(bent, add(mul(sub(pos_weight, 1), target), 1));
        g[1] = weighted(mul(product, bent), weight);
      }
      if (g.needs(2)) {
        Tensor mixed = neg(product);
        if (pos_weight.defined()) mixed = mul(mixed, add(mul(sub(pos_weight, 1), no), 1));
        g[2] = weighted(mixed, weight);
      }
      if (g.needs(3)) {
        g[3] = mul(product, binary_cross_entropy_with_logits_backward(
                                one_of(self), self, target, Tensor(), pos_weight,
                                static_cast<int64_t>(LossReduction::kNone)));
      }
      if (g.needs(4)) g[4] = neg(weighted(mul(product, mul(target, no)), weight));
    })
    .internal()
    .sample("R(), R(3, 4), U(3, 4), None, None, 1")
    .sample("R(3, 4), R(3, 4), U(3, 4), P(4), P(4), 0");

PT_OP(soft_margin_loss)
    .impl([](const Tensor& self, const Tensor& target, int64_t reduction) {
      return run_loss({k_soft_margin_value, "soft_margin_loss"}, reduction, self, target);
    })
    .on_device()
    .saves("self, target")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& target, int64_t reduction) {
      if (g.needs(0)) g[0] = soft_margin_loss_backward(g.grad(), self, target, reduction);
      if (g.needs(1)) g[1] = soft_margin_loss_backward(g.grad(), target, self, reduction);
    })
    .internal()
    .node_name("SoftMarginLossBackward0")
    .sample("R(3, 4), torch.tensor([1.0, -1.0, 1.0, -1.0])")
    .sample("R(3, 4), torch.tensor([1.0, -1.0, 1.0, -1.0]), 2")
    .sample("R(3, 4), torch.tensor([1.0, -1.0, 1.0, -1.0]), reduction=0");

PT_OP(soft_margin_loss_backward)
    .impl([](const Tensor& grad, const Tensor& self, const Tensor& target, int64_t reduction) {
      return run_loss_slope({k_soft_margin_slope, "soft_margin_loss_backward"}, grad, reduction,
                            self, target);
    })
    .on_device()
    .saves("grad, self, target")
    .backward([](BackwardCall& g, const Tensor& grad, const Tensor& self, const Tensor& target,
                 int64_t reduction) {
      if (g.needs(0))
        g[0] = mul(g.grad(), soft_margin_loss_backward(one_of(self), self, target, reduction));
      if (!g.needs(1) && !g.needs(2)) return;
      const Tensor product = chained(g, grad, reduction, self, target);
      const Tensor s = sigmoid(neg(mul(self, target))), bent = mul(s, rsub(s, 1));
      if (g.needs(1)) g[1] = mul(product, mul(mul(target, target), bent));
      if (g.needs(2)) g[2] = mul(product, sub(mul(mul(self, target), bent), s));
    })
    .internal()
    .sample("R(), R(3, 4), R(3, 4), 1")
    .sample("R(3, 4), R(3, 4), R(3, 4), 0");

PT_OP(hinge_embedding_loss)
    .impl([](const Tensor& self, const Tensor& target, double margin, int64_t reduction) {
      const ElementLoss loss{k_hinge_embedding_value, "hinge_embedding_loss", margin, true};
      if (self.is_floating()) return run_loss(loss, reduction, self, cast_to(target, self.dtype()));
      PT_CHECK(self.dtype() != DType::kBool,
               "hinge_embedding_loss(): a bool tensor can't be subtracted from margin");
      const Tensor losses = run_loss(loss, 0, self, target);
      return reduce_loss(cast_to(losses, self.dtype()), reduction);
    })
    .on_device()
    .saves("self, target")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& target, double margin,
                 int64_t reduction) {
      if (g.needs(0))
        g[0] = hinge_embedding_loss_backward(g.grad(), self, target, margin, reduction);
    })
    .function_only()
    .doc(
        "self where target is 1, max(0, margin - self) where it is -1.\n\n"
        "Args:\n    reduction (int): 0 for none, 1 for the mean, 2 for the sum")
    .sample("R(3, 4), torch.tensor([1.0, -1.0, 1.0, -1.0]), 5.0")
    .sample("R(3, 4), torch.tensor([1, -1, 1, 3]), 0.5, 1");

PT_OP(hinge_embedding_loss_backward)
    .impl([](const Tensor& grad, const Tensor& self, const Tensor& target, double margin,
             int64_t reduction) {
      return run_loss_slope({k_hinge_embedding_slope, "hinge_embedding_loss_backward", margin},
                            grad, reduction, self, target);
    })
    .on_device()
    .saves("self, target")
    .backward([](BackwardCall& g, const Tensor&, const Tensor& self, const Tensor& target,
                 double margin, int64_t reduction) {
      if (g.needs(0)) {
        g[0] = mul(g.grad(),
                   hinge_embedding_loss_backward(one_of(self), self, target, margin, reduction));
      }
    })
    .internal()
    .sample("R(), R(3, 4), torch.tensor([1.0, -1.0, 1.0, -1.0]), 0.5, 1");

PT_OP(kl_div)
    .impl([](const Tensor& self, const Tensor& target, int64_t reduction, bool log_target) {
      return run_loss({log_target ? k_kl_div_log_value : k_kl_div_value, "kl_div"}, reduction, self,
                      target);
    })
    .on_device()
    .saves("self, target")
    .backward([](BackwardCall& g, const Tensor& self, const Tensor& target, int64_t reduction,
                 bool log_target) {
      if (g.needs(0)) g[0] = kl_div_backward(g.grad(), self, target, reduction, log_target);
      if (!g.needs(1)) return;
      const int64_t n = checked_numel(loss_shape({&self, &target}));
      const Tensor grad = element_grad(g.grad(), reduction, n);
      const Tensor slope =
          log_target ? mul(exp(target), add(sub(target, self), 1)) : add(sub(log(target), self), 1);
      g[1] = mul(grad, slope);
    })
    .function_only()
    .doc(
        "The Kullback-Leibler divergence of log probabilities `self` from `target`: target * "
        "(log(target) - self).\n\n"
        "Args:\n    reduction (int): 0 for none, 1 for the mean, 2 for the sum\n"
        "    log_target (bool): target holds logarithms too")
    .sample("R(3, 4), P(3, 4)")
    .sample("R(3, 4), P(3, 1), 2")
    .sample("R(3, 4), R(3, 4), reduction=0, log_target=True");

PT_OP(kl_div_backward)
    .impl([](const Tensor& grad, const Tensor& self, const Tensor& target, int64_t reduction,
             bool log_target) {
      return run_loss_slope({log_target ? k_kl_div_log_slope : k_kl_div_slope, "kl_div_backward"},
                            grad, reduction, self, target);
    })
    .on_device()
    .saves("grad@target, self, target")
    .backward([](BackwardCall& g, const Tensor& grad, const Tensor& self, const Tensor& target,
                 int64_t reduction, bool log_target) {
      if (g.needs(0))
        g[0] = mul(g.grad(), kl_div_backward(one_of(self), self, target, reduction, log_target));
      if (g.needs(2)) {
        const Tensor product = chained(g, grad, reduction, self, target);
        g[2] = neg(log_target ? mul(product, exp(target)) : product);
      }
    })
    .internal()
    .sample("R(), R(3, 4), P(3, 4), 1, False")
    .sample("R(3, 4), R(3, 4), R(3, 4), 0, True");

PT_OP(poisson_nll_loss)
    .impl([](const Tensor& input, const Tensor& target, bool log_input, bool full, double eps,
             int64_t reduction) {
      PT_CHECK(log_input || input.dtype() != DType::kBool,
               "poisson_nll_loss(): a bool tensor is no rate");
      const ElementLossKernel& kernel =
          full ? (log_input ? k_poisson_log_full_value : k_poisson_full_value)
               : (log_input ? k_poisson_log_value : k_poisson_value);
      return run_loss({kernel, "poisson_nll_loss", eps, true}, reduction, input, target);
    })
    .on_device()
    .saves("input, target")
    .backward([](BackwardCall& g, const Tensor& input, const Tensor& target, bool log_input,
                 bool full, double eps, int64_t reduction) {
      if (g.needs(0))
        g[0] = poisson_nll_loss_backward(g.grad(), input, target, log_input, eps, reduction);
      if (!g.needs(1)) return;
      const int64_t n = checked_numel(loss_shape({&input, &target}));
      Tensor slope = neg(log_input ? input : log(add(input, eps)));
      if (full) {
        const Tensor stirling = add(log(target), div(Scalar(0.5), target));
        slope = add(slope, where(gt(target, 1), stirling, 0.0));
      }
      g[1] = mul(element_grad(g.grad(), reduction, n), slope);
    })
    .function_only()
    .doc(
        "The negative log likelihood of counts `target` under Poisson distributions with rates "
        "exp(input), or input itself when not log_input.\n\n"
        "Args:\n    full (bool): adds Stirling's approximation of log(target!)\n"
        "    eps (float): added to a rate before its logarithm is taken\n"
        "    reduction (int): 0 for none, 1 for the mean, 2 for the sum")
    .sample("R(3, 4), P(3, 4) * 2, True, False, 1e-8, 1")
    .sample("R(3, 4), P(3, 4) * 2, True, True, 1e-8, 0")
    .sample("P(3, 4), P(3, 4) * 2, False, False, 1e-3, 0")
    .sample("P(3, 4), P(3, 4) * 2, False, True, 1e-3, 2");

PT_OP(poisson_nll_loss_backward)
    .impl([](const Tensor& grad, const Tensor& input, const Tensor& target, bool log_input,
             double eps, int64_t reduction) {
      return run_loss_slope(
          {log_input ? k_poisson_log_slope : k_poisson_slope, "poisson_nll_loss_backward", eps},
          grad, reduction, input, target);
    })
    .on_device()
    .saves("grad, input, target")
    .backward([](BackwardCall& g, const Tensor& grad, const Tensor& input, const Tensor& target,
                 bool log_input, double eps, int64_t reduction) {
      if (g.needs(0)) {
        g[0] = mul(g.grad(), poisson_nll_loss_backward(one_of(input), input, target, log_input, eps,
                                                       reduction));
      }
      if (!g.needs(1) && !g.needs(2)) return;
      const Tensor product = chained(g, grad, reduction, input, target);
      const Tensor rate = log_input ? Tensor() : add(input, eps);
      if (g.needs(1)) g[1] = mul(product, log_input ? exp(input) : div(target, mul(rate, rate)));
      if (g.needs(2)) g[2] = neg(log_input ? product : div(product, rate));
    })
    .internal()
    .sample("R(), R(3, 4), P(3, 4), True, 1e-8, 1")
    .sample("R(3, 4), P(3, 4), P(3, 4), False, 1e-3, 0");

}  // namespace pt

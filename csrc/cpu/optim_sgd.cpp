// Optimizer kernels that follow the gradient itself or its sign: SGD (with momentum, Sutskever et
// al. 2013), averaged SGD (Polyak and Juditsky 1992) and Rprop (Riedmiller and Braun 1993).
#include "cpu/optim_sweep.h"

namespace pt::PT_ISA {
namespace {

template <class C, bool Decay>
struct SgdRule {
  Direction<C, Decay> direction;
  C lr;
  void operator()(C& x, C g, C&, C&, C&) const { x -= lr * direction(g, x); }
};

template <class C, bool Decay, bool Nesterov, bool First>
struct MomentumRule {
  Direction<C, Decay> direction;
  C lr, momentum, weight;
  void operator()(C& x, C g, C& buffer, C&, C&) const {
    const C d = direction(g, x);
    buffer = First ? d : momentum * buffer + weight * d;
    x -= lr * (Nesterov ? d + momentum * buffer : buffer);
  }
};

template <class T>
void sgd(const OptimArgs& a) {
  using C = Compute<T>;
  const auto& k = *static_cast<const SgdNumbers*>(a.numbers);
  const C lr = static_cast<C>(k.lr), momentum = static_cast<C>(k.momentum);
  const C weight = static_cast<C>(1 - k.dampening);
  if (!a.state[0]) {
    with_flags(
        [&](auto decay) {
          sweep<0, T>(a, SgdRule<C, decay.value>{{k.maximize, k.weight_decay}, lr});
        },
        k.weight_decay != 0);
    return;
  }
  with_flags(
      [&](auto decay, auto nesterov, auto first) {
        sweep<1, T>(a, MomentumRule<C, decay.value, nesterov.value, first.value>{
                           {k.maximize, k.weight_decay}, lr, momentum, weight});
      },
      k.weight_decay != 0, k.nesterov, k.first);
}

template <class C>
struct AsgdRule {
  Direction<C, true> direction;
  C eta, decay, mu;
  void operator()(C& x, C g, C& average, C&, C&) const {
    const C d = direction(g, x);
    x = x * decay - eta * d;
    average = mu == C(1) ? x : average + (x - average) * mu;
  }
};

template <class T>
void asgd(const OptimArgs& a) {
  using C = Compute<T>;
  const auto& k = *static_cast<const AsgdNumbers*>(a.numbers);
  sweep<1, T>(a, AsgdRule<C>{{k.maximize, k.weight_decay},
                             static_cast<C>(k.eta),
                             static_cast<C>(k.decay),
                             static_cast<C>(k.mu)});
}

template <class C>
struct RpropRule {
  Direction<C, false> direction;
  C eta_minus, eta_plus, min, max;
  void operator()(C& x, C g, C& last, C& size, C&) const {
    C d = direction(g, x);
    const C agreement = d * last;
    size *= agreement > 0 ? eta_plus : agreement < 0 ? eta_minus : C(1);
    size = size < min ? min : size;
    size = size > max ? max : size;
    d = agreement < 0 ? C(0) : d;
    x -= d > 0 ? size : d < 0 ? -size : C(0);
    last = d;
  }
};

template <class T>
void rprop(const OptimArgs& a) {
  using C = Compute<T>;
  const auto& k = *static_cast<const RpropNumbers*>(a.numbers);
  sweep<2, T>(a, RpropRule<C>{{k.maximize, 0},
                              static_cast<C>(k.eta_minus),
                              static_cast<C>(k.eta_plus),
                              static_cast<C>(k.min),
                              static_cast<C>(k.max)});
}

// In the order of DType.
const KernelEntry kEntries[] = {
    PT_OPTIM_KERNEL("optim_sgd", sgd),
    PT_OPTIM_KERNEL("optim_asgd", asgd),
    PT_OPTIM_KERNEL("optim_rprop", rprop),
};

}  // namespace
}  // namespace pt::PT_ISA

PT_REGISTER_KERNELS(pt::PT_ISA::kEntries)

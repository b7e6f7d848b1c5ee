// Optimizer kernels that scale by past squares: Adagrad (Duchi et al. 2011), Adadelta (Zeiler 2012)
// and RMSprop (Hinton 2012; centered: Graves 2013).
#include "cpu/optim_sweep.h"

namespace pt::PT_ISA {
namespace {

template <class C, bool Decay>
struct AdagradRule {
  Direction<C, Decay> direction;
  C lr, eps;
  void operator()(C& x, C g, C& sum, C&, C&) const {
    const C d = direction(g, x);
    sum += d * d;
    x -= lr * d / (root(sum) + eps);
  }
};

template <class T>
void adagrad(const OptimArgs& a) {
  using C = Compute<T>;
  const auto& k = *static_cast<const AdagradNumbers*>(a.numbers);
  with_flags(
      [&](auto decay) {
        sweep<1, T>(a,
                    AdagradRule<C, decay.value>{
                        {k.maximize, k.weight_decay}, static_cast<C>(k.lr), static_cast<C>(k.eps)});
      },
      k.weight_decay != 0);
}

template <class C, bool Decay>
struct AdadeltaRule {
  Direction<C, Decay> direction;
  C lr, rho, weight, eps;
  void operator()(C& x, C g, C& square, C& change, C&) const {
    const C d = direction(g, x);
    approach_square(square, d, rho, weight);
    const C delta = root(change + eps) / root(square + eps) * d;
    approach_square(change, delta, rho, weight);
    x -= lr * delta;
  }
};

template <class T>
void adadelta(const OptimArgs& a) {
  using C = Compute<T>;
  const auto& k = *static_cast<const AdadeltaNumbers*>(a.numbers);
  with_flags(
      [&](auto decay) {
        sweep<2, T>(a, AdadeltaRule<C, decay.value>{{k.maximize, k.weight_decay},
                                                    static_cast<C>(k.lr),
                                                    static_cast<C>(k.rho),
                                                    static_cast<C>(1 - k.rho),
                                                    static_cast<C>(k.eps)});
      },
      k.weight_decay != 0);
}

template <class C, bool Decay, bool Momentum, bool Centered>
struct RmspropRule {
  Direction<C, Decay> direction;
  C lr, alpha, weight, eps, momentum;
  void operator()(C& x, C g, C& square, C& second, C& third) const {
    C& mean = Momentum ? third : second;
    const C d = direction(g, x);
    approach_square(square, d, alpha, weight);
    C spread = square;
    if constexpr (Centered) {
      approach(mean, d, weight);
      spread -= mean * mean;
    }
    const C size = root(spread) + eps;
    if constexpr (Momentum) {
      second = momentum * second + d / size;
      x -= lr * second;
    } else {
      x -= lr * d / size;
    }
  }
};

template <class T>
void rmsprop(const OptimArgs& args) {
  using C = Compute<T>;
  const auto& k = *static_cast<const RmspropNumbers*>(args.numbers);
  OptimArgs a = args;
  if (!a.state[1]) a.state[1] = a.state[2];  // the mean takes the place of the buffer
  with_flags(
      [&](auto decay, auto momentum, auto centered) {
        constexpr int states = 1 + momentum.value + centered.value;
        sweep<states, T>(a, RmspropRule<C, decay.value, momentum.value, centered.value>{
                                {k.maximize, k.weight_decay},
                                static_cast<C>(k.lr),
                                static_cast<C>(k.alpha),
                                static_cast<C>(1 - k.alpha),
                                static_cast<C>(k.eps),
                                static_cast<C>(k.momentum)});
      },
      k.weight_decay != 0, args.state[1] != nullptr, args.state[2] != nullptr);
}

// In the order of DType.
const KernelEntry kEntries[] = {
    PT_OPTIM_KERNEL("optim_adagrad", adagrad),
    PT_OPTIM_KERNEL("optim_adadelta", adadelta),
    PT_OPTIM_KERNEL("optim_rmsprop", rmsprop),
};

}  // namespace
}  // namespace pt::PT_ISA

PT_REGISTER_KERNELS(pt::PT_ISA::kEntries)

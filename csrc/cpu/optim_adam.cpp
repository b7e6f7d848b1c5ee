// Optimizer kernels with two moments: Adam and Adamax (Kingma and Ba 2015) with AMSGrad (Reddi et
// al. 2018) and decoupled decay (Loshchilov and Hutter 2019), NAdam (Dozat 2016), RAdam (Liu et al.
// 2020).
#include "cpu/optim_sweep.h"

namespace pt::PT_ISA {
namespace {

// What all of them do first: decay, and both moving averages.
template <class C, bool Decay>
struct Moments {
  Direction<C, Decay> direction;
  C decay, weight1, beta2, weight2;
  template <class Numbers>
  explicit Moments(const Numbers& k)
      : direction(k.maximize, k.weight_decay),
        decay(static_cast<C>(k.decay)),
        weight1(static_cast<C>(1 - k.beta1)),
        beta2(static_cast<C>(k.beta2)),
        weight2(static_cast<C>(1 - k.beta2)) {}
  C operator()(C& x, C g, C& average, C& square) const {
    const C d = direction(g, x);
    x *= decay;
    approach(average, d, weight1);
    approach_square(square, d, beta2, weight2);
    return d;
  }
};

template <class C, bool Decay, bool Amsgrad>
struct AdamRule {
  Moments<C, Decay> moments;
  C step_size, scale, eps;
  void operator()(C& x, C g, C& average, C& square, C& largest) const {
    moments(x, g, average, square);
    if constexpr (Amsgrad) largest = larger(largest, square);
    x -= step_size * average / (root(Amsgrad ? largest : square) * scale + eps);
  }
};

template <class T>
void adam(const OptimArgs& a) {
  using C = Compute<T>;
  const auto& k = *static_cast<const AdamNumbers*>(a.numbers);
  with_flags(
      [&](auto decay, auto amsgrad) {
        sweep<amsgrad.value ? 3 : 2, T>(
            a, AdamRule<C, decay.value, amsgrad.value>{
                   Moments<C, decay.value>(k), static_cast<C>(k.step_size), static_cast<C>(k.scale),
                   static_cast<C>(k.eps)});
      },
      k.weight_decay != 0, a.state[2] != nullptr);
}

template <class C, bool Decay>
struct NadamRule {
  Moments<C, Decay> moments;
  C inverse_bias2, eps, grad_factor, average_factor;
  void operator()(C& x, C g, C& average, C& square, C&) const {
    const C d = moments(x, g, average, square);
    x -= (grad_factor * d + average_factor * average) / (root(square * inverse_bias2) + eps);
  }
};

template <class T>
void nadam(const OptimArgs& a) {
  using C = Compute<T>;
  const auto& k = *static_cast<const NadamNumbers*>(a.numbers);
  with_flags(
      [&](auto decay) {
        sweep<2, T>(
            a, NadamRule<C, decay.value>{Moments<C, decay.value>(k), static_cast<C>(1 / k.bias2),
                                         static_cast<C>(k.eps), static_cast<C>(k.grad_factor),
                                         static_cast<C>(k.average_factor)});
      },
      k.weight_decay != 0);
}

template <class C, bool Decay, bool Rectified>
struct RadamRule {
  Moments<C, Decay> moments;
  C factor, eps;
  void operator()(C& x, C g, C& average, C& square, C&) const {
    moments(x, g, average, square);
    if constexpr (Rectified) {
      x -= factor * average / (root(square) + eps);
    } else {
      x -= factor * average;
    }
  }
};

template <class T>
void radam(const OptimArgs& a) {
  using C = Compute<T>;
  const auto& k = *static_cast<const RadamNumbers*>(a.numbers);
  with_flags(
      [&](auto decay, auto rectified) {
        sweep<2, T>(
            a, RadamRule<C, decay.value, rectified.value>{
                   Moments<C, decay.value>(k), static_cast<C>(k.factor), static_cast<C>(k.eps)});
      },
      k.weight_decay != 0, k.rectified);
}

template <class C, bool Decay>
struct AdamaxRule {
  Direction<C, Decay> direction;
  C step_size, weight1, beta2, eps;
  void operator()(C& x, C g, C& average, C& norm, C&) const {
    const C d = direction(g, x);
    approach(average, d, weight1);
    norm = larger(norm * beta2, (d < 0 ? -d : d) + eps);
    x -= step_size * average / norm;
  }
};

template <class T>
void adamax(const OptimArgs& a) {
  using C = Compute<T>;
  const auto& k = *static_cast<const AdamaxNumbers*>(a.numbers);
  with_flags(
      [&](auto decay) {
        sweep<2, T>(a, AdamaxRule<C, decay.value>{{k.maximize, k.weight_decay},
                                                  static_cast<C>(k.step_size),
                                                  static_cast<C>(1 - k.beta1),
                                                  static_cast<C>(k.beta2),
                                                  static_cast<C>(k.eps)});
      },
      k.weight_decay != 0);
}

// In the order of DType.
const KernelEntry kEntries[] = {
    PT_OPTIM_KERNEL("optim_adam", adam),
    PT_OPTIM_KERNEL("optim_nadam", nadam),
    PT_OPTIM_KERNEL("optim_radam", radam),
    PT_OPTIM_KERNEL("optim_adamax", adamax),
};

}  // namespace
}  // namespace pt::PT_ISA

PT_REGISTER_KERNELS(pt::PT_ISA::kEntries)

// Optimizer kernels with two moments: Adam, NAdam, RAdam and Adamax.
#include "cpu/optim_sweep.h"

namespace pt::PT_ISA {
namespace {

template <class T>
void adam(const OptimArgs& a) {
  with_adam<Compute<T>>(numbers_of<AdamNumbers>(a), a.state[2] != nullptr, Sweep<T>{a});
}

template <class T>
void nadam(const OptimArgs& a) {
  with_nadam<Compute<T>>(numbers_of<NadamNumbers>(a), Sweep<T>{a});
}

template <class T>
void radam(const OptimArgs& a) {
  with_radam<Compute<T>>(numbers_of<RadamNumbers>(a), Sweep<T>{a});
}

template <class T>
void adamax(const OptimArgs& a) {
  with_adamax<Compute<T>>(numbers_of<AdamaxNumbers>(a), Sweep<T>{a});
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

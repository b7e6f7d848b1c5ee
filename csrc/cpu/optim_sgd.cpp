// Optimizer kernels that follow the gradient itself or its sign: SGD, averaged SGD and Rprop.
#include "cpu/optim_sweep.h"

namespace pt::PT_ISA {
namespace {

template <class T>
void sgd(const OptimArgs& a) {
  with_sgd<Compute<T>>(numbers_of<SgdNumbers>(a), a.state[0] != nullptr, Sweep<T>{a});
}

template <class T>
void asgd(const OptimArgs& a) {
  with_asgd<Compute<T>>(numbers_of<AsgdNumbers>(a), Sweep<T>{a});
}

template <class T>
void rprop(const OptimArgs& a) {
  with_rprop<Compute<T>>(numbers_of<RpropNumbers>(a), Sweep<T>{a});
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

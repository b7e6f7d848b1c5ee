// Optimizer kernels that scale by past squares: Adagrad, Adadelta and RMSprop.
#include "cpu/optim_sweep.h"

namespace pt::PT_ISA {
namespace {

template <class T>
void adagrad(const OptimArgs& a) {
  with_adagrad<Compute<T>>(numbers_of<AdagradNumbers>(a), Sweep<T>{a});
}

template <class T>
void adadelta(const OptimArgs& a) {
  with_adadelta<Compute<T>>(numbers_of<AdadeltaNumbers>(a), Sweep<T>{a});
}

template <class T>
void rmsprop(const OptimArgs& args) {
  OptimArgs a = args;
  if (!a.state[1]) a.state[1] = a.state[2];  // the mean takes the place of the buffer
  with_rmsprop<Compute<T>>(numbers_of<RmspropNumbers>(a), args.state[1] != nullptr,
                           args.state[2] != nullptr, Sweep<T>{a});
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

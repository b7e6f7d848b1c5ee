// Steps of Adagrad, Adadelta and RMSprop. The kernels are those of cpu/optim_adaptive.cpp.
#include "op/define.h"
#include "ops/optim/optim.h"
#include "ops/optim/sweep.h"

namespace pt {

PT_OP(optim_adagrad)
    .impl([](TensorList params, TensorList grads, TensorList sums, TensorList steps, double lr,
             double lr_decay, double weight_decay, double eps, bool maximize) {
      static const OptimKernel kernel{"optim_adagrad"};
      const ParamLists lists{"optim_adagrad", params, grads, {sums}};
      check_lists(lists);
      std::vector<AdagradNumbers> numbers;
      numbers.reserve(params.size());
      for (size_t i = 0; i < params.size(); ++i) {
        const double step = advance(lists, steps, i);
        numbers.push_back({lr / (1 + (step - 1) * lr_decay), eps, weight_decay, maximize});
      }
      sweep(kernel, lists, numbers);
    })
    .on_device(DeviceUse::kAnyMix)  // steps are counted where their tensors are
    .nondifferentiable()
    .internal()
    .doc("One step of Adagrad.")
    .sample("[R(3, 4)], [R(3, 4)], [P(3, 4)], [torch.zeros(())], 0.1, 0.1, 0.1, 1e-10, False");

PT_OP(optim_adadelta)
    .impl([](TensorList params, TensorList grads, TensorList square_avgs, TensorList acc_deltas,
             TensorList steps, double lr, double rho, double weight_decay, double eps,
             bool maximize) {
      static const OptimKernel kernel{"optim_adadelta"};
      const ParamLists lists{"optim_adadelta", params, grads, {square_avgs, acc_deltas}};
      check_lists(lists);
      for (size_t i = 0; i < params.size(); ++i) advance(lists, steps, i);
      sweep(kernel, lists,
            std::vector<AdadeltaNumbers>(params.size(), {lr, rho, eps, weight_decay, maximize}));
    })
    .on_device(DeviceUse::kAnyMix)  // steps are counted where their tensors are
    .nondifferentiable()
    .internal()
    .doc("One step of Adadelta.")
    .sample(
        "[R(3, 4)], [R(3, 4)], [P(3, 4)], [P(3, 4)], [torch.zeros(())], 1.0, 0.9, 0.1, 1e-6, "
        "False");

PT_OP(optim_rmsprop)
    .impl([](TensorList params, TensorList grads, TensorList square_avgs, TensorList buffers,
             TensorList grad_avgs, TensorList steps, double lr, double alpha, double weight_decay,
             double eps, double momentum, bool maximize) {
      static const OptimKernel kernel{"optim_rmsprop"};
      const ParamLists lists{"optim_rmsprop", params, grads, {square_avgs, buffers, grad_avgs}};
      check_lists(lists);
      for (size_t i = 0; i < params.size(); ++i) advance(lists, steps, i);
      sweep(kernel, lists,
            std::vector<RmspropNumbers>(params.size(),
                                        {lr, alpha, eps, weight_decay, momentum, maximize}));
    })
    .on_device(DeviceUse::kAnyMix)  // steps are counted where their tensors are
    .nondifferentiable()
    .internal()
    .doc("One step of RMSprop.")
    .sample(
        "[R(3, 4)], [R(3, 4)], [P(3, 4)], [], [], [torch.zeros(())], 0.1, 0.99, 0.1, 1e-8, "
        "0.0, False")
    .sample(
        "[R(3, 4)], [R(3, 4)], [P(3, 4)], [R(3, 4)], [R(3, 4)], [torch.zeros(())], 0.1, 0.99, "
        "0.1, 1e-8, 0.9, False");

}  // namespace pt

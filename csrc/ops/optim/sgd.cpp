// Steps of SGD, ASGD and Rprop. The kernels are those of cpu/optim_sgd.cpp.
#include <cmath>

#include "op/define.h"
#include "ops/optim/optim.h"
#include "ops/optim/sweep.h"

namespace pt {

PT_OP(optim_sgd)
    .impl([](TensorList params, TensorList grads, TensorList buffers, double lr, double momentum,
             double dampening, double weight_decay, bool nesterov, bool maximize, bool first) {
      static const OptimKernel kernel{"optim_sgd"};
      const ParamLists lists{"optim_sgd", params, grads, {buffers}};
      check_lists(lists);
      sweep(kernel, lists,
            std::vector<SgdNumbers>(
                params.size(), {lr, momentum, dampening, weight_decay, nesterov, maximize, first}));
    })
    .on_device(DeviceUse::kAnyMix)  // steps are counted where their tensors are
    .nondifferentiable()
    .internal()
    .doc("One step of SGD. `first`: the momentum buffers are new and become the gradients.")
    .sample("[R(3, 4)], [R(3, 4)], [], 0.1, 0.0, 0.0, 0.0, False, False, False")
    .sample(
        "[R(3), R(2, 3)], [R(3), R(2, 3)], [R(3), R(2, 3)], 0.1, 0.9, 0.0, 0.1, True, True, "
        "False");

PT_OP(optim_asgd)
    .impl([](TensorList params, TensorList grads, TensorList axs, TensorList mus, TensorList etas,
             TensorList steps, double lr, double lambd, double alpha, double t0,
             double weight_decay, bool maximize) {
      static const OptimKernel kernel{"optim_asgd"};
      const ParamLists lists{"optim_asgd", params, grads, {axs}};
      check_lists(lists);
      PT_CHECK(mus.size() == params.size() && etas.size() == params.size(),
               "optim_asgd(): expected ", params.size(), " mus and etas");
      std::vector<AsgdNumbers> numbers;
      for (size_t i = 0; i < params.size(); ++i) {
        const double step = advance(lists, steps, i);
        const double eta = read_number(etas[i]);
        numbers.push_back({eta, 1 - lambd * eta, read_number(mus[i]), weight_decay, maximize});
        write_number(etas[i], lr / std::pow(1 + lambd * lr * step, alpha));
        write_number(mus[i], 1 / std::max(1.0, step - t0));
      }
      sweep(kernel, lists, numbers);
    })
    .on_device(DeviceUse::kAnyMix)  // steps are counted where their tensors are
    .nondifferentiable()
    .internal()
    .doc("One step of averaged SGD.")
    .sample(
        "[R(3, 4)], [R(3, 4)], [R(3, 4)], [torch.ones(())], [torch.full((), 0.1)], "
        "[torch.zeros(())], 0.1, 1e-4, 0.75, 1e6, 0.1, False");

PT_OP(optim_rprop)
    .impl([](TensorList params, TensorList grads, TensorList prevs, TensorList step_sizes,
             TensorList steps, double eta_minus, double eta_plus, double min, double max,
             bool maximize) {
      static const OptimKernel kernel{"optim_rprop"};
      const ParamLists lists{"optim_rprop", params, grads, {prevs, step_sizes}};
      check_lists(lists);
      for (size_t i = 0; i < params.size(); ++i) advance(lists, steps, i);
      sweep(kernel, lists,
            std::vector<RpropNumbers>(params.size(), {eta_minus, eta_plus, min, max, maximize}));
    })
    .on_device(DeviceUse::kAnyMix)  // steps are counted where their tensors are
    .nondifferentiable()
    .internal()
    .doc("One step of Rprop.")
    .sample(
        "[R(3, 4)], [R(3, 4)], [R(3, 4)], [P(3, 4)], [torch.zeros(())], 0.5, 1.2, 1e-6, 50.0, "
        "False");

}  // namespace pt

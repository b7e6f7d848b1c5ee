// Steps of Adam, NAdam, RAdam and Adamax: the bias corrections of each parameter's own step count.
// The kernels are those of cpu/optim_adam.cpp.
#include <cmath>

#include "autograd/node.h"
#include "op/call_table.h"
#include "op/define.h"
#include "ops/optim/optim.h"
#include "ops/optim/sweep.h"

namespace pt {

namespace {

// Advances the steps on their device and returns what follows from them, an AdamLive for each
// parameter.
Tensor count_on_device(AdamCount count, const ParamLists& lists, TensorList steps,
                       const Tensor& lr) {
  static const Kernel<AdamCountFn> kernel{"optim_adam_count"};
  const size_t n = lists.params.size();
  PT_CHECK(steps.size() == n, lists.op, "(): expected ", n, " steps, got ", steps.size());
  std::vector<void*> at;
  for (const Tensor& t : steps) {
    PT_CHECK(t.device() == call_device() && t.dtype() == steps[0].dtype() && t.numel() == 1 &&
                 is_floating(t.dtype()),
             lists.op, "(): steps must be numbers of one floating point dtype on ",
             to_text(call_device()));
    at.push_back(t.raw());
  }
  if (lr.defined()) {
    PT_CHECK(lr.device() == call_device() && lr.numel() == 1 &&
                 (lr.dtype() == DType::kFloat32 || lr.dtype() == DType::kFloat64),
             lists.op, "(): lr must be a number of float32 or float64 on ", to_text(call_device()));
    count.lr_there = lr.raw();
    count.lr_is_double = lr.dtype() == DType::kFloat64;
  }
  CallTables tables;
  const Tensor live = empty_tensor(Dims{static_cast<int64_t>(n * sizeof(AdamLive))}, DType::kUInt8);
  count.steps = tables.of(at);
  count.live = static_cast<AdamLive*>(live.raw());
  count.count = static_cast<int64_t>(n);
  kernel.get(steps[0].dtype())(count);
  for (const Tensor& t : steps) bump_version(t.impl());
  return live;
}

}  // namespace

PT_OP(optim_adam)
    .impl([](TensorList params, TensorList grads, TensorList exp_avgs, TensorList exp_avg_sqs,
             TensorList max_exp_avg_sqs, TensorList steps, double lr, double beta1, double beta2,
             double weight_decay, double eps, bool decoupled, bool maximize,
             const Tensor& lr_there) {
      static const OptimKernel kernel{"optim_adam"};
      ParamLists lists{"optim_adam", params, grads, {exp_avgs, exp_avg_sqs, max_exp_avg_sqs}, {}};
      check_lists(lists);
      AdamNumbers k{0,
                    beta1,
                    beta2,
                    0,
                    eps,
                    decoupled ? 0 : weight_decay,
                    decoupled ? 1 - lr * weight_decay : 1,
                    maximize};
      std::vector<AdamNumbers> numbers;
      numbers.reserve(params.size());
      if (call_on_device && !steps.empty() && !steps[0].device().is_cpu()) {
        AdamCount count{.lr = lr, .beta1 = beta1, .beta2 = beta2};
        count.weight_decay = decoupled ? weight_decay : 0;
        const Tensor live = count_on_device(count, lists, steps, lr_there);
        lists.live = static_cast<const AdamLive*>(live.raw());
        numbers.assign(params.size(), k);
        sweep(kernel, lists, numbers);
        return;
      }
      PT_CHECK(!lr_there.defined(), "optim_adam(): lr is on a device and the steps are not");
      double last = 0;
      for (size_t i = 0; i < params.size(); ++i) {
        const double step = advance(lists, steps, i);
        if (step != last) {
          k.step_size = lr / (1 - std::pow(beta1, step));
          k.scale = 1 / std::sqrt(1 - std::pow(beta2, step));
          last = step;
        }
        numbers.push_back(k);
      }
      sweep(kernel, lists, numbers);
    })
    .on_device(DeviceUse::kAnyMix)  // steps are counted where their tensors are
    .nondifferentiable()
    .internal()
    .doc("One step of Adam; with max_exp_avg_sqs of AMSGrad; decoupled: of AdamW.")
    .sample(
        "[R(3, 4)], [R(3, 4)], [R(3, 4)], [P(3, 4)], [], [torch.zeros(())], 0.1, 0.9, 0.999, "
        "0.0, 1e-8, False, False")
    .sample(
        "[R(3)], [R(3)], [R(3)], [P(3)], [P(3)], [torch.ones(())], 0.1, 0.9, 0.999, 0.1, "
        "1e-8, True, True");

PT_OP(optim_nadam)
    .impl([](TensorList params, TensorList grads, TensorList exp_avgs, TensorList exp_avg_sqs,
             TensorList mu_products, TensorList steps, double lr, double beta1, double beta2,
             double weight_decay, double momentum_decay, double eps, bool decoupled,
             bool maximize) {
      static const OptimKernel kernel{"optim_nadam"};
      const ParamLists lists{"optim_nadam", params, grads, {exp_avgs, exp_avg_sqs}};
      check_lists(lists);
      PT_CHECK(mu_products.size() == params.size(), "optim_nadam(): expected ", params.size(),
               " mu_products, got ", mu_products.size());
      auto mu_at = [&](double step) {
        return beta1 * (1 - 0.5 * std::pow(0.96, step * momentum_decay));
      };
      std::vector<NadamNumbers> numbers;
      numbers.reserve(params.size());
      for (size_t i = 0; i < params.size(); ++i) {
        const double step = advance(lists, steps, i);
        const double mu = mu_at(step), next = mu_at(step + 1);
        // In the precision of the state, as its reader would multiply it.
        const double before = read_number(mu_products[i]);
        const bool single = mu_products[i].dtype() == DType::kFloat32;
        write_number(mu_products[i],
                     single ? static_cast<float>(before) * static_cast<float>(mu) : before * mu);
        const double product = read_number(mu_products[i]);
        numbers.push_back({beta1, beta2, 1 - std::pow(beta2, step), eps,
                           lr * (1 - mu) / (1 - product), lr * next / (1 - product * next),
                           decoupled ? 0 : weight_decay, decoupled ? 1 - lr * weight_decay : 1,
                           maximize});
      }
      sweep(kernel, lists, numbers);
    })
    .on_device(DeviceUse::kAnyMix)  // steps are counted where their tensors are
    .nondifferentiable()
    .internal()
    .doc("One step of NAdam.")
    .sample(
        "[R(3, 4)], [R(3, 4)], [R(3, 4)], [P(3, 4)], [torch.ones(())], [torch.zeros(())], "
        "0.1, 0.9, 0.999, 0.1, 0.004, 1e-8, False, False");

PT_OP(optim_radam)
    .impl([](TensorList params, TensorList grads, TensorList exp_avgs, TensorList exp_avg_sqs,
             TensorList steps, double lr, double beta1, double beta2, double weight_decay,
             double eps, bool decoupled, bool maximize) {
      static const OptimKernel kernel{"optim_radam"};
      const ParamLists lists{"optim_radam", params, grads, {exp_avgs, exp_avg_sqs}};
      check_lists(lists);
      std::vector<RadamNumbers> numbers;
      numbers.reserve(params.size());
      for (size_t i = 0; i < params.size(); ++i) {
        const double step = advance(lists, steps, i);
        const double bias1 = 1 - std::pow(beta1, step), power = std::pow(beta2, step);
        // The length of the moving average, in the limit and now; short ones are not rectified.
        const double limit = 2 / (1 - beta2) - 1;
        const double length = limit - 2 * step * power / (1 - power);
        const bool rectified = length > 5;
        double factor = lr / bias1;
        if (rectified)
          factor *= std::sqrt(1 - power) * std::sqrt((length - 4) * (length - 2) * limit /
                                                     ((limit - 4) * (limit - 2) * length));
        numbers.push_back({beta1, beta2, eps, factor, decoupled ? 0 : weight_decay,
                           decoupled ? 1 - lr * weight_decay : 1, rectified, maximize});
      }
      sweep(kernel, lists, numbers);
    })
    .on_device(DeviceUse::kAnyMix)  // steps are counted where their tensors are
    .nondifferentiable()
    .internal()
    .doc("One step of RAdam.")
    .sample(
        "[R(3, 4)], [R(3, 4)], [R(3, 4)], [P(3, 4)], [torch.full((), 9.0)], 0.1, 0.9, 0.999, "
        "0.1, 1e-8, False, False");

PT_OP(optim_adamax)
    .impl([](TensorList params, TensorList grads, TensorList exp_avgs, TensorList exp_infs,
             TensorList steps, double lr, double beta1, double beta2, double weight_decay,
             double eps, bool maximize) {
      static const OptimKernel kernel{"optim_adamax"};
      const ParamLists lists{"optim_adamax", params, grads, {exp_avgs, exp_infs}};
      check_lists(lists);
      std::vector<AdamaxNumbers> numbers;
      numbers.reserve(params.size());
      for (size_t i = 0; i < params.size(); ++i) {
        const double step = advance(lists, steps, i);
        numbers.push_back(
            {lr / (1 - std::pow(beta1, step)), beta1, beta2, eps, weight_decay, maximize});
      }
      sweep(kernel, lists, numbers);
    })
    .on_device(DeviceUse::kAnyMix)  // steps are counted where their tensors are
    .nondifferentiable()
    .internal()
    .doc("One step of Adamax.")
    .sample(
        "[R(3, 4)], [R(3, 4)], [R(3, 4)], [P(3, 4)], [torch.zeros(())], 0.1, 0.9, 0.999, 0.1, "
        "1e-8, False");

}  // namespace pt

// Elementwise losses and their slopes: "mse_value", "mse_slope" and so on (cpu/loss_args.h). A
// value and the sum of all are made in one pass.
#include "cpu/loss_args.h"
#include "cuda/norm/lines.h"
#include "ops/functors/loss.h"

namespace pt::cuda {
namespace {

using namespace ::pt::device;

constexpr int kThreads = 256;

template <class F, int kInputs, class T>
PT_DEVICE Compute<T> loss_at(const ElementLossArgs& a, int64_t i) {
  using L = Compute<T>;
  const auto in = [&](int k) { return static_cast<L>(static_cast<const T*>(a.in[k])[i]); };
  const L parameter = static_cast<L>(a.parameter);
  L v;
  if constexpr (kInputs == 2) {
    v = F{}(in(0), in(1), parameter);
  } else {
    v = F{}(in(0), in(1), in(2), parameter);
  }
  return a.weight ? v * static_cast<L>(static_cast<const T*>(a.weight)[i]) : v;
}

template <class F, int kInputs, class T>
struct LossOp {
  using Total = double;
  static constexpr int kTaken = 4;
  struct Part {
    Compute<T> sum;
  };
  ElementLossArgs a;
  PT_DEVICE static Total none() { return 0; }
  PT_DEVICE static void merge(Total& t, const Total& u) { t += u; }
  template <int kPack>
  PT_DEVICE void take(Part& p, int, int64_t, int64_t at, int64_t) const {
    p.sum += loss_at<F, kInputs, T>(a, at);
  }
  PT_DEVICE void close(Total& t, const Part& p, int) const { t += static_cast<double>(p.sum); }
  PT_DEVICE void finish(const Total& t, int64_t) const { *a.total = t; }
};

template <class F, int kInputs, class T, bool kSlope>
__global__ void __launch_bounds__(kThreads, 2) loss_kernel(ElementLossArgs a) {
  using L = Compute<T>;
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < a.n; i += step) {
    L v = loss_at<F, kInputs, T>(a, i);
    if (kSlope)
      v *= static_cast<L>(static_cast<const T*>(a.grad)[a.single_grad ? 0 : i]) *
           static_cast<L>(a.scale);
    put<T>(a.out, i, v);
  }
}

template <class F, int kInputs, class T>
void value(const ElementLossArgs& a) {
  if (a.n == 0) return;
  if (a.out)
    PT_LAUNCH((loss_kernel<F, kInputs, T, false>), blocks_for(a.n, kThreads), kThreads, 0, a);
  if (a.total) reduce_channels(LossOp<F, kInputs, T>{a}, 1, 1, a.n, false, false);
}
template <class F, int kInputs, class T>
void slope(const ElementLossArgs& a) {
  if (a.n > 0)
    PT_LAUNCH((loss_kernel<F, kInputs, T, true>), blocks_for(a.n, kThreads), kThreads, 0, a);
}

#define PT_LOSS(f, F, inputs)                                                                   \
  {PT_NO_INTEGER_SLOTS, PT_DEVICE_FN(f<F, inputs, Half>), PT_DEVICE_FN(f<F, inputs, BFloat16>), \
   PT_DEVICE_FN(f<F, inputs, float>), PT_DEVICE_FN(f<F, inputs, double>)}
#define PT_LOSS_PAIR(name, F, inputs)                  \
  {name "_value", PT_LOSS(value, F##Value, inputs)}, { \
    name "_slope", PT_LOSS(slope, F##Slope, inputs)    \
  }

const KernelEntry kEntries[] = {
    PT_LOSS_PAIR("mse", Mse, 2),
    PT_LOSS_PAIR("l1", L1, 2),
    PT_LOSS_PAIR("smooth_l1", SmoothL1, 2),
    PT_LOSS_PAIR("huber", Huber, 2),
    PT_LOSS_PAIR("bce", Bce, 2),
    PT_LOSS_PAIR("bce_logits", BceLogits, 2),
    PT_LOSS_PAIR("bce_logits_weighted", BceLogitsWeighted, 3),
    PT_LOSS_PAIR("hinge_embedding", HingeEmbedding, 2),
    PT_LOSS_PAIR("soft_margin", SoftMargin, 2),
    PT_LOSS_PAIR("kl_div", KlDiv, 2),
    PT_LOSS_PAIR("kl_div_log", KlDivLog, 2),
    PT_LOSS_PAIR("poisson", Poisson, 2),
    PT_LOSS_PAIR("poisson_log", PoissonLog, 2),
    {"poisson_full_value", PT_LOSS(value, PoissonFullValue, 2)},
    {"poisson_log_full_value", PT_LOSS(value, PoissonLogFullValue, 2)},
};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda

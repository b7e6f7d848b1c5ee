// Elementwise losses: values, their sum or mean, and slopes times the incoming gradient, in one
// pass. See cpu/loss_args.h; on a device `total` is one element of the dtype and gets the sum times
// scale.
#include "cpu/loss_args.h"
#include "cuda/reduce/frame.h"
#include "ops/functors/loss.h"

namespace pt::cuda {
namespace {

using namespace pt::device;

constexpr int kThreads = 256;
constexpr int64_t kBlocks = 512;  // parts of a sum at most

// T is double, or AnyFloat for what `dtype` says.
template <class F, int kInputs, class T>
PT_DEVICE Compute<T> loss_at(const ElementLossArgs& a, DType dtype, int64_t i) {
  using V = Compute<T>;
  const auto in = [&](const void* p) { return get<T>(p, i, dtype); };
  const V parameter = static_cast<V>(a.parameter);
  V e;
  if constexpr (kInputs == 2) {
    e = F{}(in(a.in[0]), in(a.in[1]), parameter);
  } else {
    e = F{}(in(a.in[0]), in(a.in[1]), in(a.in[2]), parameter);
  }
  return a.weight ? e * in(a.weight) : e;
}

template <class F, int kInputs, class T>
__global__ void __launch_bounds__(kThreads)
    value_kernel(ElementLossArgs a, DType dtype, double* parts) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  double sum = 0;
  PT_UNROLL_BY(2)
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < a.n; i += step) {
    const auto e = loss_at<F, kInputs, T>(a, dtype, i);
    if (a.out) put<T>(a.out, i, e, dtype);
    sum += static_cast<double>(e);
  }
  if (!parts) return;
  sum = block_reduce(sum, 0.0, [](double x, double y) { return x + y; });
  if (threadIdx.x == 0) parts[blockIdx.x] = sum;
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    total_kernel(const double* parts, int count, double scale, void* total) {
  double sum = 0;
  for (int i = static_cast<int>(threadIdx.x); i < count; i += kThreads) sum += parts[i];
  sum = block_reduce(sum, 0.0, [](double x, double y) { return x + y; });
  if (threadIdx.x == 0) put<T>(total, 0, static_cast<Compute<T>>(sum * scale));
}

template <class F, int kInputs, class T>
void value(const ElementLossArgs& a) {
  if (!a.total) {
    if (a.n == 0) return;
    PT_LAUNCH((value_kernel<F, kInputs, Stored<T>>), blocks_for(a.n, kThreads), kThreads, 0, a,
              dtype_of<T>, static_cast<double*>(nullptr));
    return;
  }
  // As many parts as the size asks for, whatever the machine.
  const int64_t wanted = (a.n + 4 * kThreads - 1) / (4 * kThreads);
  const int blocks = static_cast<int>(wanted < 1 ? 1 : wanted < kBlocks ? wanted : kBlocks);
  const Scratch parts(sizeof(double) * static_cast<size_t>(blocks));
  if (!parts) return;
  PT_LAUNCH((value_kernel<F, kInputs, Stored<T>>), static_cast<unsigned>(blocks), kThreads, 0, a,
            dtype_of<T>, parts.as<double>());
  PT_LAUNCH((total_kernel<T>), 1, kThreads, 0, parts.as<double>(), blocks, a.scale,
            static_cast<void*>(a.total));
}

template <class F, int kInputs, class T>
__global__ void __launch_bounds__(kThreads) slope_kernel(ElementLossArgs a, DType dtype) {
  using V = Compute<T>;
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  PT_UNROLL_BY(2)
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < a.n; i += step) {
    const V factor = static_cast<V>(a.scale) * get<T>(a.grad, a.single_grad ? 0 : i, dtype);
    put<T>(a.out, i, loss_at<F, kInputs, T>(a, dtype, i) * factor, dtype);
  }
}
template <class F, int kInputs, class T>
void slope(const ElementLossArgs& a) {
  if (a.n == 0) return;
  PT_LAUNCH((slope_kernel<F, kInputs, Stored<T>>), blocks_for(a.n, kThreads), kThreads, 0, a,
            dtype_of<T>);
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

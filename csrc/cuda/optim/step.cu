// Steps of the optimizers over the elements of many parameters. The parameters of a launch are
// those with the same numbers; pieces of them are shared out to blocks.
#include "cuda/reduce/frame.h"
#include "ops/functors/optim.h"

namespace pt::cuda {
namespace {

using namespace pt::device;

constexpr int kThreads = 256;
constexpr int kParams = 48;           // of a launch
constexpr int64_t kPiece = 16 * 256;  // elements

struct Params {
  int count;
  DType dtype;
  int64_t pieces;
  struct Param {
    void* param;
    const void* grad;
    void* state[OptimArgs::kStates];
    int64_t n, first;  // elements, and the first of its pieces
    const AdamLive* live;
  } of[kParams];
};

// Whether the states are fresh memory until the step.
template <class Rule>
constexpr bool starts_states = requires { requires Rule::kStartsStates; };

// T is double, or AnyFloat for what the dtype says.
template <int Count, class T, class Rule>
__global__ void __launch_bounds__(kThreads) step_kernel(Params params, Rule rule) {
  using C = Compute<T>;
  PT_UNROLL_BY(1)
  for (int64_t piece = blockIdx.x; piece < params.pieces; piece += gridDim.x) {
    int which = 0;
    while (which + 1 < params.count && params.of[which + 1].first <= piece) ++which;
    const Params::Param& p = params.of[which];
    const int64_t begin = (piece - p.first) * kPiece;
    const int count = static_cast<int>(begin + kPiece < p.n ? kPiece : p.n - begin);
    Rule own = rule;
    if constexpr (requires { own.set(*p.live); }) {
      if (p.live) own.set(*p.live);
    }
    PT_UNROLL_BY(2)
    for (int64_t i = begin + threadIdx.x; i < begin + count; i += kThreads) {
      C value = get<T>(p.param, i, params.dtype), state[OptimArgs::kStates] = {};
      if constexpr (!starts_states<Rule>) {
        PT_UNROLL
        for (int k = 0; k < Count; ++k) state[k] = get<T>(p.state[k], i, params.dtype);
      }
      own(value, get<T>(p.grad, i, params.dtype), state[0], state[1], state[2]);
      put<T>(p.param, i, value, params.dtype);
      PT_UNROLL
      for (int k = 0; k < Count; ++k) put<T>(p.state[k], i, state[k], params.dtype);
    }
  }
}

// What the with_*() functions call: the step of parameters [begin, end), which share the rule.
template <class T>
struct Step {
  const OptimArgs* begin;
  const OptimArgs* end;
  template <int Count, class Rule>
  void operator()(States<Count>, const Rule& rule) const {
    for (const OptimArgs* a = begin; a < end;) {
      Params params{};
      params.dtype = dtype_of<T>;
      for (; a < end && params.count < kParams; ++a) {
        Params::Param& p = params.of[params.count++];
        p = {a->param, a->grad,       {a->state[0], a->state[1], a->state[2]},
             a->n,     params.pieces, a->live};
        if (!p.state[1]) p.state[1] = p.state[2];  // a state that is missing is not counted
        params.pieces += (a->n + kPiece - 1) / kPiece;
      }
      PT_LAUNCH((step_kernel<Count, Stored<T>, Rule>),
                blocks_for(params.pieces * kThreads, kThreads), kThreads, 0, params, rule);
    }
  }
};

template <class Numbers>
const Numbers& numbers_of(const OptimArgs& a) {
  return *static_cast<const Numbers*>(a.numbers);
}

// Calls f(numbers, first parameter, step) for each run of parameters with the same numbers and
// states.
template <class T, class Numbers, class F>
void for_runs(const DeviceOptim& d, F f) {
  const OptimArgs *a = d.params, *end = d.params + d.count;
  while (a < end) {
    const OptimArgs* next = a + 1;
    const auto alike = [a](const OptimArgs& b) {
      bool same = numbers_of<Numbers>(*a) == numbers_of<Numbers>(b);
      for (int k = 0; k < OptimArgs::kStates; ++k) same = same && !a->state[k] == !b.state[k];
      return same;
    };
    while (next < end && alike(*next)) ++next;
    f(numbers_of<Numbers>(*a), *a, Step<T>{a, next});
    a = next;
  }
}

#define PT_STEP(name, Numbers, call)                                                    \
  template <class T>                                                                    \
  void name(const DeviceOptim& d) {                                                     \
    for_runs<T, Numbers>(d, [](const Numbers& k, [[maybe_unused]] const OptimArgs& a,   \
                               const Step<T>& step) { with_##name<Compute<T>> call; }); \
  }
PT_STEP(sgd, SgdNumbers, (k, a.state[0] != nullptr, step))
PT_STEP(asgd, AsgdNumbers, (k, step))
PT_STEP(rprop, RpropNumbers, (k, step))
PT_STEP(adam, AdamNumbers, (k, a.state[2] != nullptr, step))
PT_STEP(nadam, NadamNumbers, (k, step))
PT_STEP(radam, RadamNumbers, (k, step))
PT_STEP(adamax, AdamaxNumbers, (k, step))
PT_STEP(adagrad, AdagradNumbers, (k, step))
PT_STEP(adadelta, AdadeltaNumbers, (k, step))
PT_STEP(rmsprop, RmspropNumbers, (k, a.state[1] != nullptr, a.state[2] != nullptr, step))

template <class T>
__global__ void __launch_bounds__(kThreads) count_kernel(AdamCount a) {
  const double lr = !a.lr_there      ? a.lr
                    : a.lr_is_double ? *static_cast<const double*>(a.lr_there)
                                     : static_cast<double>(*static_cast<const float*>(a.lr_there));
  const int64_t each = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < a.count; i += each) {
    T* at = static_cast<T*>(a.steps[i]);
    const double step = static_cast<double>(static_cast<Compute<T>>(*at)) + 1;
    put<T>(at, 0, static_cast<Compute<T>>(step));
    AdamLive& live = a.live[i];
    live.step_size = lr / (1 - ::pow(a.beta1, step));
    live.scale = 1 / ::sqrt(1 - ::pow(a.beta2, step));
    live.decay = 1 - lr * a.weight_decay;
  }
}
template <class T>
void adam_count(const AdamCount& a) {
  if (a.count == 0) return;
  PT_LAUNCH((count_kernel<T>), blocks_for(a.count, kThreads), kThreads, 0, a);
}

const KernelEntry kEntries[] = {
    {"optim_adam_count", {PT_FLOAT_SLOTS(adam_count)}},
    {"optim_sgd", {PT_FLOAT_SLOTS(sgd)}},
    {"optim_asgd", {PT_FLOAT_SLOTS(asgd)}},
    {"optim_rprop", {PT_FLOAT_SLOTS(rprop)}},
    {"optim_adam", {PT_FLOAT_SLOTS(adam)}},
    {"optim_nadam", {PT_FLOAT_SLOTS(nadam)}},
    {"optim_radam", {PT_FLOAT_SLOTS(radam)}},
    {"optim_adamax", {PT_FLOAT_SLOTS(adamax)}},
    {"optim_adagrad", {PT_FLOAT_SLOTS(adagrad)}},
    {"optim_adadelta", {PT_FLOAT_SLOTS(adadelta)}},
    {"optim_rmsprop", {PT_FLOAT_SLOTS(rmsprop)}},
};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda

// The gates of one step of a recurrent layer and their gradients; a thread takes a unit of a
// sequence. The products of the step are matrix products of their own.
#include "cuda/args/rnn_args.h"
#include "cuda/reduce/frame.h"
#include "ops/functors/math.h"

namespace pt::cuda {
namespace {

namespace math = pt::device::math;

constexpr int kThreads = 256;

template <class T>
PT_DEVICE T before_at(const RnnBefore& b, int64_t row, int64_t hidden, int64_t i) {
  return static_cast<const T*>(row < b.split ? b.steps : b.initial)[row * hidden + i];
}

template <class T>
__global__ void __launch_bounds__(kThreads) step_kernel(RnnStepArgs a) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x, count = a.rows * a.hidden;
  const int gates = a.mode == RnnMode::kLstm ? 4 : a.mode == RnnMode::kGru ? 3 : 1;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step) {
    const int64_t row = i / a.hidden, j = i % a.hidden;
    T* g = static_cast<T*>(a.gates) + row * gates * a.hidden + j;
    T* h = static_cast<T*>(a.h) + i;
    T* cell = static_cast<T*>(a.cells) + i;
    if (a.mode == RnnMode::kLstm) {
      const T in = math::sigmoid(g[0]), forget = math::sigmoid(g[a.hidden]);
      const T fresh = math::tanh(g[2 * a.hidden]), out = math::sigmoid(g[3 * a.hidden]);
      const T c = forget * before_at<T>(a.before, row, a.hidden, j) + in * fresh;
      g[0] = in;
      g[a.hidden] = forget;
      g[2 * a.hidden] = fresh;
      g[3 * a.hidden] = out;
      *cell = c;
      *h = out * math::tanh(c);
    } else if (a.mode == RnnMode::kGru) {
      const T reset = math::sigmoid(g[0]), keep = math::sigmoid(g[a.hidden]);
      const T fresh = math::tanh(g[2 * a.hidden] + reset * *cell);
      g[0] = reset;
      g[a.hidden] = keep;
      g[2 * a.hidden] = fresh;
      *h = fresh + keep * (before_at<T>(a.before, row, a.hidden, j) - fresh);
    } else if (a.mode == RnnMode::kTanh) {
      *h = math::tanh(g[0]);
    } else {
      *h = g[0] < T(0) ? T(0) : g[0];
    }
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads) backward_kernel(RnnStepBackwardArgs a) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x, count = a.rows * a.hidden;
  const int gates = a.mode == RnnMode::kLstm ? 4 : a.mode == RnnMode::kGru ? 3 : 1;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step) {
    const int64_t row = i / a.hidden, j = i % a.hidden, first = row * gates * a.hidden + j;
    const T* g = static_cast<const T*>(a.gates) + first;
    T* d = static_cast<T*>(a.grad_gates) + first;
    T dh = static_cast<const T*>(a.grad_h)[i];
    if (a.grad_output) dh += static_cast<const T*>(a.grad_output)[i];
    if (a.mode == RnnMode::kLstm) {
      const T in = g[0], forget = g[a.hidden], fresh = g[2 * a.hidden], out = g[3 * a.hidden];
      const T tc = math::tanh(static_cast<const T*>(a.cells)[i]);
      T* grad_c = static_cast<T*>(a.grad_c) + i;
      const T dc = *grad_c + dh * out * (T(1) - tc * tc);
      if (a.raw) static_cast<T*>(a.raw)[i] = out * tc;
      d[0] = dc * fresh * (T(1) - in) * in;
      d[a.hidden] = dc * before_at<T>(a.before, row, a.hidden, j) * (T(1) - forget) * forget;
      d[2 * a.hidden] = dc * in * (T(1) - fresh * fresh);
      d[3 * a.hidden] = dh * tc * (T(1) - out) * out;
      *grad_c = dc * forget;
    } else if (a.mode == RnnMode::kGru) {
      const T reset = g[0], keep = g[a.hidden], fresh = g[2 * a.hidden];
      const T hn = static_cast<const T*>(a.cells)[i];
      const T dn = dh * (T(1) - keep) * (T(1) - fresh * fresh);
      d[0] = dn * hn * (T(1) - reset) * reset;
      d[a.hidden] = dh * (before_at<T>(a.before, row, a.hidden, j) - fresh) * (T(1) - keep) * keep;
      d[2 * a.hidden] = dn;
      static_cast<T*>(a.grad_hn)[i] = dn * reset;
      static_cast<T*>(a.grad_h)[i] = dh * keep;
    } else {
      const T h = static_cast<const T*>(a.h)[i];
      d[0] = a.mode == RnnMode::kTanh ? dh * (T(1) - h * h) : h <= T(0) ? T(0) : dh;
    }
  }
}

template <class T>
void forward(const RnnStepArgs& a) {
  if (a.rows * a.hidden == 0) return;
  PT_LAUNCH((step_kernel<T>), blocks_for(a.rows * a.hidden, kThreads), kThreads, 0, a);
}
template <class T>
void backward(const RnnStepBackwardArgs& a) {
  if (a.rows * a.hidden == 0) return;
  PT_LAUNCH((backward_kernel<T>), blocks_for(a.rows * a.hidden, kThreads), kThreads, 0, a);
}

const KernelEntry kEntries[] = {{"device_rnn_step", {PT_REAL_SLOTS(forward)}},
                                {"device_rnn_step_backward", {PT_REAL_SLOTS(backward)}}};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda

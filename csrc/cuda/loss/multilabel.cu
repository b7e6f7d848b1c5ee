// The multilabel margin loss and its gradient: a block takes a row, its threads share the classes.
#include "cuda/args/loss_args.h"
#include "cuda/reduce/frame.h"

namespace pt::cuda {
namespace {

constexpr int kThreads = 128;

PT_DEVICE double sum_of(double v) {
  return block_reduce(v, 0.0, [](double x, double y) { return x + y; });
}

// Marks the row's labels and returns how many there are. Ends with a barrier.
PT_DEVICE int64_t mark_labels(const int64_t* labels, int64_t n, unsigned* marks) {
  int64_t first = n;
  for (int64_t i = threadIdx.x; i < n; i += kThreads) {
    marks[i] = 0;
    if (labels[i] < 0 && i < first) first = i;
  }
  const int64_t count = block_reduce(first, n, [](int64_t x, int64_t y) { return x < y ? x : y; });
  __syncthreads();
  for (int64_t i = threadIdx.x; i < count; i += kThreads)
    if (labels[i] < n) atomicOr(marks + labels[i], 1u);
  __syncthreads();
  return count;
}

template <class T>
__global__ void __launch_bounds__(kThreads) loss_kernel(DeviceLabelledRows a, unsigned* all_marks) {
  for (int64_t r = blockIdx.x; r < a.rows; r += gridDim.x) {
    const T* x = static_cast<const T*>(a.in) + r * a.n;
    const int64_t* labels = a.labels + r * a.n;
    unsigned* marks = all_marks + r * a.n;
    const int64_t count = mark_labels(labels, a.n, marks);
    double total = 0;
    for (int64_t c = threadIdx.x; c < a.n; c += kThreads) {
      if (marks[c]) continue;
      for (int64_t i = 0; i < count; ++i) {
        if (labels[i] >= a.n) continue;
        const T z = T(1) - x[labels[i]] + x[c];
        if (z > 0) total += static_cast<double>(z);
      }
    }
    total = sum_of(total);
    if (threadIdx.x == 0) put<T>(a.out, r, total / static_cast<double>(a.n));
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    gradient_kernel(DeviceLabelledRows a, unsigned* all_marks) {
  for (int64_t r = blockIdx.x; r < a.rows; r += gridDim.x) {
    const T* x = static_cast<const T*>(a.in) + r * a.n;
    const int64_t* labels = a.labels + r * a.n;
    unsigned* marks = all_marks + r * a.n;
    const int64_t count = mark_labels(labels, a.n, marks);
    const T g = static_cast<const T*>(a.grad)[r] / static_cast<T>(a.n);
    T* out = static_cast<T*>(a.out) + r * a.n;
    for (int64_t c = threadIdx.x; c < a.n; c += kThreads) {
      int64_t active = 0;
      if (marks[c]) {
        int64_t times = 0;
        for (int64_t i = 0; i < count; ++i) times += labels[i] == c;
        for (int64_t d = 0; d < a.n; ++d) active -= !marks[d] && T(1) - x[c] + x[d] > 0;
        active *= times;
      } else {
        for (int64_t i = 0; i < count; ++i)
          active += labels[i] < a.n && T(1) - x[labels[i]] + x[c] > 0;
      }
      out[c] = g * static_cast<T>(active);
    }
  }
}

template <class T, bool kLoss>
void run(const DeviceLabelledRows& a) {
  if (a.rows * a.n == 0) return;
  const Scratch marks(static_cast<size_t>(a.rows * a.n) * sizeof(unsigned));
  if (!marks) return;
  const unsigned blocks = blocks_for(a.rows * kThreads, kThreads);
  if constexpr (kLoss) {
    PT_LAUNCH((loss_kernel<T>), blocks, kThreads, 0, a, marks.as<unsigned>());
  } else {
    PT_LAUNCH((gradient_kernel<T>), blocks, kThreads, 0, a, marks.as<unsigned>());
  }
}
template <class T>
void losses(const DeviceLabelledRows& a) {
  run<T, true>(a);
}
template <class T>
void gradient(const DeviceLabelledRows& a) {
  run<T, false>(a);
}

const KernelEntry kEntries[] = {
    {"device_multilabel_margin", {PT_REAL_SLOTS(losses)}},
    {"device_multilabel_margin_backward", {PT_REAL_SLOTS(gradient)}},
};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda

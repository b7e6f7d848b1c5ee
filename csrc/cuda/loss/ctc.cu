// Connectionist temporal classification: see cpu/loss_ctc.cpp for the method. A block takes a
// sequence and goes through its steps; its threads share the states. All arithmetic is in double.
//
// On a device the lengths and offsets of CtcArgs are in its memory, and labels out of bounds are
// reported (bounds.h) and never reached.
#include "cpu/loss_args.h"
#include "cuda/index/bounds.h"
#include "cuda/reduce/frame.h"

namespace pt::cuda {
namespace {

constexpr int kThreads = 128;
#define PT_NEVER (-static_cast<double>(INFINITY))

PT_DEVICE double log_sum(double x, double y, double z) {
  const double xy = x > y ? x : y, top = z > xy ? z : xy;
  if (top == PT_NEVER) return PT_NEVER;
  return top + ::log(::exp(x - top) + ::exp(y - top) + ::exp(z - top));
}

template <class T>
struct Sequence {
  const CtcArgs& a;
  int64_t index, states, steps;
  const int64_t* labels;

  PT_DEVICE Sequence(const CtcArgs& args, int64_t n)
      : a(args),
        index(n),
        states(2 * args.target_lengths[n] + 1),
        steps(args.input_lengths[n]),
        labels(args.targets + args.target_offsets[n]) {}

  PT_DEVICE int64_t label(int64_t s) const { return s % 2 ? labels[s / 2] : a.blank; }
  PT_DEVICE bool known(int64_t c) const { return c >= 0 && c < a.classes; }
  PT_DEVICE int64_t row(int64_t t) const { return (t * a.batch + index) * a.classes; }
  PT_DEVICE double emission(int64_t t, int64_t s) const {
    const int64_t c = label(s);
    return known(c) ? static_cast<double>(static_cast<const T*>(a.in)[row(t) + c]) : PT_NEVER;
  }
  // Whether state s may follow s - 2.
  PT_DEVICE bool skips(int64_t s) const {
    return s % 2 == 1 && s >= 3 && s < states && labels[s / 2] != labels[s / 2 - 1];
  }
  PT_DEVICE double* alpha(int64_t t) const {
    return a.alpha + index * a.alpha_stride + t * (a.max_states + kCtcPadding) + kCtcPadding / 2;
  }
  PT_DEVICE double likelihood() const {
    if (steps == 0) return states == 1 ? 0 : PT_NEVER;
    const double* end = alpha(steps - 1) + states - 1;
    return log_sum(end[0], states > 1 ? end[-1] : PT_NEVER, PT_NEVER);
  }
};

template <class T>
__global__ void __launch_bounds__(kThreads, 1) forward_kernel(CtcArgs a, Bounds report) {
  for (int64_t n = blockIdx.x; n < a.batch; n += gridDim.x) {
    const Sequence<T> q(a, n);
    for (int64_t i = threadIdx.x; 2 * i + 1 < q.states; i += kThreads)
      if (!q.known(q.labels[i])) report_bounds(report, q.labels[i], a.classes, 0, false);
    for (int64_t t = 0; t < q.steps; ++t) {
      double* next = q.alpha(t);
      const double* last = t ? q.alpha(t - 1) : nullptr;
      for (int64_t s = threadIdx.x; s < q.states; s += kThreads) {
        if (t == 0) {
          next[s] = s < 2 ? q.emission(t, s) : PT_NEVER;
        } else {
          const double from = log_sum(last[s], s >= 1 ? last[s - 1] : PT_NEVER,
                                      q.skips(s) ? last[s - 2] : PT_NEVER);
          next[s] = from == PT_NEVER ? from : from + q.emission(t, s);
        }
      }
      __syncthreads();
    }
    if (threadIdx.x == 0) put<T>(a.losses, n, -q.likelihood());
  }
}

// Per sequence: two rows of backward variables, one of counts, and for each label the next place
// of the same one, or -1; below -1 for labels that an earlier place, or blank, stands for.
struct Memory {
  double* rows;
  int* same;
  int64_t row_size, labels;
};

template <class T>
__global__ void __launch_bounds__(kThreads, 1) backward_kernel(CtcArgs a, Memory memory) {
  for (int64_t n = blockIdx.x; n < a.batch; n += gridDim.x) {
    const Sequence<T> q(a, n);
    double* last = memory.rows + n * 3 * memory.row_size;
    double* next = last + memory.row_size;
    double* counts = next + memory.row_size;
    int* same = memory.same + n * memory.labels;
    const int64_t labels = q.states / 2;
    for (int64_t i = threadIdx.x; i < labels; i += kThreads) {
      int link = -1;
      for (int64_t j = labels - 1; j > i; --j)
        if (q.labels[j] == q.labels[i]) link = static_cast<int>(j);
      bool first = q.labels[i] != a.blank && q.known(q.labels[i]);
      for (int64_t j = 0; j < i && first; ++j) first = q.labels[j] != q.labels[i];
      same[i] = first ? link : -3 - link;
    }
    const double total = q.likelihood();
    const double factor = static_cast<double>(static_cast<const T*>(a.grad)[a.single_grad ? 0 : n]);
    const bool dropped = a.zero_infinity && total == PT_NEVER;
    __syncthreads();
    for (int64_t t = a.steps - 1; t >= 0; --t) {
      const int64_t at = q.row(t);
      if (t >= q.steps || dropped) {
        for (int64_t c = threadIdx.x; c < a.classes; c += kThreads) put<T>(a.out, at + c, 0.0);
        continue;
      }
      const double* forward = q.alpha(t);
      double blanks = 0;
      for (int64_t s = threadIdx.x; s < q.states; s += kThreads) {
        const double emit = q.emission(t, s);
        double v = s >= q.states - 2 ? emit : PT_NEVER;
        if (t < q.steps - 1) {
          v = log_sum(last[s], s + 1 < q.states ? last[s + 1] : PT_NEVER,
                      q.skips(s + 2) ? last[s + 2] : PT_NEVER);
          v = v == PT_NEVER ? v : v + emit;
        }
        next[s] = v;
        const double count =
            forward[s] == PT_NEVER || v == PT_NEVER ? 0.0 : ::exp((forward[s] + v - emit) - total);
        counts[s] = count;
        if (q.label(s) == a.blank) blanks += count;
      }
      for (int64_t c = threadIdx.x; c < a.classes; c += kThreads) {
        const double p = static_cast<double>(static_cast<const T*>(a.in)[at + c]);
        put<T>(a.out, at + c, ::exp(p) * factor);
      }
      blanks = block_reduce(blanks, 0.0, [](double x, double y) { return x + y; });
      __syncthreads();
      T* out = static_cast<T*>(a.out) + at;
      if (threadIdx.x == 0) out[a.blank] -= static_cast<T>(blanks * factor);
      for (int64_t i = threadIdx.x; i < labels; i += kThreads) {
        if (same[i] < -1) continue;
        double sum = counts[2 * i + 1];
        for (int j = same[i]; j != -1; j = same[j] < -1 ? -3 - same[j] : same[j])
          sum += counts[2 * j + 1];
        out[q.labels[i]] -= static_cast<T>(sum * factor);
      }
      __syncthreads();
      double* swapped = last;
      last = next;
      next = swapped;
    }
  }
}

unsigned blocks_of(const CtcArgs& a) {
  return static_cast<unsigned>(a.batch < 65535 ? a.batch : 65535);
}

template <class T>
void forward(const CtcArgs& a) {
  if (a.batch == 0) return;
  PT_LAUNCH((forward_kernel<T>), blocks_of(a), kThreads, 0, a, bounds_report());
}

template <class T>
void backward(const CtcArgs& a) {
  if (a.batch == 0 || a.steps == 0) return;
  Memory m;
  m.row_size = a.max_states;
  m.labels = a.max_states / 2;
  const Scratch rows(static_cast<size_t>(a.batch * 3 * m.row_size) * sizeof(double));
  const Scratch same(static_cast<size_t>(a.batch * m.labels) * sizeof(int));
  if (!rows || (m.labels && !same)) return;
  m.rows = rows.as<double>();
  m.same = same.as<int>();
  PT_LAUNCH((backward_kernel<T>), blocks_of(a), kThreads, 0, a, m);
}

const KernelEntry kEntries[] = {{"ctc", {PT_REAL_SLOTS(forward)}},
                                {"ctc_backward", {PT_REAL_SLOTS(backward)}}};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda

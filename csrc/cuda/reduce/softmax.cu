// softmax, log_softmax and their gradients along the middle of [outer, n, inner]. Two passes over a
// line: the second one mostly finds it in the cache.
#include "cpu/softmax_args.h"
#include "cuda/reduce/frame.h"

namespace pt::cuda {
namespace {

// How lines are shared out to the threads of a block; see ReduceShape.
struct Lines {
  int64_t count, n, inner;
  int group;
  bool columns;
  unsigned blocks() const {
    return blocks_for((count + group - 1) / group * kReduceThreads, kReduceThreads);
  }
};
Lines lines_of(int64_t outer, int64_t n, int64_t inner, const LineStrides& in) {
  ReduceArgs a;
  a.outer = outer;
  a.n = n;
  a.inner = inner;
  a.in_n = in.n;
  a.in_inner = in.inner;
  const ReduceShape s = shape_of(a);
  return {s.outputs, n, inner, s.group, s.columns};
}

// Calls f(line, o, i, lane, lanes, slot, valid) for every line of the block, in step.
template <class F>
PT_DEVICE void for_lines(const Lines& s, F f) {
  const int thread = static_cast<int>(threadIdx.x), lanes = kReduceThreads / s.group;
  const int slot = s.columns ? thread % s.group : thread / lanes;
  const int lane = s.columns ? thread / s.group : thread % lanes;
  const int64_t groups = (s.count + s.group - 1) / s.group;
  PT_UNROLL_BY(1)
  for (int64_t unit = blockIdx.x; unit < groups; unit += gridDim.x) {
    const int64_t line = unit * s.group + slot;
    f(line / s.inner, line % s.inner, slot, lane, lanes, line < s.count);
  }
}

template <class V>
PT_DEVICE V exponential(V x) {
  if constexpr (sizeof(V) == 8) {
    return ::exp(x);
  } else {
    return ::expf(x);
  }
}
template <class V>
PT_DEVICE V logarithm(V x) {
  if constexpr (sizeof(V) == 8) {
    return ::log(x);
  } else {
    return ::logf(x);
  }
}

// The largest element, and the sum of e^(x - largest).
template <class V>
struct Weight {
  struct Total {
    V max, sum;
  };
  PT_DEVICE static Total none() { return {V(-__builtin_huge_valf()), V(0)}; }
  PT_DEVICE static void merge(Total& t, const Total& u) {
    const V larger = u.max > t.max ? u.max : t.max;
    const V max = u.max != u.max ? u.max : t.max != t.max ? t.max : larger;
    t.sum = scaled(t, max) + scaled(u, max);
    t.max = max;
  }
  PT_DEVICE static V scaled(const Total& t, V max) {
    // Equal ones first: infinite elements have no difference.
    return t.max == max ? t.sum : t.sum == V(0) ? V(0) : t.sum * exponential(t.max - max);
  }
};
template <class V>
struct Adding {
  using Total = V;
  PT_DEVICE static void merge(Total& t, const Total& u) { t += u; }
};

template <class T, bool kLog>
__global__ void __launch_bounds__(kReduceThreads)
    softmax_kernel(SoftmaxArgs a, Lines s, DType dtype) {
  using V = Compute<T>;
  using W = Weight<V>;
  for_lines(s, [&](int64_t o, int64_t i, int slot, int lane, int lanes, bool valid) {
    const auto in = [&](int64_t r) {
      return get<T>(a.in, o * a.in_stride.outer + i * a.in_stride.inner + r * a.in_stride.n, dtype);
    };
    const int64_t out = o * a.out_stride.outer + i * a.out_stride.inner;
    typename W::Total total = W::none();
    if (valid) PT_UNROLL_BY(2)
    for (int64_t r = lane; r < s.n; r += lanes) W::merge(total, {in(r), V(1)});
    total = share<W>(total, slot, lane, lanes);
    if (!valid) return;
    // All elements -inf: NaN, as the quotient of zeros is.
    const V scale = kLog ? logarithm(total.sum) : V(1) / total.sum;
    PT_UNROLL_BY(2)
    for (int64_t r = lane; r < s.n; r += lanes) {
      const V d = in(r) - total.max;
      put<T>(a.out, out + r * a.out_stride.n, kLog ? d - scale : exponential(d) * scale, dtype);
    }
  });
}

template <class T, bool kLog>
__global__ void __launch_bounds__(kReduceThreads)
    softmax_backward_kernel(SoftmaxBackwardArgs a, Lines s, DType dtype) {
  using V = Compute<T>;
  for_lines(s, [&](int64_t o, int64_t i, int slot, int lane, int lanes, bool valid) {
    const auto element = [&](const void* p, const LineStrides& s, int64_t r) {
      return get<T>(p, o * s.outer + i * s.inner + r * s.n, dtype);
    };
    const int64_t out = o * a.grad_in_stride.outer + i * a.grad_in_stride.inner;
    V sum = 0;
    if (valid) {
      PT_UNROLL_BY(2)
      for (int64_t r = lane; r < s.n; r += lanes) {
        const V g = element(a.grad, a.grad_stride, r);
        sum += kLog ? g : g * element(a.output, a.output_stride, r);
      }
    }
    sum = share<Adding<V>>(sum, slot, lane, lanes);
    if (!valid) return;
    PT_UNROLL_BY(2)
    for (int64_t r = lane; r < s.n; r += lanes) {
      const V g = element(a.grad, a.grad_stride, r);
      const V v = element(a.output, a.output_stride, r);
      put<T>(a.grad_in, out + r * a.grad_in_stride.n,
             kLog ? g - exponential(v) * sum : v * (g - sum), dtype);
    }
  });
}

template <class T, bool kLog>
void forward(const SoftmaxArgs& a) {
  const Lines s = lines_of(a.outer, a.n, a.inner, a.in_stride);
  PT_LAUNCH((softmax_kernel<Stored<T>, kLog>), s.blocks(), kReduceThreads, 0, a, s, dtype_of<T>);
}
template <class T, bool kLog>
void backward(const SoftmaxBackwardArgs& a) {
  const Lines s = lines_of(a.outer, a.n, a.inner, a.output_stride);
  PT_LAUNCH((softmax_backward_kernel<Stored<T>, kLog>), s.blocks(), kReduceThreads, 0, a, s,
            dtype_of<T>);
}
template <class T>
void softmax(const SoftmaxArgs& a) {
  forward<T, false>(a);
}
template <class T>
void log_softmax(const SoftmaxArgs& a) {
  forward<T, true>(a);
}
template <class T>
void softmax_backward(const SoftmaxBackwardArgs& a) {
  backward<T, false>(a);
}
template <class T>
void log_softmax_backward(const SoftmaxBackwardArgs& a) {
  backward<T, true>(a);
}

const KernelEntry kEntries[] = {
    {"softmax", {PT_FLOAT_SLOTS(softmax)}},
    {"log_softmax", {PT_FLOAT_SLOTS(log_softmax)}},
    {"softmax_backward", {PT_FLOAT_SLOTS(softmax_backward)}},
    {"log_softmax_backward", {PT_FLOAT_SLOTS(log_softmax_backward)}},
};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda

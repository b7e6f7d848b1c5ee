// Losses of class scores: "cross_entropy" and its gradient, and the total of lines
// (cpu/loss_args.h). Forward keeps a line's maximum and the logarithm of its sum of exponentials,
// backward makes the softmax from them again.
#include "cpu/loss_args.h"
#include "cuda/norm/lines.h"

namespace pt::cuda {
namespace {

constexpr int kThreads = 256;

PT_DEVICE float exponential(float x) { return ::expf(x); }
PT_DEVICE double exponential(double x) { return ::exp(x); }
PT_DEVICE float logarithm(float x) { return ::logf(x); }
PT_DEVICE double logarithm(double x) { return ::log(x); }

// Over the threads of a line: one, a warp or a block.
template <int kLanes, class V, class Combine>
PT_DEVICE V line_reduce(V v, V none, Combine combine) {
  if constexpr (kLanes == 1) {
    return v;
  } else if constexpr (kLanes == 32) {
    return warp_reduce(v, combine);
  } else {
    return block_reduce(v, none, combine);
  }
}

// Lines of a launch with kLanes threads each.
template <int kLanes>
PT_DEVICE int64_t first_line() {
  return (int64_t{blockIdx.x} * blockDim.x + threadIdx.x) / kLanes;
}
template <int kLanes>
PT_DEVICE int64_t line_step() {
  return int64_t{gridDim.x} * blockDim.x / kLanes;
}

template <class T>
struct Line {
  using L = Compute<T>;
  const CrossEntropyArgs& a;
  DType dtype;
  int64_t o, i, u;
  L keep, spread;
  PT_DEVICE Line(const CrossEntropyArgs& args, DType t, int64_t line)
      : a(args),
        dtype(t),
        o(line / args.inner),
        i(line % args.inner),
        u(line),
        keep(static_cast<L>(1 - args.smoothing)),
        spread(static_cast<L>(args.smoothing / static_cast<double>(args.n))) {}
  PT_DEVICE static int64_t offset(const LineStrides& s, int64_t o, int64_t i, int64_t k) {
    return o * s.outer + i * s.inner + k * s.n;
  }
  PT_DEVICE L input(int64_t k) const { return get<T>(a.in, offset(a.in_stride, o, i, k), dtype); }
  PT_DEVICE L weight(int64_t k) const {
    return a.weight ? static_cast<const L*>(a.weight)[k] : L(1);
  }
  PT_DEVICE bool uses_all() const { return a.probabilities || a.smoothing != 0; }
  // The target's part in class k, without what the class of the line adds.
  PT_DEVICE L part(int64_t k) const {
    L p = spread;
    if (a.probabilities) {
      p += keep * get<T>(a.probabilities, offset(a.target_stride, o, i, k), dtype);
    }
    return p * weight(k);
  }
};

template <class T, int kLanes>
__global__ void __launch_bounds__(kThreads, 2)
    cross_entropy_kernel(CrossEntropyArgs a, DType dtype) {
  using L = Compute<T>;
  const int lane = static_cast<int>(threadIdx.x) % kLanes;
  const L lowest = -static_cast<L>(__builtin_huge_valf());
  const auto add = [](auto x, auto y) { return x + y; };
  PT_UNROLL_BY(1)
  for (int64_t u = first_line<kLanes>(); u < a.outer * a.inner; u += line_step<kLanes>()) {
    const Line<T> line(a, dtype, u);
    L max = lowest;
    PT_UNROLL_BY(2)
    for (int64_t k = lane; k < a.n; k += kLanes) {
      const L v = line.input(k);
      max = v > max ? v : max;
    }
    max = line_reduce<kLanes>(max, lowest, [](L x, L y) { return x > y ? x : y; });
    L sum = 0;
    PT_UNROLL_BY(2)
    for (int64_t k = lane; k < a.n; k += kLanes) sum += exponential(line.input(k) - max);
    const L log_sum = logarithm(line_reduce<kLanes>(sum, L(0), add));
    double loss = 0;
    const int64_t t = a.classes ? a.classes[u] : 0;
    const bool ignored = a.classes && t == a.ignored;
    if (line.uses_all() && !ignored)  // the same for all threads of the line
      PT_UNROLL_BY(2)
    for (int64_t k = lane; k < a.n; k += kLanes)
      loss += static_cast<double>((log_sum - (line.input(k) - max)) * line.part(k));
    if (line.uses_all()) loss = line_reduce<kLanes>(loss, 0.0, add);
    if (lane != 0) continue;
    if (a.classes && !ignored) {
      const bool known = t >= 0 && t < a.n;
      loss +=
          known
              ? static_cast<double>(line.keep * line.weight(t) * (log_sum - (line.input(t) - max)))
              : static_cast<double>(__builtin_nanf(""));
    }
    a.losses[u] = loss;
    static_cast<L*>(a.max)[u] = max;
    static_cast<L*>(a.log_sum)[u] = log_sum;
  }
}

template <class T, int kLanes>
__global__ void __launch_bounds__(kThreads, 2)
    cross_entropy_backward_kernel(CrossEntropyArgs a, DType dtype) {
  using L = Compute<T>;
  const int lane = static_cast<int>(threadIdx.x) % kLanes;
  const double weight_sum = a.device_weight_sum ? *a.device_weight_sum : a.weight_sum;
  PT_UNROLL_BY(1)
  for (int64_t u = first_line<kLanes>(); u < a.outer * a.inner; u += line_step<kLanes>()) {
    const Line<T> line(a, dtype, u);
    const L max = static_cast<const L*>(a.max)[u], log_sum = static_cast<const L*>(a.log_sum)[u];
    const L g = static_cast<const L*>(a.grad)[a.single_grad ? 0 : u] * static_cast<L>(a.scale);
    const int64_t t = a.classes ? a.classes[u] : -1;
    const bool ignored = a.classes && t == a.ignored;
    L mass = 0, hit = 0;
    if (a.probabilities) {
      PT_UNROLL_BY(2)
      for (int64_t k = lane; k < a.n; k += kLanes) mass += line.part(k);
      mass = line_reduce<kLanes>(mass, L(0), [](L x, L y) { return x + y; });
    } else if (!ignored) {
      const bool known = t >= 0 && t < a.n;
      const L own = known ? line.keep * line.weight(t) : static_cast<L>(__builtin_nanf(""));
      mass = own + line.spread * static_cast<L>(weight_sum);
      hit = g * own;
    }
    PT_UNROLL_BY(2)
    for (int64_t k = lane; k < a.n; k += kLanes) {
      L e = 0;
      if (!ignored) {
        e = exponential((line.input(k) - max) - log_sum) * (g * mass);
        if (line.uses_all()) e -= g * line.part(k);
        if (k == t) e -= hit;
      }
      put<T>(a.out, Line<T>::offset(a.out_stride, line.o, line.i, k), e, dtype);
    }
  }
}

// Calls launch(lanes) with the number of threads for a line: neighbouring threads should read
// neighbouring elements.
template <class F>
void with_lanes(const CrossEntropyArgs& a, F launch) {
  if (a.outer * a.inner == 0) return;
  if (a.inner > 1 || a.n < 8) return launch(std::integral_constant<int, 1>{});
  if (a.n <= 1024) return launch(std::integral_constant<int, 32>{});
  launch(std::integral_constant<int, kThreads>{});
}

template <class T>
void cross_entropy(const CrossEntropyArgs& a) {
  with_lanes(a, [&](auto lanes) {
    PT_LAUNCH((cross_entropy_kernel<Stored<T>, decltype(lanes)::value>),
              blocks_for(a.outer * a.inner * lanes, kThreads), kThreads, 0, a, dtype_of<T>);
  });
}
template <class T>
void cross_entropy_backward(const CrossEntropyArgs& a) {
  with_lanes(a, [&](auto lanes) {
    PT_LAUNCH((cross_entropy_backward_kernel<Stored<T>, decltype(lanes)::value>),
              blocks_for(a.outer * a.inner * lanes, kThreads), kThreads, 0, a, dtype_of<T>);
  });
}

// --- totals --------------------------------------------------------------------------------------

// 0 for a line that does not count, NaN for a class that does not exist.
PT_DEVICE double weight_of(const ClassLossArgs& a, int64_t c) {
  if (c == a.ignored) return 0;
  if (c < 0 || c >= a.n) return static_cast<double>(__builtin_nanf(""));
  return a.weight ? a.weight[c] : 1;
}

template <class T>
struct TotalOp {
  using Total = TwoSums;
  using Part = TwoSums;
  static constexpr int kTaken = 8;
  ClassLossArgs a;
  DType dtype;
  PT_DEVICE static Total none() { return {0, 0}; }
  PT_DEVICE static void merge(Total& t, const Total& u) { add_sums(t, u); }
  template <int kPack>
  PT_DEVICE void take(Part& p, int, int64_t, int64_t at, int64_t) const {
    p.first += a.losses[at];
    const double one = a.n > 0 ? 1 : static_cast<double>(__builtin_nanf(""));
    p.second += a.classes ? weight_of(a, a.classes[at]) : one;
  }
  PT_DEVICE void close(Total& t, const Part& p, int) const { merge(t, p); }
  PT_DEVICE void finish(const Total& t, int64_t) const {
    put<T>(a.total, 0, static_cast<Compute<T>>(a.mean ? t.first / t.second : t.first), dtype);
    *a.divisor = t.second;
  }
};

template <class T>
__global__ void __launch_bounds__(32) no_lines_kernel(TotalOp<T> op) {
  if (threadIdx.x == 0) op.finish({0, 0}, 0);
}

template <class T>
void class_total(const ClassLossArgs& a) {
  const TotalOp<Stored<T>> op{a, dtype_of<T>};
  if (a.outer * a.inner == 0) {
    PT_LAUNCH((no_lines_kernel<Stored<T>>), 1, 32, 0, op);
  } else {
    reduce_channels(op, 1, 1, a.outer * a.inner, false, false);
  }
}

const KernelEntry kEntries[] = {
    {"cross_entropy", {PT_FLOAT_SLOTS(cross_entropy)}},
    {"cross_entropy_backward", {PT_FLOAT_SLOTS(cross_entropy_backward)}},
    {"class_total", {PT_FLOAT_SLOTS(class_total)}},
};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda

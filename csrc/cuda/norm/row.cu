// Normalization of rows: "row_norm" and "row_norm_backward" of cpu/norm_args.h. A warp or a block
// takes a row and keeps what it has read of it; longer rows are read again. The gradients of weight
// and bias are sums over rows, made by the channels' kernels.
#include "cpu/norm_args.h"
#include "cuda/norm/lines.h"

namespace pt::cuda {
namespace {

constexpr int kKept = 8;  // elements of a row that a thread keeps
constexpr int kRowThreads = 256;

template <bool kWarp>
PT_DEVICE double row_sum(double v) {
  const auto add = [](double x, double y) { return x + y; };
  if constexpr (kWarp) {
    return warp_reduce(v, add);
  } else {
    return block_reduce(v, 0.0, add);
  }
}

// The elements of a row, `lanes` apart: the thread's first kKept from registers.
template <class T>
struct Row {
  using L = Compute<T>;
  const void* all;
  DType dtype;
  int64_t first, n;  // where the row begins, and its length
  int lane, lanes;
  L kept[kKept];
  PT_DEVICE L at(int64_t i) const { return get<T>(all, first + i, dtype); }
  PT_DEVICE void keep() {
    PT_UNROLL
    for (int k = 0; k < kKept; ++k) {
      const int64_t i = lane + int64_t{k} * lanes;
      kept[k] = i < n ? at(i) : L(0);
    }
  }
  // Calls f(x, i) in order, telling it when a part of kKept elements ends.
  template <class F, class End>
  PT_DEVICE void each(F f, End end) const {
    PT_UNROLL
    for (int k = 0; k < kKept; ++k) {
      const int64_t i = lane + int64_t{k} * lanes;
      if (i < n) f(kept[k], i);
    }
    end();
    const int64_t step = int64_t{lanes} * kKept;
    PT_UNROLL_BY(1)
    for (int64_t part = lane + step; part < n; part += step) {
      PT_UNROLL_BY(2)
      for (int k = 0; k < kKept; ++k) {
        const int64_t i = part + int64_t{k} * lanes;
        if (i < n) f(at(i), i);
      }
      end();
    }
  }
};

template <class T, bool kWarp>
__global__ void __launch_bounds__(kRowThreads, std::is_same_v<T, double> ? 2 : 3)
    row_norm_kernel(RowNormArgs a, DType dtype) {
  using L = Compute<T>;
  constexpr int kLanes = kWarp ? 32 : kRowThreads, kRows = kRowThreads / kLanes;
  const int thread = static_cast<int>(threadIdx.x);
  const L* weight = static_cast<const L*>(a.weight);
  const L* bias = static_cast<const L*>(a.bias);
  PT_UNROLL_BY(1)
  for (int64_t r = int64_t{blockIdx.x} * kRows + thread / kLanes; r < a.rows;
       r += int64_t{gridDim.x} * kRows) {
    Row<T> x{a.x, dtype, r * a.n, a.n, thread % kLanes, kLanes, {}};
    x.keep();
    double mean = 0;
    if (a.centred) {
      // Distances from the first element, so that the mean of equal ones is exact.
      const L start = x.at(0);
      double sum = 0;
      L part = 0;
      x.each([&](L v, int64_t) { part += v - start; },
             [&] { sum += static_cast<double>(part), part = 0; });
      mean = static_cast<double>(start) + row_sum<kWarp>(sum) / static_cast<double>(a.n);
    }
    const L m = static_cast<L>(mean);
    double squares = 0;
    L part = 0;
    x.each([&](L v, int64_t) { part += (v - m) * (v - m); },
           [&] { squares += static_cast<double>(part), part = 0; });
    const double off = mean - static_cast<double>(m);
    const double var = row_sum<kWarp>(squares) / static_cast<double>(a.n) - off * off;
    const L rstd = static_cast<L>(1 / ::sqrt((var > 0 || var != var ? var : 0) + a.eps));
    if (x.lane == 0) {
      if (a.mean) static_cast<L*>(a.mean)[r] = m;
      static_cast<L*>(a.rstd)[r] = rstd;
    }
    x.each(
        [&](L v, int64_t i) {
          const L unit = (v - m) * rstd;
          put<T>(a.out, x.first + i, (weight ? unit * weight[i] : unit) + (bias ? bias[i] : L(0)),
                 dtype);
        },
        [] {});
  }
}

// out = (g - mean(g) - (x - mean) * mean(g * (x - mean)) * rstd^2) * rstd, where g is grad times
// weight.
template <class T, bool kWarp>
__global__ void __launch_bounds__(kRowThreads, std::is_same_v<T, double> ? 2 : 3)
    row_backward_kernel(RowNormArgs a, DType dtype) {
  using L = Compute<T>;
  constexpr int kLanes = kWarp ? 32 : kRowThreads, kRows = kRowThreads / kLanes;
  const int thread = static_cast<int>(threadIdx.x);
  const L* weight = static_cast<const L*>(a.weight);
  PT_UNROLL_BY(1)
  for (int64_t r = int64_t{blockIdx.x} * kRows + thread / kLanes; r < a.rows;
       r += int64_t{gridDim.x} * kRows) {
    Row<T> x{a.x, dtype, r * a.n, a.n, thread % kLanes, kLanes, {}};
    x.keep();
    const L mean = a.centred ? static_cast<const L*>(a.mean)[r] : L(0);
    const L rstd = static_cast<const L*>(a.rstd)[r];
    const auto weighed = [&](int64_t i) {
      const L g = get<T>(a.grad, x.first + i, dtype);
      return weight ? g * weight[i] : g;
    };
    double first = 0, second = 0;
    L part1 = 0, part2 = 0;
    x.each(
        [&](L v, int64_t i) {
          const L g = weighed(i);
          part1 += g;
          part2 += g * (v - mean);
        },
        [&] {
          first += static_cast<double>(part1), second += static_cast<double>(part2);
          part1 = part2 = 0;
        });
    first = row_sum<kWarp>(first);
    second = row_sum<kWarp>(second);
    const double n = static_cast<double>(a.n), s = static_cast<double>(rstd);
    const L shift = static_cast<L>(a.centred ? first / n : 0);
    const L slope = static_cast<L>(second / n * s * s);
    x.each(
        [&](L v, int64_t i) {
          put<T>(a.out, x.first + i, (weighed(i) - shift - (v - mean) * slope) * rstd, dtype);
        },
        [] {});
  }
}

// Sums over rows, for each of their elements.
template <class T>
struct ParametersOp {
  using L = Compute<T>;
  using Total = TwoSums;
  static constexpr int kTaken = 16;
  struct Part {
    L first, second;
  };
  const void *grad, *x;
  DType dtype;
  const L *mean, *rstd;  // of each row; mean may be null
  double *weight, *bias;
  PT_DEVICE static Total none() { return {0, 0}; }
  PT_DEVICE static void merge(Total& t, const Total& u) { add_sums(t, u); }
  template <int kPack>
  PT_DEVICE void take(Part& p, int, int64_t, int64_t at, int64_t row) const {
    const L g = get<T>(grad, at, dtype);
    p.first += g;
    p.second += g * ((get<T>(x, at, dtype) - (mean ? mean[row] : L(0))) * rstd[row]);
  }
  PT_DEVICE void close(Total& t, const Part& p, int) const {
    merge(t, {static_cast<double>(p.first), static_cast<double>(p.second)});
  }
  PT_DEVICE void finish(const Total& t, int64_t i) const {
    bias[i] = t.first;
    weight[i] = t.second;
  }
};

// Short rows go to warps.
bool short_rows(const RowNormArgs& a) { return a.n <= 32 * kKept * 2; }

template <class T>
void row_norm(const RowNormArgs& a) {
  if (a.rows == 0 || a.n == 0) return;
  if (short_rows(a)) {
    PT_LAUNCH((row_norm_kernel<Stored<T>, true>), blocks_for(a.rows * 32, kRowThreads), kRowThreads,
              0, a, dtype_of<T>);
  } else {
    PT_LAUNCH((row_norm_kernel<Stored<T>, false>), blocks_for(a.rows * kRowThreads, kRowThreads),
              kRowThreads, 0, a, dtype_of<T>);
  }
}

__global__ void __launch_bounds__(kRowThreads)
    zero_kernel(double* first, double* second, int64_t n) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  PT_UNROLL_BY(1)
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < n; i += step)
    first[i] = second[i] = 0;
}

template <class T>
void row_norm_backward(const RowNormArgs& a) {
  if (a.n == 0) return;
  if (a.out && a.rows > 0) {
    if (short_rows(a)) {
      PT_LAUNCH((row_backward_kernel<Stored<T>, true>), blocks_for(a.rows * 32, kRowThreads),
                kRowThreads, 0, a, dtype_of<T>);
    } else {
      PT_LAUNCH((row_backward_kernel<Stored<T>, false>),
                blocks_for(a.rows * kRowThreads, kRowThreads), kRowThreads, 0, a, dtype_of<T>);
    }
  }
  if (!a.weight_grad) return;
  if (a.rows == 0) {
    PT_LAUNCH(zero_kernel, blocks_for(a.n, kRowThreads), kRowThreads, 0, a.weight_grad, a.bias_grad,
              a.n);
    return;
  }
  using L = Compute<T>;
  const ParametersOp<Stored<T>> op{a.grad,
                                   a.x,
                                   dtype_of<T>,
                                   static_cast<const L*>(a.centred ? a.mean : nullptr),
                                   static_cast<const L*>(a.rstd),
                                   a.weight_grad,
                                   a.bias_grad};
  reduce_channels(op, a.rows, a.n, 1, true, false);
}

const KernelEntry kEntries[] = {
    {"row_norm", {PT_FLOAT_SLOTS(row_norm)}},
    {"row_norm_backward", {PT_FLOAT_SLOTS(row_norm_backward)}},
};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda

// Scans along a dimension: cumsum, cumprod, cummax, cummin, logcumsumexp and linear recurrences.
//
// A thread walks a piece of a line. Where lines are few they are cut into pieces by their sizes
// alone: first every piece is summed up, one block per line then turns the sums into what is before
// each piece, and the pieces are walked again.
#include "cpu/scan_args.h"
#include "cuda/args/scan_args.h"
#include "cuda/reduce/frame.h"

namespace pt::cuda {
namespace {

constexpr int kThreads = 256;

struct Pieces {
  int64_t lines, n, inner, length, count;  // pieces of `length` elements, `count` to a line
};

Pieces pieces_of(int64_t outer, int64_t n, int64_t inner) {
  constexpr int64_t kMost = 1 << 16, kLeast = 32;
  Pieces p{outer * inner, n, inner, n, 1};
  const int64_t wanted = kMost / p.lines, possible = n / kLeast;
  const int64_t count = wanted < possible ? wanted : possible;
  if (count > 3) {
    p.length = (n + count - 1) / count;
    p.count = (n + p.length - 1) / p.length;
  }
  return p;
}

// Walks a piece of a line from `state`; without `write` only the state is made.
template <class Scan>
PT_DEVICE void walk(const Scan& scan, const Pieces& p, int64_t line, int64_t piece, bool write,
                    typename Scan::State& state) {
  const int64_t o = line / p.inner, i = line % p.inner;
  const int64_t begin = piece * p.length;
  const int64_t end = begin + p.length < p.n ? begin + p.length : p.n;
  PT_UNROLL_BY(2)
  for (int64_t k = begin; k < end; ++k) {
    scan.append(state, scan.load(o, k, i));
    if (write) scan.store(o, k, i, state);
  }
}

template <class Scan>
__global__ void __launch_bounds__(kThreads)
    sums_kernel(Scan scan, Pieces p, typename Scan::State* sums) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x, units = p.lines * p.count;
  PT_UNROLL_BY(1)
  for (int64_t u = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; u < units; u += step) {
    typename Scan::State state = scan.none();
    const int64_t line = u % p.lines, piece = u / p.lines;  // neighbours: lines side by side
    walk(scan, p, line, piece, false, state);
    sums[line * p.count + piece] = state;
  }
}

// A block per line: sums become states before the pieces.
template <class Scan>
__global__ void __launch_bounds__(kThreads)
    carry_kernel(Scan scan, Pieces p, typename Scan::State* sums) {
  using State = typename Scan::State;
  PT_SHARED(State, shares, [kThreads]);
  const int thread = static_cast<int>(threadIdx.x);
  const int64_t share = (p.count + kThreads - 1) / kThreads;
  PT_UNROLL_BY(1)
  for (int64_t line = blockIdx.x; line < p.lines; line += gridDim.x) {
    State* own = sums + line * p.count;
    const int64_t begin = thread * share;
    const int64_t end = begin + share < p.count ? begin + share : p.count;
    State state = scan.none();
    PT_UNROLL_BY(1)
    for (int64_t c = begin; c < end; ++c) scan.append(state, own[c]);
    shares[thread] = state;
    __syncthreads();
    State before = scan.none();
    PT_UNROLL_BY(1)
    for (int t = 0; t < thread; ++t) scan.append(before, shares[t]);
    PT_UNROLL_BY(1)
    for (int64_t c = begin; c < end; ++c) {
      const State sum = own[c];
      own[c] = before;
      scan.append(before, sum);
    }
    __syncthreads();
  }
}

template <class Scan>
__global__ void __launch_bounds__(kThreads)
    scan_kernel(Scan scan, Pieces p, const typename Scan::State* before) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x, units = p.lines * p.count;
  PT_UNROLL_BY(1)
  for (int64_t u = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; u < units; u += step) {
    const int64_t line = u % p.lines, piece = u / p.lines;
    typename Scan::State state = before ? before[line * p.count + piece] : scan.none();
    walk(scan, p, line, piece, true, state);
  }
}

template <class Scan>
void run(const Scan& scan, int64_t outer, int64_t n, int64_t inner) {
  using State = typename Scan::State;
  if (outer * n * inner == 0) return;
  const Pieces p = pieces_of(outer, n, inner);
  const unsigned blocks = blocks_for(p.lines * p.count, kThreads);
  if (p.count == 1) {
    PT_LAUNCH((scan_kernel<Scan>), blocks, kThreads, 0, scan, p, static_cast<State*>(nullptr));
    return;
  }
  const Scratch sums(sizeof(State) * static_cast<size_t>(p.lines * p.count));
  if (!sums) return;
  PT_LAUNCH((sums_kernel<Scan>), blocks, kThreads, 0, scan, p, sums.as<State>());
  PT_LAUNCH((carry_kernel<Scan>), blocks_for(p.lines * kThreads, kThreads), kThreads, 0, scan, p,
            sums.as<State>());
  PT_LAUNCH((scan_kernel<Scan>), blocks, kThreads, 0, scan, p, sums.as<State>());
}

// Where the elements of a strided scan lie.
template <class T>
struct Strided {
  ScanArgs a;
  DType dtype;
  PT_DEVICE Compute<T> in(int64_t o, int64_t k, int64_t i) const {
    return get<T>(a.in, o * a.in_stride.outer + k * a.in_stride.n + i * a.in_stride.inner, dtype);
  }
  PT_DEVICE int64_t at(int64_t o, int64_t k, int64_t i) const {
    return o * a.out_stride.outer + k * a.out_stride.n + i * a.out_stride.inner;
  }
};

// Sums of float in double, of integers as int64 (which wraps).
template <class T, bool kProduct>
struct Accumulate : Strided<T> {
  using State = std::conditional_t<kFloating<T>, double, uint64_t>;
  PT_DEVICE State none() const { return State(kProduct ? 1 : 0); }
  PT_DEVICE State load(int64_t o, int64_t k, int64_t i) const {
    return static_cast<State>(this->in(o, k, i));
  }
  PT_DEVICE void append(State& s, State later) const {
    if constexpr (kProduct) {
      s *= later;
    } else {
      s += later;
    }
  }
  PT_DEVICE void store(int64_t o, int64_t k, int64_t i, State s) const {
    if constexpr (kFloating<T>) {
      put<T>(this->a.out, this->at(o, k, i), static_cast<Compute<T>>(s), this->dtype);
    } else {
      put<int64_t>(this->a.out, this->at(o, k, i), s);
    }
  }
};

// The last of equal elements counts; from a NaN on all is NaN.
template <class T, bool kMax>
struct Extreme : Strided<T> {
  struct State {
    Compute<T> value;
    int64_t index;  // -1 before any element
  };
  PT_DEVICE State none() const { return {Compute<T>(0), -1}; }
  PT_DEVICE State load(int64_t o, int64_t k, int64_t i) const { return {this->in(o, k, i), k}; }
  PT_DEVICE void append(State& s, const State& later) const {
    if (later.index < 0) return;
    const bool reaches = kMax ? later.value >= s.value : later.value <= s.value;
    if (s.index < 0 || reaches || later.value != later.value) s = later;
  }
  PT_DEVICE void store(int64_t o, int64_t k, int64_t i, const State& s) const {
    const int64_t at = this->at(o, k, i);
    put<T>(this->a.out, at, s.value, this->dtype);
    static_cast<int64_t*>(this->a.out2)[at] = s.index;
  }
};

template <class T>
struct LogCumSumExp : Strided<T> {
  using V = Compute<T>;
  struct State {
    V max, sum;  // the largest element, and the sum of e^(x - largest)
  };
  PT_DEVICE State none() const { return {V(-__builtin_huge_valf()), V(0)}; }
  PT_DEVICE State load(int64_t o, int64_t k, int64_t i) const { return {this->in(o, k, i), V(1)}; }
  PT_DEVICE static V scaled(const State& s, V max) {
    // Equal ones first: infinite elements have no difference.
    if (s.max == max) return s.sum;
    if constexpr (sizeof(V) == 8) return s.sum == V(0) ? V(0) : s.sum * ::exp(s.max - max);
    return s.sum == V(0) ? V(0) : s.sum * ::expf(static_cast<float>(s.max - max));
  }
  PT_DEVICE void append(State& s, const State& later) const {
    const V larger = later.max > s.max ? later.max : s.max;
    const V max = later.max != later.max ? later.max : s.max != s.max ? s.max : larger;
    s.sum = scaled(s, max) + scaled(later, max);
    s.max = max;
  }
  PT_DEVICE void store(int64_t o, int64_t k, int64_t i, const State& s) const {
    V v;
    if constexpr (sizeof(V) == 8) {
      v = s.max + ::log(s.sum);
    } else {
      v = s.max + ::logf(s.sum);
    }
    put<T>(this->a.out, this->at(o, k, i), v, this->dtype);
  }
};

// y -> b + a * y, composed.
template <class T>
struct Recurrence {
  DeviceRecurrence a;
  DType dtype;
  struct State {
    double factor, term;
  };
  PT_DEVICE int64_t at(int64_t o, int64_t k, int64_t i) const {
    return (o * a.n + (a.reverse ? a.n - 1 - k : k)) * a.inner + i;
  }
  PT_DEVICE State none() const { return {1, 0}; }
  PT_DEVICE State load(int64_t o, int64_t k, int64_t i) const {
    const auto number = [this](const void* p, int64_t at) {
      return static_cast<double>(get<T>(p, at, dtype));
    };
    const double term = number(a.terms, at(o, k, i));
    if (k == 0) return {0, term};  // there is nothing before: the factor does not count
    return {number(a.factors, at(o, a.reverse ? k - 1 : k, i)), term};
  }
  PT_DEVICE void append(State& s, const State& later) const {
    s.term = later.term + later.factor * s.term;
    s.factor *= later.factor;
  }
  PT_DEVICE void store(int64_t o, int64_t k, int64_t i, const State& s) const {
    put<T>(a.out, at(o, k, i), static_cast<Compute<T>>(s.term), dtype);
  }
};

template <class Scan>
void scan(const ScanArgs& a, DType dtype) {
  Scan s;
  s.a = a;
  s.dtype = dtype;
  run(s, a.outer, a.n, a.inner);
}
template <class T>
void cumsum(const ScanArgs& a) {
  scan<Accumulate<Stored<T>, false>>(a, dtype_of<T>);
}
template <class T>
void cumprod(const ScanArgs& a) {
  scan<Accumulate<Stored<T>, true>>(a, dtype_of<T>);
}
template <class T>
void cummax(const ScanArgs& a) {
  scan<Extreme<Stored<T>, true>>(a, dtype_of<T>);
}
template <class T>
void cummin(const ScanArgs& a) {
  scan<Extreme<Stored<T>, false>>(a, dtype_of<T>);
}
template <class T>
void logcumsumexp(const ScanArgs& a) {
  scan<LogCumSumExp<Stored<T>>>(a, dtype_of<T>);
}
template <class T>
void recurrence(const DeviceRecurrence& a) {
  Recurrence<Stored<T>> s;
  s.a = a;
  s.dtype = dtype_of<T>;
  run(s, a.outer, a.n, a.inner);
}

const KernelEntry kEntries[] = {
    {"cumsum", {PT_ALL_SLOTS(cumsum)}},
    {"cumprod", {PT_ALL_SLOTS(cumprod)}},
    {"cummax", {PT_ALL_SLOTS(cummax)}},
    {"cummin", {PT_ALL_SLOTS(cummin)}},
    {"logcumsumexp", {PT_FLOAT_SLOTS(logcumsumexp)}},
    {"device_recurrence", {PT_FLOAT_SLOTS(recurrence)}},
};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda

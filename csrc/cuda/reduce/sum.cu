// Sums, products and counts: sum, nansum, mean, prod, count_nonzero, any, all, norm,
// dot. Integers wrap.
#include "cuda/reduce/frame.h"

namespace pt::cuda {
namespace {

template <class T>
using SumLane = std::conditional_t<kFloating<T>, Compute<T>, uint64_t>;
template <class T>
using SumTotal = std::conditional_t<kFloating<T>, double, uint64_t>;
template <class T>
using WideOut = std::conditional_t<kFloating<T>, T, int64_t>;

template <class T>
PT_DEVICE SumLane<T> lane_value(T x) {
  if constexpr (kFloating<T>) {
    return static_cast<Compute<T>>(x);
  } else {
    return static_cast<uint64_t>(static_cast<int64_t>(x));
  }
}

// Sums of map(x).
template <class T, class Map>
struct SumOf {
  using In = T;
  using Lane = SumLane<T>;
  using Total = SumTotal<T>;
  PT_DEVICE static Lane lane() { return 0; }
  PT_DEVICE static Total total() { return 0; }
  PT_DEVICE static void take(Lane& l, T x, int64_t) { l += Map::map(lane_value(x)); }
  PT_DEVICE static void absorb(Total& t, Lane l) { t += static_cast<Total>(l); }
  PT_DEVICE static void merge(Total& t, Total u) { t += u; }
};

struct Itself {
  template <class V>
  PT_DEVICE static V map(V x) {
    return x;
  }
};
struct NanAsZero {
  template <class V>
  PT_DEVICE static V map(V x) {
    return x == x ? x : V(0);
  }
};
struct Magnitude {
  template <class V>
  PT_DEVICE static V map(V x) {
    return x < V(0) ? -x : x;
  }
};
struct SquareOf {
  template <class V>
  PT_DEVICE static V map(V x) {
    return x * x;
  }
};
struct OneIfNonzero {
  template <class V>
  PT_DEVICE static V map(V x) {
    return x != V(0) ? V(1) : V(0);
  }
};

template <class T>
struct Sum : SumOf<T, Itself> {
  PT_DEVICE static void finish(SumTotal<T> t, const ReduceOut& o, int64_t at) {
    put<WideOut<T>>(o.out, at, t);
  }
};
template <class T>
struct NanSum : SumOf<T, NanAsZero> {
  PT_DEVICE static void finish(double t, const ReduceOut& o, int64_t at) { put<T>(o.out, at, t); }
};
template <class T>
struct Mean : SumOf<T, Itself> {
  PT_DEVICE static void finish(double t, const ReduceOut& o, int64_t at) {
    put<T>(o.out, at, t / static_cast<double>(o.n));
  }
};
template <class T, class Map>
struct PlainSum : SumOf<T, Map> {
  PT_DEVICE static void finish(double t, const ReduceOut& o, int64_t at) { put<T>(o.out, at, t); }
};
template <class T>
struct Prod {
  using In = T;
  using Lane = SumLane<T>;
  using Total = SumTotal<T>;
  PT_DEVICE static Lane lane() { return 1; }
  PT_DEVICE static Total total() { return 1; }
  PT_DEVICE static void take(Lane& l, T x, int64_t) { l *= lane_value(x); }
  PT_DEVICE static void absorb(Total& t, Lane l) { t *= static_cast<Total>(l); }
  PT_DEVICE static void merge(Total& t, Total u) { t *= u; }
  PT_DEVICE static void finish(Total t, const ReduceOut& o, int64_t at) {
    put<WideOut<T>>(o.out, at, t);
  }
};

// How many elements are zero, or are not.
template <class T, bool kZeros>
struct Count {
  using In = T;
  using Lane = int64_t;
  using Total = int64_t;
  PT_DEVICE static Lane lane() { return 0; }
  PT_DEVICE static Total total() { return 0; }
  PT_DEVICE static void take(Lane& l, T x, int64_t) {
    l += (static_cast<Compute<T>>(x) == Compute<T>(0)) == kZeros;
  }
  PT_DEVICE static void absorb(Total& t, Lane l) { t += l; }
  PT_DEVICE static void merge(Total& t, Total u) { t += u; }
};
template <class T>
struct CountNonzero : Count<T, false> {
  PT_DEVICE static void finish(int64_t t, const ReduceOut& o, int64_t at) {
    put<int64_t>(o.out, at, t);
  }
};
template <class T>
struct Any : Count<T, false> {
  PT_DEVICE static void finish(int64_t t, const ReduceOut& o, int64_t at) {
    put<bool>(o.out, at, t != 0);
  }
};
template <class T>
struct All : Count<T, true> {
  PT_DEVICE static void finish(int64_t t, const ReduceOut& o, int64_t at) {
    put<bool>(o.out, at, t == 0);
  }
};

// --- norms ---------------------------------------------------------------------------------------

template <class T>
struct Norm2 : SumOf<T, SquareOf> {
  PT_DEVICE static void finish(double t, const ReduceOut& o, int64_t at) {
    put<T>(o.out, at, ::sqrt(t));
  }
};

// The largest magnitude, or the smallest; NaN if there is one.
template <class T, bool kLargest>
struct Peak {
  using In = T;
  using Lane = Compute<T>;
  using Total = Compute<T>;
  PT_DEVICE static Total total() { return kLargest ? Total(0) : Total(__builtin_huge_val()); }
  PT_DEVICE static Lane lane() { return total(); }
  PT_DEVICE static void take(Lane& l, T x, int64_t) {
    merge(l, Magnitude::map(static_cast<Compute<T>>(x)));
  }
  PT_DEVICE static void absorb(Total& t, Lane l) { merge(t, l); }
  PT_DEVICE static void merge(Total& t, Total u) {
    if (u != u || (t == t && (kLargest ? u > t : u < t))) t = u;
  }
  PT_DEVICE static void finish(Total t, const ReduceOut& o, int64_t at) { put<T>(o.out, at, t); }
};

// Other p: |x|^p is made with a power that take() needs; it travels in the lane.
template <class T>
__global__ void __launch_bounds__(kReduceThreads) norm_p_kernel(ReduceArgs a) {
  const int64_t outputs = a.outer * a.inner;
  for (int64_t k = blockIdx.x; k < outputs; k += gridDim.x) {
    const int64_t o = k / a.inner, i = k % a.inner;
    const T* in = static_cast<const T*>(a.in) + o * a.in_outer + i * a.in_inner;
    double sum = 0;
    for (int64_t r = threadIdx.x; r < a.n; r += blockDim.x) {
      const Compute<T> x = Magnitude::map(static_cast<Compute<T>>(in[r * a.in_n]));
      sum += ::pow(static_cast<double>(x), a.p);
    }
    sum = block_reduce(sum, 0.0, [](double x, double y) { return x + y; });
    if (threadIdx.x == 0) put<T>(a.out, o * a.out_outer + i * a.out_inner, ::pow(sum, 1 / a.p));
  }
}

template <class T>
void norm(const ReduceArgs& a) {
  if (a.p == 0) return reduce<PlainSum<T, OneIfNonzero>>(a);
  if (a.p == 1) return reduce<PlainSum<T, Magnitude>>(a);
  if (a.p == 2) return reduce<Norm2<T>>(a);
  if (a.p == __builtin_inf()) return reduce<Peak<T, true>>(a);
  if (a.p == -__builtin_inf()) return reduce<Peak<T, false>>(a);
  if (a.outer * a.inner == 0) return;
  PT_LAUNCH((norm_p_kernel<T>), blocks_for(a.outer * a.inner * kReduceThreads, kReduceThreads),
            kReduceThreads, 0, a);
}

// --- dot -----------------------------------------------------------------------------------------

// One block: the products of vectors that matter are matrix products.
template <class T>
__global__ void __launch_bounds__(1024) dot_kernel(DotArgs d) {
  const T* a = static_cast<const T*>(d.a);
  const T* b = static_cast<const T*>(d.b);
  SumTotal<T> sum = 0;
  for (int64_t i = threadIdx.x; i < d.n; i += blockDim.x)
    sum += static_cast<SumTotal<T>>(lane_value(a[i * d.a_stride]) * lane_value(b[i * d.b_stride]));
  sum = block_reduce(sum, SumTotal<T>(0), [](auto x, auto y) { return x + y; });
  if (threadIdx.x == 0) put<T>(d.out, 0, sum);
}
template <class T>
void dot(const DotArgs& d) {
  PT_LAUNCH((dot_kernel<T>), 1, d.n > 4096 ? 1024 : 128, 0, d);
}

const KernelEntry kEntries[] = {
    PT_ANY_REDUCTION("sum", Sum),
    PT_FLOATING_REDUCTION("nansum", NanSum),
    PT_FLOATING_REDUCTION("mean", Mean),
    PT_ANY_REDUCTION("prod", Prod),
    PT_ANY_REDUCTION("count_nonzero", CountNonzero),
    PT_ANY_REDUCTION("any", Any),
    PT_ANY_REDUCTION("all", All),
    {"norm", {PT_FLOAT_SLOTS(norm)}},
    {"dot", {PT_NUMBER_SLOTS(dot)}},
};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda

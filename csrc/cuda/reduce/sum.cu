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
PT_DEVICE SumLane<T> lane_value(Compute<T> x) {
  return static_cast<SumLane<T>>(x);
}
// Sums of integers are int64.
template <class T>
PT_DEVICE void put_sum(SumTotal<T> t, const ReduceOut& o, int64_t at) {
  if constexpr (kFloating<T>) {
    put<T>(o.out, at, static_cast<Compute<T>>(t), o.dtype);
  } else {
    put<int64_t>(o.out, at, t);
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
  PT_DEVICE static void take(Lane& l, Compute<T> x, int64_t) { l += Map::map(lane_value<T>(x)); }
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
    put_sum<T>(t, o, at);
  }
};
template <class T>
struct NanSum : SumOf<T, NanAsZero> {
  PT_DEVICE static void finish(double t, const ReduceOut& o, int64_t at) { put_sum<T>(t, o, at); }
};
template <class T>
struct Mean : SumOf<T, Itself> {
  PT_DEVICE static void finish(double t, const ReduceOut& o, int64_t at) {
    put_sum<T>(t / static_cast<double>(o.n), o, at);
  }
};
template <class T, class Map>
struct PlainSum : SumOf<T, Map> {
  PT_DEVICE static void finish(double t, const ReduceOut& o, int64_t at) { put_sum<T>(t, o, at); }
};
template <class T>
struct Prod {
  using In = T;
  using Lane = SumLane<T>;
  using Total = SumTotal<T>;
  PT_DEVICE static Lane lane() { return 1; }
  PT_DEVICE static Total total() { return 1; }
  PT_DEVICE static void take(Lane& l, Compute<T> x, int64_t) { l *= lane_value<T>(x); }
  PT_DEVICE static void absorb(Total& t, Lane l) { t *= static_cast<Total>(l); }
  PT_DEVICE static void merge(Total& t, Total u) { t *= u; }
  PT_DEVICE static void finish(Total t, const ReduceOut& o, int64_t at) { put_sum<T>(t, o, at); }
};

// How many elements are zero, or are not.
template <class T, bool kZeros>
struct Count {
  using In = T;
  using Lane = int64_t;
  using Total = int64_t;
  PT_DEVICE static Lane lane() { return 0; }
  PT_DEVICE static Total total() { return 0; }
  PT_DEVICE static void take(Lane& l, Compute<T> x, int64_t) {
    l += (x == Compute<T>(0)) == kZeros;
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
    put_sum<T>(::sqrt(t), o, at);
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
  PT_DEVICE static void take(Lane& l, Compute<T> x, int64_t) { merge(l, Magnitude::map(x)); }
  PT_DEVICE static void absorb(Total& t, Lane l) { merge(t, l); }
  PT_DEVICE static void merge(Total& t, Total u) {
    if (u != u || (t == t && (kLargest ? u > t : u < t))) t = u;
  }
  PT_DEVICE static void finish(Total t, const ReduceOut& o, int64_t at) {
    put<T>(o.out, at, t, o.dtype);
  }
};

// Other p: |x|^p is made with a power that take() needs; it travels in the lane.
template <class T>
__global__ void __launch_bounds__(kReduceThreads) norm_p_kernel(ReduceArgs a, DType dtype) {
  const int64_t outputs = a.outer * a.inner;
  PT_UNROLL_BY(1)
  for (int64_t k = blockIdx.x; k < outputs; k += gridDim.x) {
    const int64_t o = k / a.inner, i = k % a.inner;
    const int64_t in = o * a.in_outer + i * a.in_inner;
    double sum = 0;
    PT_UNROLL_BY(1)
    for (int64_t r = threadIdx.x; r < a.n; r += blockDim.x) {
      const Compute<T> x = Magnitude::map(get<T>(a.in, in + r * a.in_n, dtype));
      sum += ::pow(static_cast<double>(x), a.p);
    }
    sum = block_reduce(sum, 0.0, [](double x, double y) { return x + y; });
    if (threadIdx.x == 0)
      put<T>(a.out, o * a.out_outer + i * a.out_inner, static_cast<Compute<T>>(::pow(sum, 1 / a.p)),
             dtype);
  }
}

template <class T>
void norm(const ReduceArgs& a) {
  using S = Stored<T>;
  constexpr DType t = dtype_of<T>;
  if (a.p == 0) return reduce<PlainSum<S, OneIfNonzero>, t>(a);
  if (a.p == 1) return reduce<PlainSum<S, Magnitude>, t>(a);
  if (a.p == 2) return reduce<Norm2<S>, t>(a);
  if (a.p == __builtin_inf()) return reduce<Peak<S, true>, t>(a);
  if (a.p == -__builtin_inf()) return reduce<Peak<S, false>, t>(a);
  if (a.outer * a.inner == 0) return;
  PT_LAUNCH((norm_p_kernel<S>), blocks_for(a.outer * a.inner * kReduceThreads, kReduceThreads),
            kReduceThreads, 0, a, t);
}

// --- dot -----------------------------------------------------------------------------------------

// One block: the products of vectors that matter are matrix products.
template <class T>
__global__ void __launch_bounds__(1024) dot_kernel(DotArgs d, DType dtype) {
  SumTotal<T> sum = 0;
  for (int64_t i = threadIdx.x; i < d.n; i += blockDim.x)
    sum += static_cast<SumTotal<T>>(lane_value<T>(get<T>(d.a, i * d.a_stride, dtype)) *
                                    lane_value<T>(get<T>(d.b, i * d.b_stride, dtype)));
  sum = block_reduce(sum, SumTotal<T>(0), [](auto x, auto y) { return x + y; });
  if (threadIdx.x == 0) put<T>(d.out, 0, static_cast<Compute<T>>(sum), dtype);
}
template <class T>
void dot(const DotArgs& d) {
  PT_LAUNCH((dot_kernel<Stored<T>>), 1, d.n > 4096 ? 1024 : 128, 0, d, dtype_of<T>);
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

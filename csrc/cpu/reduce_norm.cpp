// Norms and inner products: norm (any p), dot.
//
// Like the sums: vector lanes over at most 2,048 elements, then double. p = 0, 1, 2, inf and -inf
// have kernels of their own, other p raise every element to the power p.
#include "core/parallel.h"
#include "cpu/reduce_frame.h"
#include "ops/functors/math.h"

namespace pt::PT_ISA {
namespace {

template <class V>
static inline V magnitude(V x) {
  return x < V{} ? -x : x;
}

template <class T>
struct AddOp {
  using In = T;
  using Load = Compute<T>;
  using Lane = Load;
  using Total = double;
  static constexpr Load kPad = 0;
  static constexpr Lane kInit = 0;
  static constexpr Total kStart = 0;
  template <class V>
  static V merge(V a, V b) {
    return a + b;
  }
  static void absorb(Total& t, Lane x) { t += static_cast<Total>(x); }
  static void append(Total& t, Total u) { t += u; }
};

template <class T>
struct NonzeroOp : AddOp<T> {
  template <class V>
  static V map(V x) {
    return x != V{} ? V{} + 1 : V{};
  }
};
template <class T>
struct MagnitudeOp : AddOp<T> {
  template <class V>
  static V map(V x) {
    return magnitude(x);
  }
};
template <class T>
struct SquareOp : AddOp<T> {
  template <class V>
  static V map(V x) {
    return x * x;
  }
};

// The largest magnitude, or the smallest; NaN if there is one.
template <class T, bool Largest>
struct PeakOp {
  using In = T;
  using Load = Compute<T>;
  using Lane = Load;
  using Total = Load;
  static constexpr Load kPad = Largest ? Load(0) : Limits<Load>::highest;
  static constexpr Lane kInit = kPad;
  static constexpr Total kStart = kPad;
  template <class V>
  static V map(V x) {
    return magnitude(x);
  }
  template <class V>
  static V merge(V a, V b) {
    const V best = (Largest ? b > a : b < a) ? b : a;
    return b != b ? b : best;
  }
  static void absorb(Total& t, Lane x) { t = merge(t, x); }
  static void append(Total& t, Total u) { t = merge(t, u); }
};

template <class Op, class T>
struct Plain : MapReduce<Op> {
  static void finish(typename Op::Total t, const ReduceArgs& a, int64_t at) { put<T>(a, at, t); }
};

template <class T>
struct Norm2 : MapReduce<SquareOp<T>> {
  static void finish(double t, const ReduceArgs& a, int64_t at) {
    put<T>(a, at, __builtin_sqrt(t));
  }
};

template <class T>
struct NormP {
  using In = T;
  struct Total {
    double sum, p;
  };
  static constexpr int64_t kRows = 64;
  static constexpr int64_t kWidth = 256;
  static Total init(const ReduceArgs& a) { return {0, a.p}; }

  static void leaf(const T* p, int64_t n, int64_t, Total& t) {
    Compute<T> x[kLeaf];
    powers(p, n, t.p, x);
    MapReduce<PowersSum>::leaf(x, n, 0, t.sum);
  }
  static void slab(const T* p, int64_t stride, int64_t rows, int64_t, int64_t width, Total* t) {
    for (int64_t r = 0; r < rows; ++r) {
      Compute<T> x[kWidth];
      powers(p + r * stride, width, t[0].p, x);
      for (int64_t c = 0; c < width; ++c) t[c].sum += static_cast<double>(x[c]);
    }
  }
  static void merge(Total& t, const Total& u) { t.sum += u.sum; }
  static void finish(const Total& t, const ReduceArgs& a, int64_t at) {
    put<T>(a, at, __builtin_pow(t.sum, 1 / a.p));
  }

 private:
  struct PowersSum : AddOp<Compute<T>> {
    template <class V>
    static V map(V x) {
      return x;
    }
  };
  __attribute__((noinline)) static void powers(const T* in, int64_t n, double p,
                                               Compute<T>* __restrict out) {
    for (int64_t i = 0; i < n; ++i) out[i] = power(magnitude(widen<Compute<T>>(in[i])), p);
  }
  // x^p for x >= 0, p != 0.
  static float power(float x, double p) {
    const double l = x == 0 ? -__builtin_inf() : math::log2_for_float(x);
    const double t = p * (x == __builtin_inff() ? __builtin_inf() : l);
    const double bounded = t > 200 ? 200 : t < -200 ? -200 : t;  // beyond float's range
    return x != x ? x : static_cast<float>(math::exp2_for_float(bounded));
  }
  static double power(double x, double p) { return __builtin_pow(x, p); }
};

template <class T>
void norm(const ReduceArgs& a) {
  if (a.p == 0) return run_kernel<Plain<NonzeroOp<T>, T>>(a);
  if (a.p == 1) return run_kernel<Plain<MagnitudeOp<T>, T>>(a);
  if (a.p == 2) return run_kernel<Norm2<T>>(a);
  if (a.p == __builtin_inf()) return run_kernel<Plain<PeakOp<T, true>, T>>(a);
  if (a.p == -__builtin_inf()) return run_kernel<Plain<PeakOp<T, false>, T>>(a);
  run_kernel<NormP<T>>(a);
}

// ---- dot ----

// Integers multiply as unsigned numbers, which wrap; small ones in 32 bits, as only the low bits of
// the sum are kept.
template <class T>
using DotLane = If<kFloating<T>, Compute<T>, If<sizeof(T) == 8, uint64_t, uint32_t>>;
template <class T>
using DotTotal = If<kFloating<T>, double, uint64_t>;

template <class T>
DotTotal<T> dot_leaf(const T* a, const T* b, int64_t n) {
  using L = DotLane<T>;
  constexpr int lanes = kLanes<L>;
  Vec<L> v0{}, v1{}, v2{}, v3{};
  int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    v0 += load<L>(a + i) * load<L>(b + i);
    v1 += load<L>(a + i + lanes) * load<L>(b + i + lanes);
    v2 += load<L>(a + i + 2 * lanes) * load<L>(b + i + 2 * lanes);
    v3 += load<L>(a + i + 3 * lanes) * load<L>(b + i + 3 * lanes);
  }
  for (; i + lanes <= n; i += lanes) v0 += load<L>(a + i) * load<L>(b + i);
  if (i < n) v1 += load_tail<L>(a, i, n, L(0)) * load_tail<L>(b, i, n, L(0));
  const L sum = across<L>((v0 + v1) + (v2 + v3), [](Vec<L> x, Vec<L> y) { return x + y; });
  return static_cast<DotTotal<T>>(sum);
}

template <class T>
const T* consecutive(const T* p, int64_t stride, int64_t n, T* buffer) {
  if (stride == 1) return p;
  for (int64_t i = 0; i < n; ++i) buffer[i] = p[i * stride];
  return buffer;
}

template <class T>
DotTotal<T> dot_piece(const DotArgs& d, int64_t first, int64_t n) {
  const T* a = static_cast<const T*>(d.a) + first * d.a_stride;
  const T* b = static_cast<const T*>(d.b) + first * d.b_stride;
  constexpr int64_t step = 128 * kLanes<DotLane<T>>;
  T a_buffer[step], b_buffer[step];
  DotTotal<T> total = 0;
  for (int64_t i = 0; i < n; i += step) {
    const int64_t m = n - i < step ? n - i : step;
    total += dot_leaf(consecutive(a + i * d.a_stride, d.a_stride, m, a_buffer),
                      consecutive(b + i * d.b_stride, d.b_stride, m, b_buffer), m);
  }
  return total;
}

template <class T>
void dot(const DotArgs& d) {
  constexpr int64_t max_pieces = 256;
  const int64_t sixteen_k = 16384;
  const int64_t even = (d.n + max_pieces - 1) / max_pieces;
  const int64_t piece = even > sixteen_k ? even : sixteen_k;
  const int64_t pieces = (d.n + piece - 1) / piece;
  DotTotal<T> partial[max_pieces];
  parallel_for(0, pieces, 1, [&](int64_t begin, int64_t end) {
    for (int64_t w = begin; w < end; ++w) {
      const int64_t left = d.n - w * piece;
      partial[w] = dot_piece<T>(d, w * piece, left < piece ? left : piece);
    }
  });
  DotTotal<T> total = 0;
  for (int64_t w = 0; w < pieces; ++w) total += partial[w];
  *static_cast<T*>(d.out) = narrow<T>(total);
}

// In the order of DType.
const KernelEntry kEntries[] = {
    {"norm",
     {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, PT_FN(&norm<Half>),
      PT_FN(&norm<BFloat16>), PT_FN(&norm<float>), PT_FN(&norm<double>)}},
    {"dot",
     {nullptr, PT_FN(&dot<uint8_t>), PT_FN(&dot<int8_t>), PT_FN(&dot<int16_t>),
      PT_FN(&dot<int32_t>), PT_FN(&dot<int64_t>), PT_FN(&dot<Half>), PT_FN(&dot<BFloat16>),
      PT_FN(&dot<float>), PT_FN(&dot<double>)}},
};

}  // namespace
}  // namespace pt::PT_ISA

PT_REGISTER_KERNELS(pt::PT_ISA::kEntries)

// Scans along a dimension: cumsum, cumprod, cummax, cummin, logcumsumexp.
//
// A scan's state is a pair (First, Second) a line: the running sum, or value and place, or maximum
// and scaled sum. Lines of neighbouring elements are scanned inside vectors (log2 shifted
// additions, Hillis and Steele, "Data parallel algorithms", 1986); when lines lie side by side
// whole rows are added to a row of states (scan_walk.cpp decides). Sums and products of float run
// in double, as PyTorch's do.
#include "cpu/reduce_lanes.h"
#include "cpu/scan_walk.h"
#include "ops/functors/math.h"

namespace pt::PT_ISA::scan {
namespace {

// Lane i of the result is lane i - Shift of v, or of `fill` where there is none.
template <int Shift, class V>
V shifted(V v, V fill) {
  constexpr int n = sizeof(V) / sizeof(v[0]);
  typename VecOf<IntOf<decltype(v[0] + v[0])>, n>::type index;
  for (int i = 0; i < n; ++i) index[i] = i < Shift ? i : n + i - Shift;
  return __builtin_shuffle(fill, v, index);
}

// Lane i of the result is lanes 0..i of v merged.
template <int Shift = 1, class V, class F>
V prefix(V v, V neutral, F merge) {
  if constexpr (Shift * sizeof(v[0]) >= sizeof(V)) {
    return v;
  } else {
    return prefix<Shift * 2>(merge(shifted<Shift>(v, neutral), v), neutral, merge);
  }
}

template <class L>
Vec<L> last_lane(Vec<L> v) {
  return splat(v[kLanes<L> - 1]);
}

struct Nothing {};

// ---- cumsum, cumprod ----

struct Add {
  static constexpr int neutral = 0;
  template <class V>
  V operator()(V a, V b) const {
    return a + b;
  }
};
struct Multiply {
  static constexpr int neutral = 1;
  template <class V>
  V operator()(V a, V b) const {
    return a * b;
  }
};

template <class F, class T>
struct Accumulate {
  using In = T;
  using Out = If<kFloating<T>, T, int64_t>;
  using First = If<kIsHalf<T>, float, If<kFloating<T>, double, uint64_t>>;  // integers wrap
  using Second = Nothing;
  static constexpr bool kIndex = false;
  using A = First;

  static void start(A& a, Nothing&) { a = F::neutral; }
  static void append(A& a, Nothing&, const A& later, const Nothing&) { a = F{}(a, later); }

  __attribute__((noinline)) static void line(const T* in, int64_t n, int64_t, A& state, Nothing&,
                                             Out* out, int64_t*) {
    if (!out) {
      state = F{}(state, total(in, n));
    } else if constexpr (kIsHalf<T>) {
      A buffer[kBlock];
      for (int64_t i = 0; i < n; i += kBlock) {
        const int64_t m = min64(kBlock, n - i);
        state = scan(in + i, m, state, buffer);
        narrow_block(buffer, out + i, m);
      }
    } else {
      state = scan(in, n, state, out);
    }
  }

  __attribute__((noinline)) static void row(const T* in, int64_t width, int64_t, A* __restrict a,
                                            Nothing*, Out* out, int64_t*) {
    for (int64_t c = 0; c < width; ++c) a[c] = F{}(a[c], widen<A>(in[c]));
    if (out) narrow_block(a, out, width);
  }

 private:
  template <class O>
  static A scan(const T* in, int64_t n, A state, O* out) {
    constexpr int lanes = kLanes<A>;
    Vec<A> carry = splat(state);
    int64_t i = 0;
    for (; i + lanes <= n; i += lanes) {
      const Vec<A> v = prefix(load<A>(in + i), splat<A>(F::neutral), F{});
      const auto r = __builtin_convertvector(F{}(carry, v), typename VecOf<O, lanes>::type);
      __builtin_memcpy(out + i, &r, sizeof r);
      carry = F{}(carry, last_lane<A>(v));
    }
    A a = carry[0];
    for (; i < n; ++i) {
      a = F{}(a, widen<A>(in[i]));
      out[i] = static_cast<O>(a);
    }
    return a;
  }

  static A total(const T* in, int64_t n) {
    constexpr int lanes = kLanes<A>;
    Vec<A> v = splat<A>(F::neutral), w = v;
    int64_t i = 0;
    for (; i + 2 * lanes <= n; i += 2 * lanes) {
      v = F{}(v, load<A>(in + i));
      w = F{}(w, load<A>(in + i + lanes));
    }
    A a = across<A>(F{}(v, w), F{});
    for (; i < n; ++i) a = F{}(a, widen<A>(in[i]));
    return a;
  }
};

// ---- cummax, cummin: the last of equal elements counts; from a NaN on all is NaN ----

struct NotLess {
  template <class T>
  static constexpr T worst = Limits<T>::lowest;
  template <class V>
  static auto reaches(V x, V a) {
    return x >= a;
  }
};
struct NotGreater {
  template <class T>
  static constexpr T worst = Limits<T>::highest;
  template <class V>
  static auto reaches(V x, V a) {
    return x <= a;
  }
};

template <class Order, class T>
struct Extreme {
  using In = T;
  using Out = T;
  using First = Compute<T>;
  using Second = int64_t;
  static constexpr bool kIndex = true;
  using L = First;

  static void start(L& value, int64_t& index) {
    value = Order::template worst<L>;
    index = -1;
  }
  static void append(L& value, int64_t& index, const L& later, const int64_t& later_index) {
    if (later_index >= 0 && (Order::reaches(later, value) || later != later)) {
      value = later;
      index = later_index;
    }
  }

  __attribute__((noinline)) static void line(const T* in, int64_t n, int64_t first, L& value,
                                             int64_t& index, T* out, int64_t* out_index) {
    // New extremes are rare in most data: a vector without one is filled in at once.
    constexpr int lanes = kLanes<L>;
    int64_t i = 0;
    for (; i + lanes <= n; i += lanes) {
      const Vec<L> x = load<L>(in + i);
      if (lane_bits(Order::reaches(x, splat(value)) | (x != x))) {
        step(in + i, lanes, first + i, value, index, out ? out + i : nullptr, out_index + i);
      } else if (out) {
        const T value_out = narrow<T>(value);
        for (int j = 0; j < lanes; ++j) out[i + j] = value_out;
        for (int j = 0; j < lanes; ++j) out_index[i + j] = index;
      }
    }
    step(in + i, n - i, first + i, value, index, out ? out + i : nullptr, out_index + i);
  }

  __attribute__((noinline)) static void row(const T* in, int64_t width, int64_t k,
                                            L* __restrict value, int64_t* __restrict index, T* out,
                                            int64_t* out_index) {
    for (int64_t c = 0; c < width; ++c) {
      const L x = widen<L>(in[c]);
      const bool wins = Order::reaches(x, value[c]) | (x != x);
      value[c] = wins ? x : value[c];
      index[c] = wins ? k : index[c];
    }
    if (!out) return;
    narrow_block(value, out, width);
    for (int64_t c = 0; c < width; ++c) out_index[c] = index[c];
  }

 private:
  static void step(const T* in, int64_t n, int64_t first, L& value, int64_t& index, T* out,
                   int64_t* out_index) {
    for (int64_t i = 0; i < n; ++i) {
      // Without branches: where ties are many, no one could predict them.
      const L x = widen<L>(in[i]);
      const int64_t wins = -static_cast<int64_t>(Order::reaches(x, value) | (x != x));
      value = wins ? x : value;
      index = (index & ~wins) | ((first + i) & wins);
      if (out) out[i] = narrow<T>(value), out_index[i] = index;
    }
  }
};

// ---- logcumsumexp: (m, s) stands for m + log s, s being the sum of e^(x - m) ----

template <class T>
struct LogCumSumExp {
  using In = T;
  using Out = T;
  using First = double;
  using Second = double;
  static constexpr bool kIndex = false;
  // How far a block's largest element may lie above its first result before e^(x - max) loses
  // digits of it.
  static constexpr double kSpread = kSame<T, double> ? 30 : 500;

  static void start(double& m, double& s) { m = -__builtin_inf(), s = 0; }
  static void append(double& m, double& s, const double& later, const double& later_sum) {
    const double top = later > m ? later : m;
    s = scale(m, top) * s + scale(later, top) * later_sum;
    m = later != later ? later : top;
  }

  __attribute__((noinline)) static void line(const T* in, int64_t n, int64_t, double& m, double& s,
                                             T* out, int64_t*) {
    for (int64_t i = 0; i < n; i += kBlock) {
      block(in + i, min64(kBlock, n - i), m, s, out ? out + i : nullptr);
    }
  }

  __attribute__((noinline)) static void row(const T* in, int64_t width, int64_t,
                                            double* __restrict m, double* __restrict s,
                                            T* __restrict out, int64_t*) {
    for (int64_t c = 0; c < width; ++c) append(m[c], s[c], widen<double>(in[c]), 1);
    if (!out) return;
    for (int64_t c = 0; c < width; ++c) out[c] = narrow<T>(m[c] + math::log(s[c]));
  }

 private:
  static double scale(double x, double top) {
    return x == top ? 1 : math::exp_nonpositive(x - top);  // equal infinities too
  }

  static void block(const T* in, int64_t n, double& m, double& s, T* out) {
    double x[kBlock];
    widen_block(in, x, n);
    double top = m;
    bool nan = m != m;
    for (int64_t i = 0; i < n; ++i) top = x[i] > top ? x[i] : top, nan |= x[i] != x[i];
    const double base = x[0] > m ? x[0] : m;
    if (nan || !(top - base <= kSpread)) {
      for (int64_t i = 0; i < n; ++i) {
        append(m, s, x[i], 1);
        if (out) out[i] = narrow<T>(m + math::log(s));
      }
      return;
    }
    for (int64_t i = 0; i < n; ++i) x[i] = math::exp_nonpositive(x[i] - top);
    s *= scale(m, top);
    m = top;
    Nothing none;
    Accumulate<Add, double>::line(x, n, 0, s, none, x, nullptr);
    if (!out) return;
    for (int64_t i = 0; i < n; ++i) x[i] = top + math::log(x[i]);
    narrow_block(x, out, n);
  }
};

// ---- entries ----

template <class S>
struct ErasedScan {
  using In = typename S::In;
  using Out = typename S::Out;
  using First = typename S::First;
  using Second = typename S::Second;

  static First* firsts(char* state) { return reinterpret_cast<First*>(state); }
  static Second* seconds(char* state, int64_t width) {
    return reinterpret_cast<Second*>(state + 8 * width);
  }
  static void start(char* state, int64_t width) {
    for (int64_t c = 0; c < width; ++c) S::start(firsts(state)[c], seconds(state, width)[c]);
  }
  static void append(char* state, const char* later, int64_t width) {
    char* l = const_cast<char*>(later);
    for (int64_t c = 0; c < width; ++c) {
      S::append(firsts(state)[c], seconds(state, width)[c], firsts(l)[c], seconds(l, width)[c]);
    }
  }
  static void line(const void* in, int64_t n, int64_t first, char* state, void* out,
                   int64_t* index) {
    S::line(static_cast<const In*>(in), n, first, *firsts(state), *seconds(state, 1),
            static_cast<Out*>(out), index);
  }
  static void row(const void* in, int64_t width, int64_t k, char* state, void* out,
                  int64_t* index) {
    S::row(static_cast<const In*>(in), width, k, firsts(state), seconds(state, width),
           static_cast<Out*>(out), index);
  }
  static constexpr ScanOps kOps{
      sizeof(In), sizeof(Out), kLanes<First>, S::kIndex, S::kIndex || kSame<First, int64_t>,
      &start,     &append,     &line,         &row};
};

template <class S>
void scan(const ScanArgs& args) {
  walk(ErasedScan<S>::kOps, args);
}

template <class T>
using CumSum = Accumulate<Add, T>;
template <class T>
using CumProd = Accumulate<Multiply, T>;
template <class T>
using CumMax = Extreme<NotLess, T>;
template <class T>
using CumMin = Extreme<NotGreater, T>;

#define PT_SCAN(S, T) PT_FN(&scan<S<T>>)
#define PT_SCAN_FLOATS(S) \
  PT_SCAN(S, Half), PT_SCAN(S, BFloat16), PT_SCAN(S, float), PT_SCAN(S, double)
#define PT_SCAN_ANY(S)                                                            \
  PT_SCAN(S, bool), PT_SCAN(S, uint8_t), PT_SCAN(S, int8_t), PT_SCAN(S, int16_t), \
      PT_SCAN(S, int32_t), PT_SCAN(S, int64_t), PT_SCAN_FLOATS(S)

const KernelEntry kEntries[] = {
    {"cumsum", {PT_SCAN_ANY(CumSum)}},
    {"cumprod", {PT_SCAN_ANY(CumProd)}},
    {"cummax", {PT_SCAN_ANY(CumMax)}},
    {"cummin", {PT_SCAN_ANY(CumMin)}},
    {"logcumsumexp",
     {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, PT_SCAN_FLOATS(LogCumSumExp)}},
};

}  // namespace
}  // namespace pt::PT_ISA::scan

PT_REGISTER_KERNELS(pt::PT_ISA::scan::kEntries)

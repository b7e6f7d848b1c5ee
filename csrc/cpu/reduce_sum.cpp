// Sums, products and counts: sum, nansum, mean, prod, count_nonzero, any, all.
//
// Floating sums add up to 2,048 elements in the lanes of a few vectors (each lane sees at most a
// few dozen additions) and collect those sums in double: the error stays near one rounding of the
// result, below that of pairwise summation. Integers sum in int64 and wrap.
#include "cpu/reduce_frame.h"

namespace pt::PT_ISA {
namespace {

// Small integers add in int32 lanes, which 2,048 of them cannot overflow; the others in unsigned
// ones, which wrap.
template <class T>
using SumLane = If<kFloating<T>, Compute<T>, If<sizeof(T) <= 2, int32_t, uint64_t>>;
template <class T>
using WideTotal = If<kFloating<T>, double, uint64_t>;
template <class T>
using WideOut = If<kFloating<T>, T, int64_t>;

template <class T>
struct SumOp {
  using In = T;
  using Load = SumLane<T>;
  using Lane = Load;
  using Total = WideTotal<T>;
  static constexpr Load kPad = 0;
  static constexpr Lane kInit = 0;
  static constexpr Total kStart = 0;
  template <class V>
  static V map(V x) {
    return x;
  }
  template <class V>
  static V merge(V a, V b) {
    return a + b;
  }
  static void absorb(Total& t, Lane x) { t += static_cast<Total>(x); }
  static void append(Total& t, Total u) { t += u; }
};

template <class T>
struct NanSumOp : SumOp<T> {
  template <class V>
  static V map(V x) {
    return x == x ? x : V{};
  }
};

template <class T>
struct ProdOp {
  using In = T;
  using Load = If<kFloating<T>, Compute<T>, uint64_t>;
  using Lane = Load;
  using Total = WideTotal<T>;
  static constexpr Load kPad = 1;
  static constexpr Lane kInit = 1;
  static constexpr Total kStart = 1;
  template <class V>
  static V map(V x) {
    return x;
  }
  template <class V>
  static V merge(V a, V b) {
    return a * b;
  }
  static void absorb(Total& t, Lane x) { t *= static_cast<Total>(x); }
  static void append(Total& t, Total u) { t *= u; }
};

template <class T>
struct NonzeroOp {
  using In = T;
  using Load = Compute<T>;
  using Lane = IntOf<Load>;
  using Total = int64_t;
  static constexpr Load kPad = 0;
  static constexpr Lane kInit = 0;
  static constexpr Total kStart = 0;
  template <class V>
  static auto map(V x) {
    return one_where<Lane>(x != V{});
  }
  template <class V>
  static V merge(V a, V b) {
    return a + b;
  }
  static void absorb(Total& t, Lane x) { t += x; }
  static void append(Total& t, Total u) { t += u; }
};

template <class T>
struct ZeroOp : NonzeroOp<T> {
  static constexpr Compute<T> kPad = 1;
  template <class V>
  static auto map(V x) {
    return one_where<typename NonzeroOp<T>::Lane>(x == V{});
  }
};

template <class T>
struct Sum : MapReduce<SumOp<T>> {
  static void finish(WideTotal<T> t, const ReduceArgs& a, int64_t at) { put<WideOut<T>>(a, at, t); }
};

// The same of half precision numbers, not rounded to them.
template <class T>
struct SumToFloat : MapReduce<SumOp<T>> {
  static void finish(double t, const ReduceArgs& a, int64_t at) { put<float>(a, at, t); }
};

template <class T>
struct NanSum : MapReduce<NanSumOp<T>> {
  static void finish(double t, const ReduceArgs& a, int64_t at) { put<T>(a, at, t); }
};

template <class T>
struct Mean : MapReduce<SumOp<T>> {
  static void finish(double t, const ReduceArgs& a, int64_t at) {
    put<T>(a, at, t / static_cast<double>(a.n));
  }
};

template <class T>
struct Prod : MapReduce<ProdOp<T>> {
  static void finish(WideTotal<T> t, const ReduceArgs& a, int64_t at) { put<WideOut<T>>(a, at, t); }
};

template <class T>
struct CountNonzero : MapReduce<NonzeroOp<T>> {
  static void finish(int64_t t, const ReduceArgs& a, int64_t at) { put<int64_t>(a, at, t); }
};

template <class T>
struct Any : MapReduce<NonzeroOp<T>> {
  static bool done(int64_t t) { return t != 0; }
  static void finish(int64_t t, const ReduceArgs& a, int64_t at) { put<bool>(a, at, t != 0); }
};

template <class T>
struct All : MapReduce<ZeroOp<T>> {
  static bool done(int64_t t) { return t != 0; }
  static void finish(int64_t t, const ReduceArgs& a, int64_t at) { put<bool>(a, at, t == 0); }
};

const KernelEntry kEntries[] = {
    PT_ANY_REDUCTION("sum", Sum),
    {"sum_to_float",
     {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, PT_REDUCE(SumToFloat, Half),
      PT_REDUCE(SumToFloat, BFloat16)}},
    PT_FLOATING_REDUCTION("nansum", NanSum),
    PT_FLOATING_REDUCTION("mean", Mean),
    PT_ANY_REDUCTION("prod", Prod),
    PT_ANY_REDUCTION("count_nonzero", CountNonzero),
    PT_ANY_REDUCTION("any", Any),
    PT_ANY_REDUCTION("all", All),
};

}  // namespace
}  // namespace pt::PT_ISA

PT_REGISTER_KERNELS(pt::PT_ISA::kEntries)

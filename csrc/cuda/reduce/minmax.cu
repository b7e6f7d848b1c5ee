// Extremes: max, min, aminmax, max_index, min_index, argmax, argmin. NaN counts as more
// extreme than everything; of equal elements the first one's index is the result.
#include "cuda/reduce/frame.h"

namespace pt::cuda {
namespace {

template <class T>
struct Bounds {  // what every element beats or equals
  static constexpr T lowest = kFloating<T>   ? T(-__builtin_huge_valf())
                              : T(-1) < T(0) ? T(static_cast<uint64_t>(1) << (sizeof(T) * 8 - 1))
                                             : T(0);
  static constexpr T highest = kFloating<T> ? T(__builtin_huge_valf())
                               : T(-1) < T(0)
                                   ? T(~(static_cast<uint64_t>(1) << (sizeof(T) * 8 - 1)))
                                   : T(~static_cast<uint64_t>(0));
};
struct Greater {
  template <class T>
  static constexpr T worst = Bounds<T>::lowest;
  template <class T>
  PT_DEVICE static bool beats(T x, T a) {
    return x > a;
  }
};
struct Less {
  template <class T>
  static constexpr T worst = Bounds<T>::highest;
  template <class T>
  PT_DEVICE static bool beats(T x, T a) {
    return x < a;
  }
};

template <class Order, class T>
struct Extreme {
  using In = T;
  using Lane = Compute<T>;
  using Total = Compute<T>;
  PT_DEVICE static Total total() { return Order::template worst<Total>; }
  PT_DEVICE static Lane lane() { return total(); }
  PT_DEVICE static void take(Lane& l, Compute<T> x, int64_t) { merge(l, x); }
  PT_DEVICE static void absorb(Total& t, Lane l) { merge(t, l); }
  PT_DEVICE static void merge(Total& t, Total x) {
    if (x != x || (t == t && Order::beats(x, t))) t = x;
  }
  PT_DEVICE static void finish(Total t, const ReduceOut& o, int64_t at) {
    put<T>(o.out, at, t, o.dtype);
  }
};

template <class T>
struct AminMax {
  using Low = Extreme<Less, T>;
  using High = Extreme<Greater, T>;
  struct Pair {
    Compute<T> low, high;
  };
  using In = T;
  using Lane = Pair;
  using Total = Pair;
  PT_DEVICE static Total total() { return {Low::total(), High::total()}; }
  PT_DEVICE static Lane lane() { return total(); }
  PT_DEVICE static void take(Lane& l, Compute<T> x, int64_t) {
    Low::merge(l.low, x);
    High::merge(l.high, x);
  }
  PT_DEVICE static void absorb(Total& t, const Lane& l) { merge(t, l); }
  PT_DEVICE static void merge(Total& t, const Total& u) {
    Low::merge(t.low, u.low);
    High::merge(t.high, u.high);
  }
  PT_DEVICE static void finish(const Total& t, const ReduceOut& o, int64_t at) {
    put<T>(o.out, at, t.low, o.dtype);
    put<T>(o.out2, at, t.high, o.dtype);
  }
};

template <class Order, class T>
struct ExtremeIndex {
  struct Place {
    Compute<T> value;
    int64_t index;  // -1 before any element
  };
  using In = T;
  using Lane = Place;
  using Total = Place;
  PT_DEVICE static Total total() { return {Order::template worst<Compute<T>>, -1}; }
  PT_DEVICE static Lane lane() { return total(); }
  PT_DEVICE static void take(Lane& l, Compute<T> x, int64_t index) { merge(l, {x, index}); }
  PT_DEVICE static void absorb(Total& t, const Lane& l) { merge(t, l); }
  PT_DEVICE static void merge(Total& t, const Total& u) {
    if (u.index < 0) return;
    const bool first = u.index < t.index;
    const bool better = t.value != t.value ? u.value != u.value && first
                        : u.value != u.value
                            ? true
                            : Order::beats(u.value, t.value) || (u.value == t.value && first);
    if (t.index < 0 || better) t = u;
  }
  PT_DEVICE static void finish(const Total& t, const ReduceOut& o, int64_t at) {
    if (o.out) put<T>(o.out, at, t.value, o.dtype);
    put<int64_t>(o.out2, at, t.index);
  }
};

template <class T>
using Max = Extreme<Greater, T>;
template <class T>
using Min = Extreme<Less, T>;
template <class T>
using MaxIndex = ExtremeIndex<Greater, T>;
template <class T>
using MinIndex = ExtremeIndex<Less, T>;
// The index is the only result.
template <class T>
struct ArgMax : MaxIndex<T> {
  PT_DEVICE static void finish(const typename MaxIndex<T>::Total& t, const ReduceOut& o,
                               int64_t at) {
    put<int64_t>(o.out, at, t.index);
  }
};
template <class T>
struct ArgMin : MinIndex<T> {
  PT_DEVICE static void finish(const typename MinIndex<T>::Total& t, const ReduceOut& o,
                               int64_t at) {
    put<int64_t>(o.out, at, t.index);
  }
};

const KernelEntry kEntries[] = {
    PT_ANY_REDUCTION("max", Max),
    PT_ANY_REDUCTION("min", Min),
    PT_ANY_REDUCTION("aminmax", AminMax),
    PT_ANY_REDUCTION("max_index", MaxIndex),
    PT_ANY_REDUCTION("min_index", MinIndex),
    PT_ANY_REDUCTION("argmax", ArgMax),
    PT_ANY_REDUCTION("argmin", ArgMin),
};
PT_REGISTER_DEVICE_KERNELS(kEntries)

}  // namespace
}  // namespace pt::cuda

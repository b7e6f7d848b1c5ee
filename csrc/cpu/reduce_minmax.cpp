// Extremes: max, min, aminmax, max_index, min_index, argmax, argmin.
//
// NaN counts as larger and as smaller than everything, so it is the result wherever it occurs. An
// index is that of the first extreme element (of the first NaN). Along neighbouring elements the
// index kernels take the extreme of a leaf first, and look for its place only in a leaf that
// improves the result: rarely, so that they run as fast as the plain extremes.
#include "cpu/reduce_frame.h"

namespace pt::PT_ISA {
namespace {

struct Greater {
  template <class T>
  static constexpr T worst = Limits<T>::lowest;
  // Whether x beats a; on vectors, lane by lane.
  template <class V>
  static auto beats(V x, V a) {
    return x > a;
  }
};
struct Less {
  template <class T>
  static constexpr T worst = Limits<T>::highest;
  template <class V>
  static auto beats(V x, V a) {
    return x < a;
  }
};

// The better of a and x; a where equal; NaN if either is.
template <class Order, class V>
static inline V better(V a, V x) {
  const V b = Order::beats(x, a) ? x : a;
  return x != x ? x : b;
}

template <class Order, class T>
struct ExtremeOp {
  using In = T;
  using Load = Compute<T>;
  using Lane = Load;
  using Total = Load;
  static constexpr Load kPad = Order::template worst<Load>;
  static constexpr Lane kInit = kPad;
  static constexpr Total kStart = kPad;
  template <class V>
  static V map(V x) {
    return x;
  }
  template <class V>
  static V merge(V a, V b) {
    return better<Order>(a, b);
  }
  static void absorb(Total& t, Lane x) { t = better<Order>(t, x); }
  static void append(Total& t, Total u) { t = better<Order>(t, u); }
};

// The extreme of n > 0 consecutive elements. For floats the NaNs are collected beside the extremes,
// which leaves a single instruction in the chain from one element to the next.
template <class Order, class T>
static inline Compute<T> extreme_of(const T* p, int64_t n) {
  using L = Compute<T>;
  using V = Vec<L>;
  constexpr int lanes = kLanes<L>;
  constexpr L worst = Order::template worst<L>;
  const auto pick = [](V a, V x) { return Order::beats(x, a) ? x : a; };
  V v0 = splat(worst), v1 = v0, v2 = v0, v3 = v0;
  V nan0{}, nan1{};  // zeros and NaNs
  const auto note = [](V nan, V x) { return kFloating<L> ? (x != x ? x : nan) : nan; };
  int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    const V x0 = load<L>(p + i), x1 = load<L>(p + i + lanes);
    const V x2 = load<L>(p + i + 2 * lanes), x3 = load<L>(p + i + 3 * lanes);
    v0 = pick(v0, x0), v1 = pick(v1, x1), v2 = pick(v2, x2), v3 = pick(v3, x3);
    nan0 = note(nan0, x0), nan1 = note(nan1, x1), nan0 = note(nan0, x2), nan1 = note(nan1, x3);
  }
  for (; i + lanes <= n; i += lanes) {
    const V x = load<L>(p + i);
    v0 = pick(v0, x), nan0 = note(nan0, x);
  }
  if (i < n) {
    const V x = load_tail<L>(p, i, n, worst);
    v1 = pick(v1, x), nan1 = note(nan1, x);
  }
  const L best = across<L>(pick(pick(v0, v1), pick(v2, v3)), pick);
  if constexpr (kFloating<L>) {
    const L nan = across<L>(nan0 + nan1, [](V a, V b) { return a + b; });
    return nan != nan ? nan : best;
  } else {
    return best;
  }
}

template <class Order, class T>
struct Extreme : MapReduce<ExtremeOp<Order, T>> {
  static void leaf(const T* p, int64_t n, int64_t, Compute<T>& t) {
    t = better<Order>(t, extreme_of<Order>(p, n));
  }
  // The same in a function of its own, for kernels that have other things to do.
  __attribute__((noinline)) static Compute<T> extreme(const T* p, int64_t n) {
    return extreme_of<Order>(p, n);
  }
  static void finish(Compute<T> t, const ReduceArgs& a, int64_t at) { put<T>(a, at, t); }
};

template <class T>
struct AminMax {
  using In = T;
  using Least = Extreme<Less, T>;
  using Most = Extreme<Greater, T>;
  struct Total {
    Compute<T> least, most;
  };
  static constexpr int64_t kRows = Least::kRows;
  static constexpr int64_t kWidth = 256;
  static Total init(const ReduceArgs& a) { return {Least::init(a), Most::init(a)}; }
  static void leaf(const T* p, int64_t n, int64_t, Total& t) {
    t.least = better<Less>(t.least, Least::extreme(p, n));
    t.most = better<Greater>(t.most, Most::extreme(p, n));
  }
  static void slab(const T* p, int64_t stride, int64_t rows, int64_t first, int64_t width,
                   Total* t) {
    Compute<T> least[kWidth], most[kWidth];
    for (int64_t c = 0; c < width; ++c) least[c] = t[c].least, most[c] = t[c].most;
    Least::slab(p, stride, rows, first, width, least);
    Most::slab(p, stride, rows, first, width, most);
    for (int64_t c = 0; c < width; ++c) t[c] = {least[c], most[c]};
  }
  static void merge(Total& t, const Total& u) {
    Least::merge(t.least, u.least);
    Most::merge(t.most, u.most);
  }
  static void finish(const Total& t, const ReduceArgs& a, int64_t at) {
    put<T>(a, at, t.least);
    static_cast<T*>(a.out2)[at] = narrow<T>(t.most);
  }
};

// The place of the first element equal to `value` (of the first NaN if it is NaN); there is one.
template <class T>
static inline int64_t find_first(const T* p, int64_t n, Compute<T> value) {
  using L = Compute<T>;
  constexpr int lanes = kLanes<L>;
  const auto wanted = splat(value);
  // No element is NaN when the extreme is not, so both cases are one test.
  const auto matches = [&](Vec<L> x) { return (x == wanted) | (x != x); };
  int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    const auto near = matches(load<L>(p + i)) | matches(load<L>(p + i + lanes));
    const auto far = matches(load<L>(p + i + 2 * lanes)) | matches(load<L>(p + i + 3 * lanes));
    if (lane_bits(near | far)) break;
  }
  for (; i + lanes <= n; i += lanes) {
    const uint32_t bits = lane_bits(matches(load<L>(p + i)));
    if (bits) return i + __builtin_ctz(bits);
  }
  const int64_t start = n >= lanes ? n - lanes : 0;  // lanes seen before have no match
  const Vec<L> last = n >= lanes ? load<L>(p + start) : load_tail<L>(p, 0, n, value);
  return start + __builtin_ctz(lane_bits(matches(last)));
}

template <class Order, class T>
struct ExtremeIndex {
  using In = T;
  using Lane = Compute<T>;
  using Index = IntOf<Lane>;
  struct Total {
    Lane value;
    int64_t index;  // -1 before any element
  };
  static constexpr int64_t kRows = 256;
  static constexpr int64_t kWidth = kMaxWidth;

  static Total init(const ReduceArgs&) { return {Order::template worst<Lane>, -1}; }

  // Whether (x, at `index`) takes the place of t.
  static bool replaces(const Total& t, Lane x, int64_t index) {
    if (t.index < 0) return true;
    if (t.value != t.value) return x != x && index < t.index;
    return x != x || Order::beats(x, t.value) || (x == t.value && index < t.index);
  }

  __attribute__((noinline)) static void leaf(const T* p, int64_t n, int64_t first, Total& t) {
    const Lane best = Extreme<Order, T>::extreme(p, n);
    if (replaces(t, best, first + n)) t = {best, first + find_first(p, n, best)};
  }

  __attribute__((noinline)) static void slab(const T* p, int64_t stride, int64_t rows,
                                             int64_t first, int64_t width, Total* t) {
    alignas(64) Lane value[kWidth];
    alignas(64) Index index[kWidth];
    for (int64_t c = 0; c < width; ++c) value[c] = widen<Lane>(p[c]), index[c] = 0;
    int64_t r = 1;
    for (; r + 4 <= rows; r += 4) take_rows(value, index, p + r * stride, stride, 4, r, width);
    for (; r < rows; ++r) take_rows(value, index, p + r * stride, stride, 1, r, width);
    for (int64_t c = 0; c < width; ++c) {
      if (replaces(t[c], value[c], first + index[c])) t[c] = {value[c], first + index[c]};
    }
  }

  static void merge(Total& t, const Total& u) {
    if (u.index >= 0 && replaces(t, u.value, u.index)) t = u;
  }
  static void unfold(Total& t, int64_t k, int64_t q) {
    if (t.index >= 0) t.index = t.index * k + q;
  }
  static void finish(const Total& t, const ReduceArgs& a, int64_t at) {
    if (a.out) put<T>(a, at, t.value);
    static_cast<int64_t*>(a.out2)[at] = t.index;
  }

 private:
  // Rows come in order, so an equal element never takes the place of an earlier one.
  template <class V, class I>
  static void take(V& value, I& index, V x, I r) {
    const auto wins = (Order::beats(x, value) | (x != x)) & (value == value);
    value = wins ? x : value;
    index = wins ? r : index;
  }

  template <class S>
  static void take_lanes(Lane* value, Index* index, const S* p, int64_t stride, int rows, Index r) {
    auto v = load<Lane>(value);
    auto i = load<Index>(index);
    for (int j = 0; j < rows; ++j) take(v, i, load<Lane>(p + j * stride), splat<Index>(r + j));
    store(value, v);
    store(index, i);
  }

  template <class S>
  static void take_rows(Lane* value, Index* index, const S* p, int64_t stride, int rows, Index r,
                        int64_t width) {
    constexpr int lanes = kLanes<Lane>;
    int64_t c = 0;
    for (; c + lanes <= width; c += lanes) {
      take_lanes(value + c, index + c, p + c, stride, rows, r);
    }
    if (c == width) return;
    if (width >= lanes) {  // an element taken a second time changes nothing
      c = width - lanes;
      take_lanes(value + c, index + c, p + c, stride, rows, r);
      return;
    }
    for (int j = 0; j < rows; ++j) {
      for (c = 0; c < width; ++c) {
        take(value[c], index[c], widen<Lane>(p[j * stride + c]), static_cast<Index>(r + j));
      }
    }
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

// argmax and argmin: the index is the only result.
template <class T>
struct ArgMax : MaxIndex<T> {
  static void finish(const typename MaxIndex<T>::Total& t, const ReduceArgs& a, int64_t at) {
    put<int64_t>(a, at, t.index);
  }
};
template <class T>
struct ArgMin : MinIndex<T> {
  static void finish(const typename MinIndex<T>::Total& t, const ReduceArgs& a, int64_t at) {
    put<int64_t>(a, at, t.index);
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

}  // namespace
}  // namespace pt::PT_ISA

PT_REGISTER_KERNELS(pt::PT_ISA::kEntries)
